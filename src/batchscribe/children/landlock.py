"""Permanent confinement from the file system, TCP and other processes (landlock(7), Linux 5.13 and later).

The fork server imports this module, because finding the C library starts a program, which a confined process cannot do.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from landlockpy import AccessFS, LandlockError, Ruleset, Scope, abi_version

READ = AccessFS.READ_FILE | AccessFS.READ_DIR
#: For Landlock, mapping a library as code is reading. Starting a program needs EXECUTE, which is never granted.
WRITE = READ | AccessFS.WRITE_FILE | AccessFS.TRUNCATE | AccessFS.MAKE_REG
DEVICE = AccessFS.READ_FILE | AccessFS.READ_DIR | AccessFS.WRITE_FILE | AccessFS.IOCTL_DEV


def _known_version() -> int:
    try:
        return abi_version()
    except LandlockError:
        return 0


VERSION = _known_version()  #: of the kernel's Landlock; 0 if it has none


def close_files(*, readable: Iterable[Path] = (), writable: Iterable[Path] = (), devices: Iterable[Path] = ()) -> bool:
    """Forbid TCP and access to all files and folders except the named ones. Returns false if Landlock is unavailable.

    From version 6 on, it also forbids abstract sockets and signals to other processes. It applies to this thread and
    the threads that it starts, so call it before starting others.
    """
    if VERSION == 0:
        return False
    try:
        with Ruleset(scoped=Scope.ABSTRACT_UNIX_SOCKET | Scope.SIGNAL) as rules:
            for paths, access in ((readable, READ), (writable, WRITE), (devices, DEVICE)):
                for path in paths:
                    _allow(rules, path, access)
            rules.restrict()
    except LandlockError:
        return False  # a container may forbid the call
    return True


def _allow(rules: Ruleset, path: Path, access: AccessFS) -> None:
    """Add a rule for the path if it exists."""
    if not path.exists():
        return
    rights_of_files = AccessFS.READ_FILE | AccessFS.WRITE_FILE | AccessFS.TRUNCATE | AccessFS.IOCTL_DEV
    rules.allow_path(path, access if path.is_dir() else access & rights_of_files)
