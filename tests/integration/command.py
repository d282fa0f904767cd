"""The `batchscribe` command as a person runs it: a separate process in a separate folder."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import psutil

from tests.preloaded import StartedCommand, preloaded

#: Invents words immediately, also for noise.
QUICK = ("--engine", "scripted", "--segmentation", "none")
DATA = "data"
PAUSING = "tests.integration.pausing_command"
WORKERS = 2  #: on any machine, so that a job is slow
END_SEC = 60.0  #: for a command that was told to end: it needs 2 s, the rest is for a busy machine
HAPPENS_SEC = 60.0  #: for anything that happens at once on an idle machine


#: A running command; it is a new Python only for another release.
Started = subprocess.Popen[str] | StartedCommand


@dataclass(frozen=True, slots=True)
class Result:
    """How a command ended."""

    status: int
    out: str
    err: str

    def json(self) -> dict[str, Any]:
        body: dict[str, Any] = json.loads(self.out)
        return body

    @property
    def job_id(self) -> str:
        found = re.search(r"job_[0-9a-f]+", self.out + self.err)
        assert found, self
        return found[0]

    def counters(self) -> dict[str, str]:
        """The values of the summary by their names."""
        return dict(line.split(": ", 1) for line in self.out.splitlines() if re.match(r"[a-z]+: ", line))


@dataclass(frozen=True, slots=True)
class Command:
    """Runs commands in `folder`, with the data directory `data` in it."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)
    pauses_after: int | None = None  #: windows, if the engines of `started` commands pause

    def pausing(self, windows: int = 6) -> Command:
        """Return a command whose engines pause after this many windows, so that its job cannot end before a signal."""
        return replace(self, pauses_after=windows)

    def run(self, *words: str, within_sec: float = 60) -> Result:
        if "PYTHONPATH" not in self.environment:
            return run_preloaded(words, folder=self.folder, environment=self._environment(), within_sec=within_sec)
        done = subprocess.run(  # another release
            self._line(words), cwd=self.folder, env=self._environment(), capture_output=True, text=True,
            timeout=within_sec, check=False,
        )  # fmt: skip
        return Result(done.returncode, done.stdout, done.stderr)

    def transcribe(self, *words: str, within_sec: float = 60) -> Result:
        """Run `batchscribe transcribe` with the fast engine."""
        return self.run("transcribe", *words, *QUICK, within_sec=within_sec)

    def at_terminal(self, *words: str, typed: str = "") -> tuple[int, str]:
        """Run in a terminal of 100 columns, where a person types this text. Return the exit status and the output."""
        ours, its = pty.openpty()
        environment = self._environment() | {"COLUMNS": "100", "TERM": "xterm", "NO_COLOR": "1"}
        line = self._line(words)
        with subprocess.Popen(line, cwd=self.folder, env=environment, stdin=its, stdout=its, stderr=its) as process:
            os.close(its)
            os.write(ours, typed.encode())
            sent = b"".join(iter(lambda: read_terminal(ours), b""))
        os.close(ours)
        return process.returncode, sent.decode()

    def signaled(self, number: signal.Signals, *words: str, when: Callable[[], bool]) -> Result:
        """Send the signal as soon as `when` holds. The command and all its children must end soon."""
        with self.started(*words) as process:
            wait_until(when)
            family = psutil.Process(process.pid).children(recursive=True)
            process.send_signal(number)
            out, err = process.communicate(timeout=END_SEC)
        wait_until(lambda: all(has_ended(child) for child in family), within_sec=END_SEC)
        return Result(process.wait(), out, err)

    @contextmanager
    def started(self, *words: str) -> Iterator[Started]:
        with self._start(words) as process:
            try:
                yield process
            finally:
                process.kill()

    def _start(self, words: tuple[str, ...]) -> Started:
        environment = self._environment()
        if self.pauses_after is not None:
            paused = (str(self.pauses_after), *words)
            return StartedCommand(paused, folder=self.folder, environment=environment, module=PAUSING)
        if "PYTHONPATH" not in self.environment:
            return StartedCommand(words, folder=self.folder, environment=environment)
        return subprocess.Popen(  # another release
            self._line(words),
            cwd=self.folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def _line(self, words: tuple[str, ...]) -> list[str]:
        return [sys.executable, "-W", "error", "-m", "batchscribe", *words]

    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        own = {"BATCHSCRIBE_DATA_DIR": str(self.folder / DATA), "BATCHSCRIBE_ENGINE_PROCESSES": str(WORKERS)}
        return kept | own | self.environment


def run_preloaded(words: Sequence[str], *, folder: Path, environment: Mapping[str, str], within_sec: float) -> Result:
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = preloaded().start(words, folder=folder, environment=environment, out=out, err=err)
        try:
            status = process.wait(within_sec)
        finally:
            process.kill()
        out.seek(0)
        err.seek(0)
        return Result(status, out.read().decode(), err.read().decode())


def read_terminal(descriptor: int) -> bytes:
    """Read from a terminal. At the end, which a terminal reports as an error, the result is empty."""
    try:
        return os.read(descriptor, 65536)
    except OSError:
        return b""


def has_ended(process: psutil.Process) -> bool:
    """Return whether a process is gone, or a zombie because its parent has not asked for its status."""
    try:
        return not process.is_running() or bool(process.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def wait_until_equal(read: Callable[[], object], expected: object) -> None:
    """Wait for a value that another process or thread sets. If it stays different, the error shows it."""
    deadline = time.monotonic() + HAPPENS_SEC
    while (found := read()) != expected:
        assert time.monotonic() < deadline, f"{found!r} instead of {expected!r}"
        time.sleep(0.01)


def wait_until(holds: Callable[[], bool], within_sec: float = HAPPENS_SEC) -> None:
    deadline = time.monotonic() + within_sec
    while not holds():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)
