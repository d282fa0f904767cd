"""`make bench-speakers`: all parts, or those named: `python -m benchmarks.speakers untouched cost`."""

from __future__ import annotations

import argparse
import logging
import time
from collections.abc import Callable, Iterable

import structlog

from batchscribe.speakers.speaker_count import SpeakerCount
from batchscribe.window import SAMPLE_RATE, SpeakerTurn
from benchmarks import machine
from benchmarks.recordings import CORPUS
from benchmarks.speakers.conversation import Conversation
from benchmarks.speakers.conversations import conversations, recordings_without_speech
from benchmarks.speakers.cost import measure_cost
from benchmarks.speakers.installed import installed_models, new_diarizer
from benchmarks.speakers.scores import Result, Score, average, score
from benchmarks.speakers.voices import Half

COST_MINUTES = 10, 60
HEADER = "speakers found/true | error | missed | false | confusion | error, collar 0"


def main() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    parts: dict[str, Callable[[], None]] = {
        "tuning": lambda: show_half("tuning"),
        "untouched": lambda: show_half("untouched"),
        "given": lambda: show_half("untouched", is_count_given=True),
        "no-speech": show_no_speech,
        "cost": show_cost,
    }
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speakers", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(parts))
    chosen = parser.parse_args().parts or list(parts)
    if not CORPUS.is_dir():
        chosen = [name for name in chosen if name == "cost"]
        print("There is no corpus beside the checkout: only the cost is measured.")
    print(f"{machine.today()}, {machine.description()}, {machine.versions('batchscribe', 'onnxruntime', 'numpy')}")
    for name in chosen:
        parts[name]()


def show_half(half: Half, *, is_count_given: bool = False) -> None:
    """Print one row for each conversation, and their average."""
    title = f"{half} half, number of speakers given" if is_count_given else f"{half} half"
    print(f"\n## {title}\n\n| conversation | {HEADER} |\n|---|---:|---:|---:|---:|---:|---:|")
    results = list(_results(conversations(half), is_count_given=is_count_given))
    off_by = [abs(each.found_speakers - each.true_speakers) for each in results]
    exact, near = (sum(off <= most for off in off_by) / len(results) for most in (0, 1))
    found = f"exact in {exact:.0%}, off by one at most in {near:.0%}"
    with_collar = average([each.with_collar for each in results])
    _show_row("**average**", found, with_collar, average([each.without_collar for each in results]))


def _results(recordings: Iterable[Conversation], *, is_count_given: bool) -> Iterable[Result]:
    cpu_sec = duration_sec = 0.0
    for conversation in recordings:
        count = SpeakerCount(conversation.speakers, conversation.speakers) if is_count_given else SpeakerCount()
        began = time.process_time()
        turns = _diarize(conversation, count)
        cpu_sec += time.process_time() - began
        result = score(conversation, turns)
        duration_sec += conversation.duration_sec
        found = f"{result.found_speakers}/{result.true_speakers}"
        _show_row(result.name, found, result.with_collar, result.without_collar)
        yield result
    print(f"| | {duration_sec / cpu_sec:.0f} audio seconds per CPU second | | | | | |")


def _show_row(name: str, speakers: str, with_collar: Score, without: Score) -> None:
    parts = (with_collar.error, with_collar.missed, with_collar.false_speech, with_collar.confusion, without.error)
    print(f"| {name} | {speakers} | {' | '.join(f'{100 * part:.1f} %' for part in parts)} |", flush=True)


def show_no_speech() -> None:
    """Print the recordings without speech, and how many seconds of each were taken for speech."""
    print("\n## Recordings without speech\n\n| recording | duration | taken for speech |\n|---|---:|---:|")
    for recording in recordings_without_speech():
        turns = _diarize(recording, SpeakerCount())
        taken_sec = sum(turn.end_sec - turn.start_sec for turn in turns)
        print(f"| {recording.name} | {recording.duration_sec:.0f} s | {taken_sec:.1f} s |", flush=True)


def show_cost() -> None:
    """Print CPU time and memory of a short and a long recording."""
    print("\n## Cost on one core\n\n| recording | audio s per CPU s | memory of the process |\n|---|---:|---:|")
    for minutes in COST_MINUTES:
        cost = measure_cost(minutes)
        speed, peak_mib = minutes * 60 / cost.cpu_sec, cost.peak_bytes / 2**20
        print(f"| {minutes} minutes | {speed:.0f} | {peak_mib:.0f} MiB |", flush=True)


def _diarize(conversation: Conversation, count: SpeakerCount) -> tuple[SpeakerTurn, ...]:
    diarizer = new_diarizer(installed_models(), count)
    for first in range(0, len(conversation.samples), SAMPLE_RATE):
        diarizer.feed(conversation.samples[first : first + SAMPLE_RATE])
    return diarizer.finish()


if __name__ == "__main__":
    main()
