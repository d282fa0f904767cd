"""`docs/architecture.md` against the source: its modules, layers, files, kinds of tasks and numbers."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from itertools import product
from math import log10
from pathlib import Path

import pytest

from batchscribe.audio.speech_spans import VoiceOptions
from batchscribe.queue.flow import LIMITS
from batchscribe.queue.tasks import QUEUES, QueueKind
from batchscribe.settings import Settings
from tests.documents import DOCUMENTS, ROOT, code_blocks
from tests.unit.test_structure import FILES, imports

ARCHITECTURE = ROOT / "docs" / "architecture.md"
TEXT = " ".join(ARCHITECTURE.read_text().split())
SOURCE = ROOT / "src" / "batchscribe"


# Modules and layers


def modules() -> set[str]:
    """The packages and modules directly below `batchscribe`."""
    packages = {path.parent.name for path in SOURCE.glob("*/__init__.py")}
    return packages | {path.stem for path in SOURCE.glob("*.py") if not path.stem.startswith("__")}


@cache
def imported_modules() -> dict[str, set[str]]:
    """Each module directly below `batchscribe` with those that it imports."""
    found: dict[str, set[str]] = {module: set() for module in modules()}
    for importer, imported in imports().items():
        own = importer.split(".")[1:2]
        if own and own[0] in found:
            found[own[0]] |= {name.split(".")[1] for name in imported if "." in name} - {own[0]}
    return found


@cache
def reachable(module: str) -> frozenset[str]:
    direct = imported_modules()[module]
    return frozenset(direct).union(*(reachable(each) for each in direct))


def diagram() -> Iterator[tuple[str, str]]:
    (block,) = code_blocks(ARCHITECTURE, "mermaid")
    for line in block.partition("subgraph")[0].splitlines():
        importers, arrow, imported = line.partition(" --> ")
        if arrow:
            yield from product(importers.replace(" ", "").split("&"), imported.replace(" ", "").split("&"))


def test_the_table_lists_exactly_the_modules_that_exist() -> None:
    rows = re.findall(r"^\| `(\w+)` \|", ARCHITECTURE.read_text(), re.MULTILINE)
    assert sorted(rows) == sorted(modules())


def test_the_layers_that_are_checked_have_every_module() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    (layers,) = [each["layers"] for each in settings["tool"]["importlinter"]["contracts"] if each["type"] == "layers"]
    assert sorted(re.findall(r"batchscribe\.(\w+)", " ".join(layers))) == sorted(modules())


def test_the_diagram_shows_the_imports_without_those_that_others_imply() -> None:
    wanted = {
        (importer, each)
        for importer, direct in imported_modules().items()
        for each in direct
        if not any(each in reachable(other) for other in direct)
    }
    assert set(diagram()) == wanted


def test_only_the_queue_uses_dbos() -> None:
    users = {
        path.parent.name for path in FILES if re.search(r"^\s*(?:import|from) dbos\b", path.read_text(), re.MULTILINE)
    }
    assert users == {"queue"}


# What is named


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_file_that_a_document_names_exists(document: Path) -> None:
    """`CONTRIBUTING.md` also names files to be written, with a word in capitals."""
    folders = {path.name for place in (SOURCE, ROOT) for path in place.iterdir() if path.is_dir()}
    named = set(re.findall(r"`((\w+)/[\w./-]+\.\w+)`", document.read_text()))
    own = {name for name, folder in named if folder in folders and not re.search("[A-Z]{4}", name)}
    assert [name for name in sorted(own) if not (SOURCE / name).exists() and not (ROOT / name).exists()] == []


def test_every_file_and_module_in_the_blocks_exists() -> None:
    blocks = "".join(code_blocks(ARCHITECTURE, ""))
    assert set(re.findall(r"\b(\w+)/(?=[ ,]|$)", blocks)) <= modules()
    assert set(re.findall(r"^ *(\w+)\.\w+ ", blocks, re.MULTILINE)) <= modules()


def test_the_block_of_tasks_has_every_kind_of_task() -> None:
    (block,) = [each for each in code_blocks(ARCHITECTURE, "") if each.startswith("submit ")]
    kinds = {line[:12].strip().replace(" ", "_") for line in block.splitlines() if not line.startswith(" ")}
    assert kinds == {*QUEUES, "submit"}


# Numbers: `{}` stands for a number, in digits or as a word, that follows from the source.

WORDS = {
    "half": 0.5, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "eight": 8, "ten": 10,
    "tenth": 10, "twice": 2,
    "second": 1, "minute": 60, "half a minute": 30, "half a second": 0.5, "millisecond": 0.001, "day": 86_400,
}  # fmt: skip


def source(name: str) -> float:
    """A constant by its path below `batchscribe`, or an element of one: `stages.shard.PAUSES_SEC[0]`."""
    path, _, index = name.rstrip("]").partition("[")
    module, _, constant = path.rpartition(".")
    value = vars(import_module(f"batchscribe.{module}"))[constant]
    return float(value[int(index)] if index else value)


def default(setting: str) -> float:
    return float(Settings.model_fields[setting].default)


NUMBERS = [
    ("every {} s: renews the row", default("heartbeat_sec")),
    ("silent for {} s; requeues", default("silent_sec")),
    ("Ended tasks are deleted once a {}.", source("queue.flow.SWEPT_AFTER_SEC")),
    ("There are {} threads per engine process", source("worker.worker.FILES_PER_ENGINE")),
    ("{} per tenant and 32 in total", source("api.service.PER_TENANT")),
    ("four per tenant and {} in total", source("api.service.IN_ALL")),
    ("{} per tenant, and in total two that read a body", source("api.turns.PER_TENANT")),
    ("two per tenant, and in total {} that read a body", source("api.turns.BODIES")),
    ("switches threads every {} instead", source("cli.process.lifecycle.SWITCH_SEC")),
    ("{} of the descriptors are for connections", 1 / source("api.connections.SHARE")),
    ("`DELETE` waits at most {} s", source("api.job_routes.SETTLE_SEC")),
    ("An enumeration yields after {} s", source("stages.enumerate_files.TURN_SEC")),
    ("A process takes {} as many shards as one tenant may have in it", source("queue.flow.TENANTS_AT_ONCE")),
    ("{} times a second one statement checks", 1 / source("queue.dispatcher.LOOK_SEC")),
    ("also polls {} s after a task ends", source("queue.dispatcher.SETTLE_SEC")),
    ("starts or ends here, or after a {}.", source("queue.dispatcher.FULL_SEC")),
    ("ends a transaction that is idle for {} s", source("database.connect.IDLE_SEC")),
    ("a garbage collection a {} later", source("worker.open_jobs.COLLECT_SEC")),
    ("A file is retried after {}, 4 and 16 s", source("stages.shard.PAUSES_SEC[0]")),
    ("A file is retried after 1, {} and 16 s", source("stages.shard.PAUSES_SEC[1]")),
    ("A file is retried after 1, 4 and {} s", source("stages.shard.PAUSES_SEC[2]")),
    ("16 s and then every {}, with at most", source("stages.shard.PAUSES_SEC[3]")),
    ("A shard is at most {} files", source("jobs.sharding.MAX_FILES")),
    ("64 files or about a {} of work", source("jobs.sharding.MAX_WORK_SEC")),
    ("each of the first {} files has its own shard", source("jobs.sharding.UNKNOWN_SHARDS")),
    ("after that, up to {} share one", source("jobs.sharding.MAX_UNKNOWN")),
    ("Now a decoder asks {} a second", 1 / source("audio.decoder_child.BEAT_SEC")),
    ("checkpointed every {} pages", source("database.connect.CHECKPOINT_PAGES")),
    ("Only the first {} KiB and the end", source("stages.existing_output.END_BYTES") / 2**10),
    ("new processes decode {} of generated sound", source("audio.decoder_trial.DURATION_SEC")),
    ("Trials are repeated after {} s", source("worker.machine_health.FIRST_PAUSE_SEC")),
    ("pauses that double up to {} s", source("worker.machine_health.LONGEST_PAUSE_SEC")),
    ("becomes unfit later for {} s", source("cli.local_job.UNFIT_SEC")),
    ("A file may crash its worker {} times", default("max_attempts")),
    ("On the command line the limit is {}, because", source("cli.local_job.MAX_DEATHS")),
    ("is retried every {} seconds", source("database.connect.RETRY_SEC")),
    ("with at most {} range reads", source("audio.wav_chunks.MAX_CHUNKS")),
    ("estimated from the {} frames on each side", source("audio.mp3_walk.NEIGHBOURS")),
    ("So up to {} blocks of such a file", source("audio.loudness._LOOKS")),
    ("the one that {} % of the samples exceed, so a click", 100 * source("audio.loudness._CLICKS_SHARE")),
    ("If more than {} % of a second is above", 100 * source("audio.loudness._LOUD_SHARE")),
    ("the level that {} % of its samples exceed", 100 * source("audio.loudness._CLIPPED_SHARE")),
    ("a fifth of the last {} s had", source("audio.loudness._MEMORY_BLOCKS")),
    ("overlaps of up to {} are cut", source("audio.timeline.MAX_OVERLAP_SEC")),
    ("Up to {} s counts as rounding", source("audio.timeline.TOLERANCE_SEC")),
    ("once it has lasted {} s", source("audio.timeline.LASTING_SEC")),
    ("If more than {} packets in a row", source("audio.timeline._MAX_GAPS_IN_ROW")),
    ("again from the next track, up to {} times", source("audio.track_choice.MAX_TRIED")),
    ("less than {} % of their total energy", 100 * source("audio.cancellation._CANCELED_SHARE")),
    ("total energy over {}, the", source("audio.cancellation.STRETCH_SEC")),
    ("compared, {} to 4,000 Hz", source("audio.cancellation._SPEECH_HZ[0]")),
    ("compared, 250 to {} Hz", source("audio.cancellation._SPEECH_HZ[1]")),
    ("Whisper takes up to {} in one call", source("speech.whisper.CPU_BATCH")),
    ("in one call, or {} on a GPU", source("speech.whisper.CUDA_BATCH")),
    ("packed into windows of up to {} s", source("speech.engine.WINDOW_SEC")),
    ("Pauses of up to {} s stay inside", source("audio.packing.MAX_PAUSE_SEC")),
    ("of more than {} s between padded stretches", source("audio.packing.SHORT_PAUSE_SEC")),
    ("at pauses of a {}, at sentence ends", source("transcript.sentences.PAUSE_SEC")),
    ("never more than {} s after it", source("transcript.cue_times.MAX_SHIFT_MS") / 1000),
    ("if for a {} it uses no CPU", source("speech.engine_thread.IDLE_LIMIT_SEC")),
    ("The parent checks once a {}, and", source("children.watchdog.LOOK_SEC")),
    ("the first {} at first", source("stages.recognize.VOTERS")),
    ("and every {} vote as well", source("stages.recognize.ASK_EVERY")),
    ("Speech is padded by {} s", VoiceOptions().pad_sec),
    ("voice detector's threshold is {}, and", VoiceOptions().threshold),
    ("gain of at most {} dB", 20 * log10(source("audio.loudness.MAX_GAIN"))),
    ("receiver hangs has at most {} attempts", LIMITS[QueueKind.WEBHOOKS].of_tenant),
    ("a scrape waits {} s", source("worker.gauges.ANSWER_SEC")),
]  # fmt: skip


@pytest.mark.parametrize(("phrase", "value"), NUMBERS, ids=[phrase for phrase, _ in NUMBERS])
def test_every_number_is_that_of_the_source(phrase: str, value: float) -> None:
    """If not, correct the document, or the phrase here if the sentence has changed."""
    before, after = map(re.escape, phrase.split("{}"))
    found = re.search(f"{before}([\\d.,]*\\d|[A-Za-z][a-z ]*?){after}", TEXT)
    assert found, f"docs/architecture.md does not say: {phrase}"
    text = found[1].lower()
    number = WORDS[text] if text in WORDS else float(text.replace(",", ""))
    assert number == pytest.approx(value)
