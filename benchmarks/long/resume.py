"""Work that is done again after a command was killed with SIGKILL and repeated, several times in one recording."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen
from tempfile import TemporaryDirectory

import psutil

from benchmarks.long.ledger import Ledger, Passage, total_sec
from benchmarks.long.subject import Subject
from benchmarks.report import Figure

CPU_PER_AUDIO_SEC = 0.02  #: for the scripted engine; a kill is also measured where the engine is fast
KILLS = 4
LOOK_SEC, GONE_SEC = 0.02, 30.0
SEED = 1


@dataclass(frozen=True, slots=True)
class Kill:
    """What was known when the command was killed, and the windows of the command after it."""

    begun: set[Passage]
    ended: set[Passage]
    after: set[Passage]

    @property
    def again_sec(self) -> float:
        """Seconds of speech that had been recognized, or were being recognized, and were given to an engine again."""
        return total_sec(self.begun & self.after)

    @property
    def ended_again_sec(self) -> float:
        """The part of it that had been recognized."""
        return total_sec(self.ended & self.after)


def measure(subject: Subject) -> list[Figure]:
    with TemporaryDirectory() as folder_name:
        folder = Path(folder_name)
        recording = subject.write_recording(folder / "in", 60 * subject.minutes)
        whole, killed = (
            _Attempts(subject, recording, folder / "whole"),
            _Attempts(subject, recording, folder / "killed"),
        )
        whole.run_to_end()
        windows = whole.begun
        draw = random.Random(SEED)  # noqa: S311 - the same moments in each run
        for part in sorted(draw.uniform(0.05, 0.95) for _ in range(KILLS)):
            killed.run_and_kill(at_sec=part * total_sec(windows))
        killed.run_to_end()
        is_same = whole.transcript.read_bytes() == killed.transcript.read_bytes()
        return [
            Figure("speech in the recording", f"{total_sec(windows):.0f} s of {60 * subject.minutes:.0f} s"),
            *_figures(_kills(killed.ledgers)),
            Figure("speech never given to an engine", f"{total_sec(windows - killed.begun):.0f} s", "0 s"),
            Figure("same transcript as without the kills", "yes" if is_same else "no", "yes"),
        ]


def _figures(kills: Sequence[Kill]) -> list[Figure]:
    worst = max(kills, key=lambda kill: kill.again_sec)
    mean_sec = sum(kill.again_sec for kill in kills) / len(kills)
    return [
        Figure(f"speech done again after a kill, most of {len(kills)}", f"{worst.again_sec:.0f} s", "at most 300 s"),
        Figure("of it recognized completely before the kill", f"{worst.ended_again_sec:.0f} s"),
        Figure("speech done again after a kill, mean", f"{mean_sec:.0f} s"),
    ]


@dataclass(slots=True)
class _Attempts:
    """The same command several times, each with its own ledger."""

    subject: Subject
    recording: Path
    folder: Path
    count: int = 0

    @property
    def transcript(self) -> Path:
        return self.folder / "out.json"

    @property
    def ledgers(self) -> list[Ledger]:
        return [Ledger(self.folder / f"ledger-{number}") for number in range(self.count)]

    @property
    def begun(self) -> set[Passage]:
        return _union([ledger.begun() for ledger in self.ledgers])

    def run_to_end(self) -> None:
        self.subject.run(self._command(), self.folder / "log.txt")

    def run_and_kill(self, at_sec: float) -> None:
        """Kill the command when all attempts together have recognized this many seconds of speech."""
        with self.subject.started(self._command(), self.folder / "log.txt") as process:
            while total_sec(_union([ledger.ended() for ledger in self.ledgers])) < at_sec:
                assert process.poll() is None, "the command ended before it was killed"
                time.sleep(LOOK_SEC)
            _kill(process)

    def _command(self) -> list[str]:
        self.folder.mkdir(exist_ok=True)
        self.count += 1
        arguments = self.subject.transcribe(self.recording, self.transcript, self.folder / "data")
        return self.subject.on_record(self.ledgers[-1].path, CPU_PER_AUDIO_SEC, arguments)


def _kill(process: Popen[bytes]) -> None:
    """Kill the command and wait for the end of its children, which notice it themselves."""
    family = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    _, alive = psutil.wait_procs(family, timeout=GONE_SEC)
    assert not alive, "processes of a killed command still run"


def _kills(ledgers: Sequence[Ledger]) -> list[Kill]:
    found = []
    for number in range(1, len(ledgers)):
        before = ledgers[:number]
        begun, ended = _union([each.begun() for each in before]), _union([each.ended() for each in before])
        found.append(Kill(begun, ended, ledgers[number].begun()))
    return found


def _union(sets: Sequence[set[Passage]]) -> set[Passage]:
    return set().union(*sets)
