"""One recording on two cores against one: the whole command, with as many engine processes as it has cores."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.long.subject import Subject
from benchmarks.machine import cores
from benchmarks.report import Figure

#: About what the Whisper model `base` needs, for the scripted engine.
CPU_PER_AUDIO_SEC = 0.08


def measure(subject: Subject) -> list[Figure]:
    if len(cores()) < 2:
        return [Figure("two cores : one", "not measured: this process has one core")]
    one_sec, two_sec = (_wall_sec(subject, on_cores) for on_cores in (1, 2))
    length = f"{subject.minutes:g} min"
    return [
        Figure(f"{length} of audio on one core, wall time of the command", f"{one_sec:.1f} s"),
        Figure(f"{length} of audio on two cores", f"{two_sec:.1f} s"),
        Figure("two cores : one", f"{one_sec / two_sec:.2f}", "at least 1.80"),
    ]


def _wall_sec(subject: Subject, on_cores: int) -> float:
    with TemporaryDirectory() as name:
        folder = Path(name)
        recording = subject.write_recording(folder / "in", 60 * subject.minutes)
        arguments = subject.transcribe(recording, folder / "out.json", folder / "data")
        command = subject.on_record(folder / "ledger", CPU_PER_AUDIO_SEC, arguments)
        return subject.run(command, folder / "log.txt", on_cores=on_cores)
