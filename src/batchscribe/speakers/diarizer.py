"""Diarization of one recording: sections are processed as they arrive, embeddings are clustered at the end.

A section is a minute and a half. Of each section, only the activity of the streams and one embedding per chunk are
kept: about 20 MB for ten hours. The embeddings exist only in this object, and are in no result, message or log.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from batchscribe.speakers.local_speakers import STREAMS, WINDOW_SAMPLES, LocalSpeakerModel
from batchscribe.speakers.log_mel import log_mel
from batchscribe.speakers.sound_buffer import SoundBuffer
from batchscribe.speakers.speaker_count import SpeakerCount
from batchscribe.speakers.speaker_embedding import (
    EMBEDDING_SIZE,
    EmbeddingModel,
    energies_of,
    is_long_enough,
    is_steady,
)
from batchscribe.speakers.speaker_models import SpeakerModels
from batchscribe.speakers.speaker_streams import STEP_SAMPLES, Activity, SpeakerStreams
from batchscribe.speakers.speech_chunks import SpeechChunk, cut_chunks
from batchscribe.speakers.turn_building import build_turns
from batchscribe.speakers.voice_clustering import Voices, cluster_voices
from batchscribe.window import SAMPLE_RATE, Samples, SpeakerTurn

WINDOWS = 12  #: in a section
BATCH = 2  #: windows in one call of the model; larger batches are not faster
_SECTION_SAMPLES = (WINDOWS - 1) * STEP_SAMPLES + WINDOW_SAMPLES


class Diarizer:
    """Finds the speakers of one recording. Call `feed` in order, then `finish` once.

    The result does not depend on how the sound is divided between calls of `feed`, nor on `threads`, which is how many
    cores it uses.
    """

    def __init__(self, models: SpeakerModels, count: SpeakerCount, threads: int) -> None:
        self._local_speakers = LocalSpeakerModel(models.segmentation)
        self._embedding = EmbeddingModel(models.embedding)
        self._count = count
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="diarizer")
        self._sound = SoundBuffer()
        self._streams = SpeakerStreams()
        self._activity: list[Activity] = []
        self._chunks: list[SpeechChunk] = []
        self._embeddings: list[NDArray[np.float32]] = []
        self._is_narrow: list[bool] = []
        self._frames = 0

    def feed(self, samples: Samples) -> None:
        """Take the next samples, float32[n], 16 kHz, mono. Computes only if they complete a section."""
        self._sound.put(samples)
        while self._sound.length > _SECTION_SAMPLES:
            self._add_section(self._sound.take(_SECTION_SAMPLES, drop=WINDOWS * STEP_SAMPLES), is_last=False)

    def finish(self) -> tuple[SpeakerTurn, ...]:
        """Return the turns of the whole recording, in the order of their starts; none if there is no speech."""
        left = self._sound.length
        if left:
            windows = 1 + max(0, -(-(left - WINDOW_SAMPLES) // STEP_SAMPLES))
            self._add_section(self._sound.take((windows - 1) * STEP_SAMPLES + WINDOW_SAMPLES, drop=left), is_last=True)
        self._pool.shutdown()
        activity = np.concatenate([np.zeros((0, STREAMS), dtype=bool), *self._activity])
        return build_turns(activity, self._chunks, self._speakers(), self._sound.total / SAMPLE_RATE)

    def _speakers(self) -> NDArray[np.int64]:
        embeddings = np.array(self._embeddings, dtype=np.float32).reshape(-1, EMBEDDING_SIZE)
        seconds = np.array([chunk.seconds for chunk in self._chunks])
        return cluster_voices(Voices(embeddings, seconds, np.array(self._is_narrow, dtype=bool)), self._count)

    def _add_section(self, sound: Samples, *, is_last: bool) -> None:
        activity = self._find_activity(sound, is_last=is_last)
        energies = log_mel(sound)
        chunks = [(chunk, energies_of(chunk, energies)) for chunk in cut_chunks(activity)]
        embeddable = []
        for chunk, frames in chunks:
            if is_long_enough(frames) and is_steady(frames):
                for start, end in chunk.runs:
                    activity[start:end, chunk.stream] = False
            elif is_long_enough(frames):
                embeddable.append((chunk, frames))
        voices = self._pool.map(self._embedding.embed, [frames for _, frames in embeddable])
        for (chunk, _), (embedding, is_narrow) in zip(embeddable, voices, strict=True):
            self._chunks.append(chunk.after(self._frames))
            self._embeddings.append(embedding)
            self._is_narrow.append(is_narrow)
        self._activity.append(activity)
        self._frames += len(activity)

    def _find_activity(self, sound: Samples, *, is_last: bool) -> Activity:
        windows = np.lib.stride_tricks.sliding_window_view(sound, WINDOW_SAMPLES)[::STEP_SAMPLES]
        batches = self._pool.map(self._local_speakers.find, np.array_split(windows, range(BATCH, len(windows), BATCH)))
        done = [self._streams.add(window) for batch in batches for window in batch]
        return np.concatenate([*done, self._streams.rest()] if is_last else done)
