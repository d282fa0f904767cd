"""What the same recordings cost in CPU time, wall time and memory: whole commands, with their start and the model's."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import av

from benchmarks.recordings import CORPUS, write_long_recording, write_short_recordings
from benchmarks.speech import bare, rival
from benchmarks.speech.contenders import COMPUTE_TYPE, Model
from benchmarks.speech.metered import best, run_metered
from benchmarks.speech.progress import tell
from benchmarks.speech.recordings import has_corpus
from benchmarks.speech.results import Cost, Workload

ROUNDS = 2
FLOW, BATCHED, FILE_BY_FILE, RIVAL = (
    "batchscribe transcribe",
    "faster-whisper, batched",
    "faster-whisper, file by file",
    "whisper-ctranslate2 --batched True",
)
LONG, SHORT, SENTENCES = "one recording of 8 minutes", "100 recordings of 5 s", "21 recordings of about 7 s"
CONTENDERS = {LONG: (FLOW, BATCHED, RIVAL), SHORT: (FLOW, FILE_BY_FILE), SENTENCES: (FLOW, RIVAL)}
#: Without the corpus, they are cut from the long example.
LONG_SEC, SENTENCE_SEC = 480.0, 7.0
SHORT_FILES, SENTENCE_FILES = 100, 21

Run = Callable[[Sequence[Path], Path], Cost]


@dataclass(frozen=True, slots=True)
class Goal:
    """The flow should need at most `most` times as much as the other contender."""

    workload: str
    field: str  #: of `Cost`
    against: str
    most: float


GOALS = (
    Goal(LONG, "cpu_sec", BATCHED, 1.05),
    Goal(SHORT, "cpu_sec", FILE_BY_FILE, 1.05),
    Goal(SENTENCES, "wall_sec", RIVAL, 0.7),
    Goal(LONG, "wall_sec", RIVAL, 0.8),
)


def measure_cost(model: Model) -> tuple[Workload, ...]:
    with TemporaryDirectory() as name:
        folder = Path(name)
        runs = _runs(model)
        return tuple(_measure(workload, paths, runs, folder) for workload, paths in _recordings(folder).items())


def _measure(workload: str, paths: Sequence[Path], runs: dict[str, Run], folder: Path) -> Workload:
    """Measure the contenders in turns, so that a busy time of the machine affects all of them."""
    costs: dict[str, list[Cost]] = {name: [] for name in CONTENDERS[workload]}
    for number in range(ROUNDS):
        for name, measured in costs.items():
            tell(f"{workload}, {name}, round {number + 1} of {ROUNDS}")
            with TemporaryDirectory(dir=folder) as output:
                measured.append(runs[name](paths, Path(output)))
    return Workload(workload, sum(map(_duration_sec, paths)), {name: best(some) for name, some in costs.items()})


def _runs(model: Model) -> dict[str, Run]:
    assert model.folder is not None
    folder, program = model.folder, rival.installed()
    environment = {f"BATCHSCRIBE_{name.upper()}": value for name, value in model.settings.items()}

    def flow(paths: Sequence[Path], output: Path) -> Cost:
        command = [sys.executable, "-m", "batchscribe", "transcribe", "--engine", model.engine, "--language", "en-US"]
        data = {"BATCHSCRIBE_DATA_DIR": f"{output / 'data'}"}
        return run_metered([*command, "--output", f"{output / 'out'}/", *map(str, paths)], environment | data)

    def bare_engine(paths: Sequence[Path], output: Path, *, is_batched: bool) -> Cost:
        items = tuple(bare.Item(f"{path}", "en") for path in paths)
        order = bare.Order(f"{folder}", COMPUTE_TYPE, items, is_batched=is_batched)
        return run_metered(bare.command(order, output / "bare"))

    def rival_command(paths: Sequence[Path], output: Path) -> Cost:
        cost = run_metered(rival.command(program, folder, paths, output))
        assert {path.stem for path in output.iterdir()} == {path.stem for path in paths}, "not all were transcribed"
        return cost

    return {
        FLOW: flow,
        BATCHED: lambda paths, output: bare_engine(paths, output, is_batched=True),
        FILE_BY_FILE: lambda paths, output: bare_engine(paths, output, is_batched=False),
        RIVAL: rival_command,
    }


def _recordings(folder: Path) -> dict[str, list[Path]]:
    """Return recordings; real ones if the corpus exists."""
    if has_corpus():
        long = CORPUS / "made-long" / "long_many_speakers_5min_plus.mp3"
        sentences = sorted((CORPUS / "ljspeech").glob("*.wav"))
    else:
        long = write_long_recording(folder / "long.wav", duration_sec=LONG_SEC)
        sentences = write_short_recordings(folder / "sentences", SENTENCE_FILES, duration_sec=SENTENCE_SEC)
    assert len(sentences) == SENTENCE_FILES
    return {LONG: [long], SHORT: write_short_recordings(folder / "short", SHORT_FILES), SENTENCES: sentences}


def _duration_sec(path: Path) -> float:
    with av.open(str(path)) as container:
        return float((container.duration or 0) / av.time_base)
