"""Closes the file system, TCP and other processes to this process, for good (landlock(7), Linux 5.13 and later).

Imported in the fork server: the look for the C library starts a program, which a confined process may not.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from landlockpy import AccessFS, LandlockError, Ruleset, Scope, abi_version

READ = AccessFS.READ_FILE | AccessFS.READ_DIR
#: Libraries are mapped as code, which Landlock takes for reading; programs need EXECUTE, which nobody gets.
WRITE = READ | AccessFS.WRITE_FILE | AccessFS.TRUNCATE | AccessFS.MAKE_REG
DEVICE = AccessFS.READ_FILE | AccessFS.READ_DIR | AccessFS.WRITE_FILE | AccessFS.IOCTL_DEV


def _known_version() -> int:
    try:
        return abi_version()
    except LandlockError:
        return 0


VERSION = _known_version()  #: of the kernel's Landlock; 0 where there is none


def close_files(*, readable: Iterable[Path] = (), writable: Iterable[Path] = (), devices: Iterable[Path] = ()) -> bool:
    """Files and folders that are not named can be neither read nor written, and there is no TCP. From version 6 on no
    signal reaches another process, and no abstract socket. False where the kernel has no Landlock.

    It goes for this thread and those it starts, so call it before there are others.
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
        return False  # a container's filter may refuse the call
    return True


def _allow(rules: Ruleset, path: Path, access: AccessFS) -> None:
    """A path that is not there needs no rule."""
    if not path.exists():
        return
    rights_of_files = AccessFS.READ_FILE | AccessFS.WRITE_FILE | AccessFS.TRUNCATE | AccessFS.IOCTL_DEV
    rules.allow_path(path, access if path.is_dir() else access & rights_of_files)
