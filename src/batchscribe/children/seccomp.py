"""Filters for the system calls of a confined process. They require libseccomp.

The fork server imports this module, because finding libseccomp starts a program, which a confined process cannot do.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable

try:
    import pyseccomp
except RuntimeError:  # libseccomp.so.2 is not installed
    pyseccomp = None

#: The calls for computing and for communication over an open pipe.
COMPUTING = (
    "brk clock_getres clock_gettime clock_nanosleep close exit exit_group fstat futex getcpu geteuid getpid getppid "
    "getrandom getrusage gettid gettimeofday getuid lseek madvise membarrier mmap mprotect mremap munmap nanosleep "
    "pipe2 poll ppoll pselect6 read readv restart_syscall rseq rt_sigaction rt_sigprocmask rt_sigreturn "
    "sched_getaffinity sched_yield select set_robust_list sigaltstack sysinfo time times uname write writev"
)
#: Calls that an engine never needs: for other programs and processes, the network, and changes to files and the system.
FORBIDDEN = (
    "accept accept4 acct add_key adjtimex bind bpf chmod chown chroot clock_adjtime clock_settime connect creat "
    "delete_module execve execveat fanotify_init fanotify_mark fchmod fchmodat fchmodat2 fchown fchownat finit_module "
    "fork fremovexattr fsconfig fsetxattr fsmount fsopen fspick init_module io_uring_enter io_uring_register "
    "io_uring_setup ioperm iopl ioprio_set kcmp kexec_file_load kexec_load keyctl lchown link linkat listen listmount "
    "lookup_dcookie lremovexattr lsetxattr migrate_pages mkdir mkdirat mknod mknodat mount mount_setattr move_mount "
    "move_pages mq_open msgctl msgget msgrcv msgsnd name_to_handle_at nfsservctl open_by_handle_at open_tree "
    "perf_event_open personality pidfd_getfd pidfd_open pidfd_send_signal pivot_root process_madvise process_mrelease "
    "process_vm_readv process_vm_writev ptrace quotactl quotactl_fd reboot removexattr rename renameat renameat2 "
    "request_key rmdir rt_sigqueueinfo rt_tgsigqueueinfo sched_setattr sched_setparam sched_setscheduler semctl "
    "semget semop semtimedop sendmmsg sendmsg sendto setdomainname setgid setgroups sethostname setns setpgid "
    "setpriority setregid setresgid setresuid setreuid setsid settimeofday setuid setxattr shmat shmctl shmget "
    "statmount swapoff swapon symlink symlinkat sysfs syslog tkill truncate umount2 unlink unlinkat unshare "
    "userfaultfd ustat utime utimensat utimes vfork vhangup"
)
CLONE_THREAD = 0x0001_0000
#: Commands of fcntl that read or change only the flags of a descriptor. F_SETOWN and F_SETSIG can cause signals.
SAFE_FCNTL = (1, 2, 3, 4, 1030)  # F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_DUPFD_CLOEXEC
SIGNALLING_FCNTL = (8, 10, 15)  # F_SETOWN, F_SETSIG, F_SETOWN_EX
SIGNALLING_IOCTL = (0x8901, 0x8902, 0x5410, 0x5412)  # FIOSETOWN, SIOCSPGRP, TIOCSPGRP, TIOCSTI
_32_BITS = 0xFFFF_FFFF
_UNKNOWN_CALL = -1  #: __NR_SCMP_ERROR of seccomp.h


def allow_computing() -> bool:
    """Allow only `COMPUTING`: no opening of files, no new processes. Returns false if the filter cannot be loaded."""
    return pyseccomp is not None and _load(_computing_only)


def forbid_harm(*, writes: bool, local_sockets: bool) -> bool:
    """Forbid `FORBIDDEN` and new processes; threads are allowed. Returns false if the filter cannot be loaded.

    `writes` allows opening files for writing. `local_sockets` allows AF_UNIX, which NVIDIA's driver uses.
    """
    return pyseccomp is not None and _load(lambda: _deny_forbidden(writes=writes, local_sockets=local_sockets))


def _load(make: Callable[[], pyseccomp.SyscallFilter]) -> bool:
    try:
        made = make()
        # Apply the filter to all threads: a library may have started some.
        made.set_attr(pyseccomp.Attr.CTL_TSYNC, 1)
        made.load()
    except OSError:
        return False  # the kernel or a container forbids it
    return True


def _computing_only() -> pyseccomp.SyscallFilter:
    made = pyseccomp.SyscallFilter(pyseccomp.ERRNO(errno.EPERM))
    for name in COMPUTING.split():
        _add(made, pyseccomp.ALLOW, name)
    for command in SAFE_FCNTL:
        _add(made, pyseccomp.ALLOW, "fcntl", pyseccomp.Arg(1, pyseccomp.EQ, command))
    _add(made, pyseccomp.ALLOW, "prlimit64", pyseccomp.Arg(0, pyseccomp.EQ, 0))
    _add(made, pyseccomp.ALLOW, "clone", pyseccomp.Arg(0, pyseccomp.MASKED_EQ, CLONE_THREAD, CLONE_THREAD))
    _no_clone3(made)
    for name in ("kill", "tgkill"):  # a process may end itself with a signal
        _add(made, pyseccomp.ALLOW, name, pyseccomp.Arg(0, pyseccomp.EQ, os.getpid()))
    return made


def _deny_forbidden(*, writes: bool, local_sockets: bool) -> pyseccomp.SyscallFilter:
    made = pyseccomp.SyscallFilter(pyseccomp.ALLOW)
    refused = pyseccomp.ERRNO(errno.EPERM)
    for name in FORBIDDEN.split():
        if not (local_sockets and name in LOCAL_SOCKET_CALLS):
            _add(made, refused, name)
    _add(made, refused, "clone", pyseccomp.Arg(0, pyseccomp.MASKED_EQ, CLONE_THREAD, 0))
    _no_clone3(made)
    for name in ("prlimit64", "sched_setaffinity"):
        _add(made, refused, name, pyseccomp.Arg(0, pyseccomp.NE, 0))
    for name in ("kill", "tgkill"):
        _add(made, refused, name, pyseccomp.Arg(0, pyseccomp.NE, os.getpid()))
    for command in SIGNALLING_FCNTL:
        _add(made, refused, "fcntl", pyseccomp.Arg(1, pyseccomp.MASKED_EQ, _32_BITS, command))
    for request in SIGNALLING_IOCTL:
        _add(made, refused, "ioctl", pyseccomp.Arg(1, pyseccomp.MASKED_EQ, _32_BITS, request))
    if not writes:
        _forbid_writing(made, refused)
    families = (pyseccomp.Arg(0, pyseccomp.NE, 1),) if local_sockets else ()  # AF_UNIX
    _add(made, refused, "socket", *families)
    return made


def _forbid_writing(made: pyseccomp.SyscallFilter, refused: int) -> None:
    for flag in (os.O_WRONLY, os.O_RDWR, os.O_CREAT, os.O_TRUNC):
        _add(made, refused, "open", pyseccomp.Arg(1, pyseccomp.MASKED_EQ, flag, flag))
        _add(made, refused, "openat", pyseccomp.Arg(2, pyseccomp.MASKED_EQ, flag, flag))
    _add(made, pyseccomp.ERRNO(errno.ENOSYS), "openat2")  # a filter cannot read its flags, which are in memory


def _no_clone3(made: pyseccomp.SyscallFilter) -> None:
    """Disable clone3: a filter cannot read its flags, which are in memory. The C library then uses clone."""
    _add(made, pyseccomp.ERRNO(errno.ENOSYS), "clone3")


#: The calls in `FORBIDDEN` that local sockets need. Without `listen` or `unlink`, CUDA does not start (driver 580).
LOCAL_SOCKET_CALLS = frozenset({"bind", "connect", "sendmsg", "sendto", "sendmmsg", "listen", "unlink"})


def _add(made: pyseccomp.SyscallFilter, action: int, name: str, *args: pyseccomp.Arg) -> None:
    """Add a rule. Calls that this libseccomp does not know are skipped."""
    number = pyseccomp.resolve_syscall(pyseccomp.Arch.NATIVE, name)
    if number != _UNKNOWN_CALL:
        made.add_rule(action, number, *args)
