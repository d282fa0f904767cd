"""Diarization of one recording, in parallel with its recognition: the decoded sound goes to a speaker process.

The speaker embeddings stay in that process and are never stored. So a resumed recording is diarized again from the
start, while its words come from the checkpoint. The decoder decodes it from the start anyway.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from batchscribe.audio.decoder import SoundBlock
from batchscribe.metrics import Stage, stage
from batchscribe.speakers.speaker_count import SpeakerCount
from batchscribe.speakers.speaker_pool import SpeakerPool
from batchscribe.speakers.speaker_process import SpeakerProcess
from batchscribe.tracing.spans import span
from batchscribe.window import SpeakerTurn
from batchscribe.wire.config import Config


class Diarization:
    """The diarization of one recording, which the process has begun."""

    def __init__(self, process: SpeakerProcess, begin: Callable[[], None]) -> None:
        self._process = process
        self._begin = begin
        self._has_heard = False

    def hear(self, block: SoundBlock) -> None:
        """Take the next sound. Raises `DiarizationError`, and whatever the check of the recording raises."""
        if block.start_sample == 0 and self._has_heard:
            self._begin()  # the decoder tries another track
        self._has_heard = True
        with stage(Stage.DIARIZE):
            self._process.feed(block.samples)

    def finish(self) -> tuple[SpeakerTurn, ...]:
        """Return the turns, sorted by their start. Raises as `hear` does."""
        with stage(Stage.DIARIZE):
            return self._process.finish()


@contextmanager
def diarization(config: Config, speakers: SpeakerPool, check: Callable[[], None]) -> Iterator[Diarization | None]:
    """Open the diarization of a recording; None if the job does not ask for it.

    `check` is called while the process works, and raises if the recording is no longer wanted. Raises
    `MachineTrouble`, `DiarizationError` and `WorkInterrupted`.
    """
    if not config.diarization:
        yield None
        return
    at_least, at_most = config.speaker_range
    count = SpeakerCount(at_least, at_most)
    with span("diarize", is_current=False), speakers.diarize(count, check) as process:
        yield Diarization(process, lambda: process.begin(count, check))
