"""`python -W error -m batchscribe` without the second of CPU time in which a new Python imports all packages.

`Preloaded` keeps one process that has imported what commands need. For each command, it forks. The fork takes the
arguments, folder, environment and outputs of the command, then runs the main module as `-m` does. So it is a process of
its own, and it ends like one. Modules of the tests that need the same packages run in the same way. Tests of start-up
and of imports start a new Python instead.
"""

from __future__ import annotations

import atexit
import functools
import gc
import importlib
import json
import os
import pkgutil
import runpy
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Self

from tests.untraced import leave_out_fork_servers, untraced_environment

ROOT = Path(__file__).resolve().parents[1]
#: They import all that commands need in their own process. Decoders and engines run in others, which are new.
PACKAGES = ("batchscribe.cli", "batchscribe.api", "batchscribe.doctor", "batchscribe.intake", "batchscribe.worker")
COMMAND = "batchscribe"
MOST_BYTES = 200_000  #: of a request
OUTPUTS = (0, 1, 2)
LOOK_SEC = 0.01
FOREVER_SEC = 300.0  #: longer than the time limit of a test


@dataclass(slots=True)
class RunningCommand:
    """A command that was forked, with the part of the interface of `subprocess.Popen` that tests need."""

    pid: int
    _end: socket.socket = field(repr=False)
    returncode: int | None = None

    def poll(self) -> int | None:
        if self.returncode is None:
            self._end.setblocking(False)
            try:
                self.returncode = int(self._end.recv(100))
            except BlockingIOError:
                return None
            self._end.close()
        return self.returncode

    def wait(self, timeout: float) -> int:
        deadline = time.monotonic() + timeout
        while (status := self.poll()) is None:
            if time.monotonic() > deadline:
                raise subprocess.TimeoutExpired(f"command {self.pid}", timeout)
            time.sleep(LOOK_SEC)
        return status

    def send_signal(self, number: signal.Signals) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


class Preloaded:
    """The process that forks commands. It ends when its parent does."""

    def __init__(self) -> None:
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        line = [sys.executable, "-W", "error", "-m", "tests.preloaded", str(theirs.fileno())]
        # A fork must have no other threads.
        environment = os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
        self._process = subprocess.Popen(line, cwd=ROOT, env=environment, pass_fds=[theirs.fileno()])
        theirs.close()

    def start(
        self,
        words: Sequence[str],
        *,
        folder: Path,
        environment: Mapping[str, str],
        out: IO[Any],
        err: IO[Any],
        module: str = COMMAND,
    ) -> RunningCommand:
        request = {"module": module, "words": list(words), "folder": str(folder), "environment": dict(environment)}
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs, open(os.devnull, "rb") as nothing:  # noqa: PTH123
            descriptors = [theirs.fileno(), nothing.fileno(), out.fileno(), err.fileno()]
            socket.send_fds(self._control, [json.dumps(request).encode()], descriptors)
        return RunningCommand(int(ours.recv(100)), ours)

    def end(self) -> None:
        self._control.close()
        self._process.wait()


class StartedCommand:
    """A forked command whose outputs are read through pipes: what tests need of `subprocess.Popen`, by its names."""

    def __init__(
        self, words: Sequence[str], *, folder: Path, environment: Mapping[str, str], module: str = COMMAND
    ) -> None:
        (out, its_out), (err, its_err) = os.pipe(), os.pipe()
        with open(its_out, "wb") as theirs, open(its_err, "wb") as their_errors:  # noqa: PTH123
            self._command = preloaded().start(
                words, folder=folder, environment=environment, out=theirs, err=their_errors, module=module
            )
        self.stdout: IO[str] | None = open(out, encoding="utf-8")  # noqa: PTH123, SIM115
        self.stderr: IO[str] | None = open(err, encoding="utf-8")  # noqa: PTH123, SIM115
        self.pid = self._command.pid

    @property
    def returncode(self) -> int | None:
        return self._command.returncode

    def poll(self) -> int | None:
        return self._command.poll()

    def wait(self, timeout: float = FOREVER_SEC) -> int:
        return self._command.wait(timeout)

    def send_signal(self, number: signal.Signals) -> None:
        self._command.send_signal(number)

    def kill(self) -> None:
        self._command.kill()

    def communicate(self, timeout: float = FOREVER_SEC) -> tuple[str, str]:
        """Read the outputs to their ends, and wait for the end of the command. An output that is None stays empty."""
        with ThreadPoolExecutor(2) as readers:
            outputs = [readers.submit(output.read) if output else None for output in (self.stdout, self.stderr)]
            self.wait(timeout)
            out, err = (output.result(timeout) if output else "" for output in outputs)
            return out, err

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.wait()
        for output in filter(None, (self.stdout, self.stderr)):
            output.close()


def victim(module: str, *words: str) -> StartedCommand:
    """Start a module of the tests that will be killed, so coverage is not measured in it."""
    return StartedCommand(words, folder=ROOT, environment=untraced_environment(), module=module)


@functools.cache
def preloaded() -> Preloaded:
    """One for each process of the tests."""
    made = Preloaded()
    atexit.register(made.end)
    return made


@dataclass(frozen=True, slots=True)
class _Command:
    module: str
    words: list[str]
    folder: str
    environment: dict[str, str]

    def run(self) -> None:
        os.chdir(self.folder)
        os.environ.clear()
        os.environ.update(self.environment)
        time.tzset()
        sys.path[0] = self.folder
        sys.argv = [self.module, *self.words]
        runpy.run_module(self.module, run_name="__main__", alter_sys=True)


def _preload() -> None:
    leave_out_fork_servers()
    for package in PACKAGES:
        folders = importlib.import_module(package).__path__
        for module in pkgutil.walk_packages(folders, f"{package}."):
            vars(importlib.import_module(module.name))  # loads it, if it is lazy
    gc.collect()
    gc.freeze()


def _serve(control: socket.socket) -> _Command | None:
    """Fork for each request. Returns the command in the fork, and None at the end of the parent."""
    with selectors.DefaultSelector() as selector:
        selector.register(control, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.fileobj is not control:
                    selector.unregister(key.fd)
                    _report_end(key.fd, *key.data)
                    continue
                message, descriptors, *_ = socket.recv_fds(control, MOST_BYTES, 4)
                if not message:
                    return None
                pid = os.fork()
                if not pid:
                    _take_over(descriptors, selector, control)
                    return _Command(**json.loads(message))
                end = _keep(descriptors)
                end.send(str(pid).encode())
                selector.register(os.pidfd_open(pid), selectors.EVENT_READ, (pid, end))


def _keep(descriptors: Sequence[int]) -> socket.socket:
    end, *others = descriptors
    for descriptor in others:
        os.close(descriptor)
    return socket.socket(fileno=end)


def _report_end(descriptor: int, pid: int, end: socket.socket) -> None:
    os.close(descriptor)
    _, status = os.waitpid(pid, 0)
    with end:
        end.send(str(os.waitstatus_to_exitcode(status)).encode())


def _take_over(descriptors: Sequence[int], selector: selectors.BaseSelector, control: socket.socket) -> None:
    """Use the outputs of the command, and close what belongs to the process that forks."""
    for key in list(selector.get_map().values()):
        if key.fileobj is not control:
            os.close(key.fd)
            key.data[1].close()
    control.close()
    end, *outputs = descriptors
    os.close(end)
    for target, descriptor in zip(OUTPUTS, outputs, strict=True):
        os.dup2(descriptor, target)
        os.close(descriptor)


if __name__ == "__main__":
    _preload()
    with socket.socket(fileno=int(sys.argv[1])) as control:
        command = _serve(control)
    if command is not None:
        command.run()
