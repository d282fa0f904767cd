"""What a child gives up by itself: its environment, the network, its capabilities and the way to new ones."""

from __future__ import annotations

import ctypes
import os

_LIBC = ctypes.CDLL(None, use_errno=True)
_CLONE_NEWUSER, _CLONE_NEWNET, _CLONE_NEWIPC = 0x1000_0000, 0x4000_0000, 0x0800_0000  #: linux/sched.h
_PR_SET_DUMPABLE, _PR_SET_NO_NEW_PRIVS = 4, 38  #: linux/prctl.h
_CAPABILITY_VERSION_3 = 0x2008_0522  #: linux/capability.h


class _Header(ctypes.Structure):
    """struct __user_cap_header_struct; process 0 is this one."""

    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


def leave_namespaces() -> bool:
    """A network with nothing in it, for this process alone. False where the system forbids it, as containers do."""
    alone = _CLONE_NEWNET | _CLONE_NEWIPC
    return any(_LIBC.unshare(flags) == 0 for flags in (_CLONE_NEWUSER | alone, alone))


def drop_privileges() -> bool:
    """No capability, none to come, and no other process of the same user may look into the memory of this one."""
    header = _Header(_CAPABILITY_VERSION_3, 0)
    dropped = _LIBC.capset(ctypes.byref(header), (ctypes.c_uint32 * 6)())
    closed = _LIBC.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    hidden = _LIBC.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    return not (dropped or closed or hidden)


def forget_environment(keep: frozenset[str] = frozenset()) -> None:
    """No credentials: neither in the variables nor in the block of memory that the process started with.

    Clear it before dumping is forbidden: the addresses of that block are then hidden.
    """
    kept = {name: value for name, value in os.environ.items() if name in keep}
    os.environ.clear()
    with open("/proc/self/stat", encoding="ascii", errors="replace") as stat:  # noqa: PTH123
        fields = stat.read().rpartition(")")[2].split()
    start, end = int(fields[47]), int(fields[48])  # env_start and env_end, fields 50 and 51 of proc(5)
    if start:
        ctypes.memset(start, 0, end - start)
    os.environ.update(kept)
