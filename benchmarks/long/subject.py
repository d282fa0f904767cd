"""What is measured: the `batchscribe` command with an engine and a recording, as a user runs it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.machine import cores
from benchmarks.recordings import ROOT, write_long_mp3, write_long_recording
from benchmarks.speech.contenders import models_at_hand

#: Variables that would change what is measured.
NOT_PASSED_ON = ("OMP_", "BATCHSCRIBE_", "CT2_")


@dataclass(frozen=True, slots=True)
class Subject:
    """An engine with its model. `hours` and `minutes` are the lengths of the recordings; `form` is `mp3` or `wav`."""

    engine: str
    model: Path | None
    form: str
    hours: float
    minutes: float

    def write_recording(self, folder: Path, duration_sec: float) -> Path:
        """Write a recording that repeats five minutes of speech."""
        folder.mkdir(parents=True, exist_ok=True)
        write = write_long_mp3 if self.form == "mp3" else write_long_recording
        return write(folder / f"long.{self.form}", duration_sec=duration_sec)

    def transcribe(self, recording: Path, output: Path, data: Path) -> list[str]:
        """The arguments of a command that writes all that a transcript may have."""
        chosen = ["--engine", self.engine, "--language", "en-US", "--words"]
        return ["transcribe", *chosen, "--output", f"{output}", "--data-dir", f"{data}", f"{recording}"]

    def on_record(self, ledger: Path, cpu_per_audio_sec: float, arguments: Sequence[str]) -> list[str]:
        """A command for `started` with a ledger; a scripted engine uses this CPU time."""
        return ["-m", "benchmarks.long.command", f"{ledger}", f"{cpu_per_audio_sec}", *arguments]

    @contextmanager
    def started(
        self, command: Sequence[str], log: Path, *, on_cores: int | None = None, **settings: str
    ) -> Iterator[subprocess.Popen[bytes]]:
        """Start Python with `command`, on the first `on_cores` cores; kill it at the end of the block if it still runs.

        `settings` are further settings by their names. Its output is appended to `log`.
        """
        kept = {name: value for name, value in os.environ.items() if not name.startswith(NOT_PASSED_ON)}
        wanted = {"engine": self.engine} | ({"whisper_model": f"{self.model}"} if self.model else {}) | settings
        environment = kept | {f"BATCHSCRIBE_{name.upper()}": value for name, value in wanted.items()}
        with log.open("ab") as output, affinity(cores()[:on_cores]):
            process = subprocess.Popen(
                [sys.executable, *command], cwd=ROOT, env=environment, stdout=output, stderr=output
            )
        try:
            yield process
        finally:
            process.kill()
            process.wait()

    def run(self, command: Sequence[str], log: Path, *, on_cores: int | None = None) -> float:
        """Run Python with `command` to its end, which must be a success. Return the wall seconds."""
        began_at = time.monotonic()
        with self.started(command, log, on_cores=on_cores) as process:
            code = process.wait()
        assert code == 0, log.read_text(errors="replace")[-2000:]
        return time.monotonic() - began_at


def find_model(name: str) -> Path:
    """Return the folder of a Whisper model that is pulled, or kept for the tests."""
    found = {model.name: model.folder for model in models_at_hand()}.get(name)
    if found is None:
        sys.exit(f"There is no model {name} here; get it with `batchscribe models pull {name}`.")
    return found


@contextmanager
def affinity(allowed: Sequence[int]) -> Iterator[None]:
    """In the block, this thread and the processes that it starts may use only these cores."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, allowed)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
