"""Code that has taken over a confined child, and tries to attack from there."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import json
import os
import resource
import signal
import socket
import stat
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import pyseccomp

from batchscribe.audio import decoder_child as decoder_child
from batchscribe.children import confinement as confinement
from batchscribe.children.layers import Layer
from batchscribe.children.start import begin_child, mute, open_nowhere
from batchscribe.speech import engine_confinement as engine_confinement
from batchscribe.speech.scripted import ScriptedSpec

PTRACE_SEIZE, PTRACE_DETACH = 0x4206, 17
KEYCTL, JOIN_SESSION_KEYRING = 250, 1
FSTAT, EXECVEAT, AT_EMPTY_PATH = 5, 322, 0x1000
IO_URING_SETUP, PERF_EVENT_OPEN, PIDFD_OPEN, BPF, UNSHARE = 425, 298, 434, 321, 272
_LIBC = ctypes.CDLL(None, use_errno=True)
"".encode("idna")  # its module is loaded when an address is first used, which is too late in a confined process


@dataclass(frozen=True)
class Targets:
    """The test's own resources, which the attacker must not reach."""

    secret: Path
    victim: Path  #: a file to delete
    folder: Path
    tcp_port: int
    udp_port: int
    local_socket: Path
    abstract_name: str
    parent: int
    sibling: int
    parents_secret_at: int  #: an address in its memory
    parents_secret: bytes


def serve(
    connection: Connection, kind: str, layers: frozenset[Layer], targets: Targets, *, refuse_namespaces: bool
) -> None:
    """Main function of the process. It reports the names of the attacks that succeeded."""
    become_confined(kind, layers, refuse_namespaces=refuse_namespaces)
    succeeded = [name for name, attack in ATTACKS.items() if succeeds(attack, targets)]
    connection.send_bytes(json.dumps(succeeded).encode())
    with suppress(OSError):
        os.execv("/bin/sh", ["sh", "-c", f"touch {targets.folder}/executed"])  # last: it would replace this process


def become_confined(kind: str, layers: frozenset[Layer], *, refuse_namespaces: bool) -> None:
    """Confine this process exactly like the real children."""
    if refuse_namespaces:
        refuse_unshare()
    if kind == "decoder":
        decoder_child.rehearse()
        begin_child()
        confinement.confine(3 * 2**30, layers)
    else:
        begin_child()
        engine_confinement.set_environment()
        nowhere = open_nowhere()
        engine_confinement.confine(ScriptedSpec(), layers)
        mute(nowhere)


def refuse_unshare() -> None:
    """Refuse `unshare`, like Docker's own filter."""
    made = pyseccomp.SyscallFilter(pyseccomp.ALLOW)
    made.add_rule(pyseccomp.ERRNO(1), "unshare")
    made.load()


def succeeds(attack: Callable[[Targets], object], targets: Targets) -> bool:
    try:
        return attack(targets) is not False
    except OSError:
        return False


def read_secret(targets: Targets) -> bool:
    return targets.secret.read_text() != ""


def list_root(_: Targets) -> bool:
    return list(Path("/").iterdir()) != []


def write_file(targets: Targets) -> None:
    (targets.folder / "written").write_text("x")


def make_folder(targets: Targets) -> None:
    (targets.folder / "made").mkdir()


def delete_file(targets: Targets) -> None:
    targets.victim.unlink()


def rename_file(targets: Targets) -> None:
    targets.secret.rename(targets.folder / "renamed")


def fork(_: Targets) -> None:
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)


def connect_tcp(targets: Targets) -> None:
    socket.create_connection(("127.0.0.1", targets.tcp_port), timeout=60).close()


def listen_tcp(_: Targets) -> None:
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        opened.listen()


def send_udp(targets: Targets) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as opened:
        opened.sendto(b"x", ("127.0.0.1", targets.udp_port))


def connect_local(targets: Targets) -> None:
    with socket.socket(socket.AF_UNIX) as opened:
        opened.connect(str(targets.local_socket))


def connect_abstract(targets: Targets) -> None:
    with socket.socket(socket.AF_UNIX) as opened:
        opened.connect(targets.abstract_name)


def trace_parent(targets: Targets) -> bool:
    if _LIBC.ptrace(PTRACE_SEIZE, targets.parent, None, None) != 0:
        return False
    _LIBC.ptrace(PTRACE_DETACH, targets.parent, None, None)
    return True


def open_memory(targets: Targets) -> bool:
    with Path(f"/proc/{targets.parent}/mem").open("rb") as memory:
        memory.seek(targets.parents_secret_at)
        return memory.read(len(targets.parents_secret)) == targets.parents_secret


def read_environment(targets: Targets) -> bool:
    return Path(f"/proc/{targets.parent}/environ").read_bytes() != b""


class _Span(ctypes.Structure):
    _fields_ = (("base", ctypes.c_void_p), ("length", ctypes.c_size_t))


def read_memory_of(pid: int, address: int, length: int) -> bytes:
    found = ctypes.create_string_buffer(length)
    here, there = _Span(ctypes.addressof(found), length), _Span(address, length)
    got = _LIBC.process_vm_readv(pid, ctypes.byref(here), 1, ctypes.byref(there), 1, 0)
    return found.raw if got == length else b""


def read_parents_memory(targets: Targets) -> bool:
    return read_memory_of(targets.parent, targets.parents_secret_at, len(targets.parents_secret)) != b""


def signal_parent(targets: Targets) -> None:
    os.kill(targets.parent, 0)


def signal_sibling(targets: Targets) -> None:
    os.kill(targets.sibling, 0)


def kill_by_readiness(targets: Targets) -> None:
    """The kernel sends a signal to the owner of a pipe that becomes readable."""
    reader, writer = os.pipe()
    fcntl.fcntl(reader, fcntl.F_SETOWN, targets.sibling)
    fcntl.fcntl(reader, fcntl.F_SETSIG, signal.SIGKILL)
    fcntl.fcntl(reader, fcntl.F_SETFL, os.O_ASYNC)
    os.write(writer, b"x")


def limit_parent(targets: Targets) -> None:
    resource.prlimit(
        targets.parent, resource.RLIMIT_CORE, (0, resource.prlimit(targets.parent, resource.RLIMIT_CORE)[1])
    )


def raise_limits(_: Targets) -> bool:
    with suppress(ValueError):  # how Python reports EPERM
        resource.setrlimit(resource.RLIMIT_CORE, (1, 1))
        return True
    return False


def find_secret_variable(_: Targets) -> bool:
    block = b"".join(_block_of_environment())
    return "s3cret" in str(dict(os.environ)) or b"s3cret" in block


def _block_of_environment() -> list[bytes]:
    with suppress(OSError):
        return [Path("/proc/self/environ").read_bytes()]
    return []


def use_inherited_file(_: Targets) -> bool:
    """Use an inherited file. The child has one of its own, the pipe to its parent."""
    return len([descriptor for descriptor in range(256) if leads_to_another(descriptor)]) > 1


def leads_to_another(descriptor: int) -> bool:
    try:
        is_writable = fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_ACCMODE != os.O_RDONLY
    except OSError:
        return False
    return is_writable and not stat.S_ISCHR(mode_of(descriptor))


def mode_of(descriptor: int) -> int:
    """Return the mode from `fstat`, which a decoder may call; the C library uses another call."""
    if os.uname().machine != "x86_64":
        return os.fstat(descriptor).st_mode
    found = ctypes.create_string_buffer(144)
    _LIBC.syscall(FSTAT, descriptor, found)
    return int.from_bytes(found.raw[24:28], "little")


def call(number: int, *arguments: object) -> bool:
    return int(_LIBC.syscall(number, *arguments)) >= 0


def use_keyring(_: Targets) -> bool:
    return call(KEYCTL, JOIN_SESSION_KEYRING, None)


def use_io_uring(_: Targets) -> bool:
    return call(IO_URING_SETUP, 1, ctypes.create_string_buffer(120))


def watch_performance(_: Targets) -> bool:
    return call(PERF_EVENT_OPEN, ctypes.create_string_buffer(128), 0, -1, -1, 0)


def open_parent(targets: Targets) -> bool:
    return call(PIDFD_OPEN, targets.parent, 0)


def load_program_into_kernel(_: Targets) -> bool:
    return call(BPF, 0, ctypes.create_string_buffer(128), 128)


def become_root_elsewhere(_: Targets) -> bool:
    return call(UNSHARE, 0x1000_0000)


def run_from_memory(_: Targets) -> bool:
    """Run a file in memory. It is empty, so an allowed call fails with another error."""
    if (descriptor := int(_LIBC.memfd_create(b"program", 0))) < 0:
        return False
    call(EXECVEAT, descriptor, b"", None, None, AT_EMPTY_PATH)
    return ctypes.get_errno() != errno.EPERM


def move_parent(targets: Targets) -> bool:
    allowed = (ctypes.c_ulong * 16)()
    if _LIBC.sched_getaffinity(targets.parent, ctypes.sizeof(allowed), allowed) < 0:
        os.sched_setaffinity(targets.parent, range(64))
        return True
    return int(_LIBC.sched_setaffinity(targets.parent, ctypes.sizeof(allowed), allowed)) >= 0


#: Only x86-64 has these numbers; on other processors they are omitted.
_BY_NUMBER = {
    "keyring": use_keyring,
    "io_uring": use_io_uring,
    "perf_event_open": watch_performance,
    "pidfd_open": open_parent,
    "bpf": load_program_into_kernel,
    "unshare": become_root_elsewhere,
    "run from memory": run_from_memory,
    "processors of the parent": move_parent,
}
ATTACKS: dict[str, Callable[[Targets], object]] = {
    "read secret": read_secret,
    "list root": list_root,
    "write file": write_file,
    "make folder": make_folder,
    "rename file": rename_file,
    "delete file": delete_file,
    "fork": fork,
    "tcp": connect_tcp,
    "listen": listen_tcp,
    "udp": send_udp,
    "local socket": connect_local,
    "abstract socket": connect_abstract,
    "ptrace": trace_parent,
    "memory file": open_memory,
    "environment of the parent": read_environment,
    "memory": read_parents_memory,
    "signal parent": signal_parent,
    "signal sibling": signal_sibling,
    "limit parent": limit_parent,
    "raise limits": raise_limits,
    "own environment": find_secret_variable,
    "inherited file": use_inherited_file,
    **(_BY_NUMBER if os.uname().machine == "x86_64" else {}),
    "kill by readiness": kill_by_readiness,
}
