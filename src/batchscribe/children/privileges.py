"""Functions with which a child drops its environment, the network and its privileges."""

from __future__ import annotations

import ctypes
import os

_LIBC = ctypes.CDLL(None, use_errno=True)
_CLONE_NEWUSER, _CLONE_NEWNET, _CLONE_NEWIPC = 0x1000_0000, 0x4000_0000, 0x0800_0000  #: linux/sched.h
_PR_SET_DUMPABLE, _PR_SET_NO_NEW_PRIVS = 4, 38  #: linux/prctl.h
_CAPABILITY_VERSION_3 = 0x2008_0522  #: linux/capability.h


class _Header(ctypes.Structure):
    """The header of capset: struct __user_cap_header_struct. Process 0 is the calling process."""

    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


def leave_namespaces() -> bool:
    """Move this process into an empty network of its own. Returns false if this is forbidden, as in containers."""
    alone = _CLONE_NEWNET | _CLONE_NEWIPC
    return any(_LIBC.unshare(flags) == 0 for flags in (_CLONE_NEWUSER | alone, alone))


def drop_privileges() -> bool:
    """Drop all capabilities permanently, and hide the memory from other processes of the same user."""
    header = _Header(_CAPABILITY_VERSION_3, 0)
    dropped = _LIBC.capset(ctypes.byref(header), (ctypes.c_uint32 * 6)())
    closed = _LIBC.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    hidden = _LIBC.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    return not (dropped or closed or hidden)


def forget_environment(keep: frozenset[str] = frozenset()) -> None:
    """Clear the environment variables and their initial memory block, which may contain credentials.

    Call it before `drop_privileges`, which hides the addresses of that block.
    """
    kept = {name: value for name, value in os.environ.items() if name in keep}
    os.environ.clear()
    with open("/proc/self/stat", encoding="ascii", errors="replace") as stat:  # noqa: PTH123
        fields = stat.read().rpartition(")")[2].split()
    start, end = int(fields[47]), int(fields[48])  # env_start and env_end, fields 50 and 51 of proc(5)
    if start:
        ctypes.memset(start, 0, end - start)
    os.environ.update(kept)
