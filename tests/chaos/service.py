"""A process under test and its service manager, which restarts it when it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence, Set
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from tests.chaos.ledger import Ledger
from tests.chaos.machine import Machine

ROOT = Path(__file__).resolve().parents[2]
RESTART_SEC = 0.3  #: between the end of a process and its next start
LOOK_SEC = 0.05
END_SEC = 30.0
LAST_SEC = 5.0  #: for children to notice that their parent has ended
ENGINE, DECODER, FORK_SERVER = "engine", "decoder", "forkserver"  #: kinds of child processes


@dataclass(slots=True)
class Service:
    """One service. Thread-safe, except `start` and `look`, which only the manager calls."""

    name: str
    words: Sequence[str]
    environment: dict[str, str]
    log: Path
    ledger: Ledger
    machine: Machine
    process: subprocess.Popen[bytes] | None = None
    starts: int = 0
    _ended_at: float | None = None

    @property
    def pid(self) -> int | None:
        """The process ID; None if it is not running."""
        process = self.process
        return None if process is None or process.returncode is not None else process.pid

    @property
    def is_worker(self) -> bool:
        return self.words[0] == "worker" or "--no-worker" not in self.words

    @property
    def is_api(self) -> bool:
        return self.words[0] == "serve"

    def start(self) -> None:
        line = [sys.executable, "-m", "tests.chaos.victim", *self.words]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                line,
                cwd=ROOT,
                env=self.environment | self.machine.environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.starts += 1
        self._ended_at = None
        self.ledger.note("begin", name=self.name, target=self.process.pid)

    def look(self) -> None:
        """Restart the process some time after it has ended."""
        if self.process is None or self.process.poll() is None:
            return
        if self._ended_at is None:
            self._ended_at = time.monotonic()
            self.ledger.note("end", name=self.name, target=self.process.pid, status=self.process.returncode)
        elif time.monotonic() - self._ended_at > RESTART_SEC:
            self.start()

    def signal(self, number: signal.Signals) -> int | None:
        """Send a signal. Return the process ID; None if it is not running."""
        pid = self.pid
        if pid is not None and self.process is not None:
            self.process.send_signal(number)
        return pid


@dataclass(slots=True)
class Manager:
    """A service manager that keeps services running until the end of the run."""

    services: list[Service] = field(default_factory=list)
    _over: threading.Event = field(default_factory=threading.Event)

    def watch(self) -> None:
        while not self._over.wait(LOOK_SEC):
            for service in self.services:
                service.look()

    def end(self) -> None:
        """End all services with SIGTERM, then with SIGKILL."""
        self._over.set()
        for service in self.services:
            service.signal(signal.SIGCONT)
            service.signal(signal.SIGTERM)
        deadline = time.monotonic() + END_SEC
        for service in self.services:
            if service.process is not None:
                try:
                    service.process.wait(max(0.1, deadline - time.monotonic()))
                except subprocess.TimeoutExpired:
                    service.process.kill()
                    service.process.wait()
                    service.ledger.note("end", name=service.name, target=service.process.pid, status="hung")


@contextmanager
def managed(services: Sequence[Service]) -> Iterator[Manager]:
    manager = Manager(list(services))
    for service in services:
        service.start()
    thread = threading.Thread(target=manager.watch, daemon=True)
    thread.start()
    try:
        yield manager
    finally:
        manager.end()
        thread.join()


def processes_of(ledger: Ledger) -> list[psutil.Process]:
    """Return the live services of a run, and all processes of their sessions."""
    return _in_sessions({entry.facts["target"] for entry in ledger.entries("begin")})


def session_of(pid: int | None) -> list[psutil.Process]:
    """Return a service, if it is alive, and all processes that it started."""
    return _in_sessions({pid})


def _in_sessions(sessions: Set[int | None]) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        with suppress(ProcessLookupError, PermissionError):
            if os.getsid(process.pid) in sessions:
                found.append(process)
    return found


def children_of(ledger: Ledger, kind: str) -> list[psutil.Process]:
    """Return the children of a kind. Engines and decoders whose fork server was killed continue without a parent."""
    return [process for process in processes_of(ledger) if kind_of(process) == kind]


def kind_of(process: psutil.Process) -> str | None:
    """Return the kind; None for a service. A fork server's children look like it; only engines may write files."""
    try:
        if "forkserver" not in " ".join(process.cmdline()):
            return None
        parent = process.parent()
        if parent is not None and "tests.chaos.victim" in parent.cmdline():
            return FORK_SERVER
        soft, _hard = process.rlimit(psutil.RLIMIT_FSIZE)
    except psutil.NoSuchProcess:
        return None
    return DECODER if soft == 0 else ENGINE


def left_behind(ledger: Ledger) -> list[str]:
    """Describe the processes of a run that are still alive some time after it."""
    _, alive = psutil.wait_procs(processes_of(ledger), timeout=LAST_SEC)
    return [str(process) for process in alive if process.status() != psutil.STATUS_ZOMBIE]
