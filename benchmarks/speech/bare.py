"""The bare engine: faster-whisper called directly on files, in a separate process, as its users call it.

Run as `python -m benchmarks.speech.bare ORDER ANSWER`: two JSON files, an `Order` and a list of `Heard`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

BEAM_SIZE, BATCH_SIZE = 5, 8
SEED = 1  #: for its random fallback decoding
#: One thread costs the least CPU time: 9.7 against 10.8 s file by file and 13.2 against 13.4 s batched, on two cores.
THREADS = 1


@dataclass(frozen=True, slots=True)
class Item:
    path: str
    language: str
    channel: int | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """`is_batched` chooses the library's pipeline of batches, else it is called file by file."""

    model: str
    compute_type: str
    items: tuple[Item, ...]
    is_batched: bool = False
    with_words: bool = False


@dataclass(frozen=True, slots=True)
class Heard:
    text: str
    words: tuple[tuple[str, float], ...] = ()  #: with their starts


ORDER, ANSWER = TypeAdapter(Order), TypeAdapter(list[Heard])


def command(order: Order, folder: Path) -> list[str]:
    """To be run in the repository; the answer is at `answer_of(folder)`."""
    folder.mkdir(parents=True)
    (folder / "order.json").write_bytes(ORDER.dump_json(order))
    return [sys.executable, "-m", __name__, f"{folder / 'order.json'}", f"{folder / 'answer.json'}"]


def answer_of(folder: Path) -> list[Heard]:
    return ANSWER.validate_json((folder / "answer.json").read_bytes())


def main() -> None:
    order = ORDER.validate_json(Path(sys.argv[1]).read_bytes())
    Path(sys.argv[2]).write_bytes(ANSWER.dump_json(list(_hear(order))))


def _hear(order: Order) -> Iterator[Heard]:
    import ctranslate2  # here, because processes that only write orders need not load them
    from faster_whisper import BatchedInferencePipeline, WhisperModel

    ctranslate2.set_random_seed(SEED)
    model = WhisperModel(order.model, device="cpu", compute_type=order.compute_type, cpu_threads=THREADS)
    if order.is_batched:
        engine, options = BatchedInferencePipeline(model), {"batch_size": BATCH_SIZE}
    else:
        engine, options = model, {"vad_filter": True}
    for item in order.items:
        segments, _ = engine.transcribe(
            _audio(item),
            language=item.language,
            beam_size=BEAM_SIZE,
            word_timestamps=order.with_words,
            **options,
        )
        yield _heard(segments)


def _audio(item: Item) -> Any:
    """A path, or the samples of one channel."""
    from faster_whisper import decode_audio

    return item.path if item.channel is None else decode_audio(item.path, split_stereo=True)[item.channel]


def _heard(segments: Iterable[Any]) -> Heard:
    """Read the segments. They are generated lazily, so reading them is the work."""
    found = list(segments)
    words = tuple((word.word, float(word.start)) for segment in found for word in segment.words or ())
    return Heard("".join(segment.text for segment in found).strip(), words)


if __name__ == "__main__":
    main()
