"""Turn one recording into one transcript: the whole way, in the order the data travels."""

from __future__ import annotations

import hashlib
import json
from collections import deque
from collections.abc import Iterator
from concurrent.futures import CancelledError, Future
from contextlib import contextmanager
from dataclasses import replace

from batchscribe.audio.decoder import Media
from batchscribe.errors import (
    DecoderDied,
    EngineError,
    MediaError,
    OutputExists,
    StorageError,
    StorageUnavailable,
    WorkInterrupted,
)
from batchscribe.jobs.model import File, Job
from batchscribe.jobs.outcome import Outcome
from batchscribe.metrics import RETRIES, Retry, Stage, one_file, stage
from batchscribe.segment import Hearing, Segment
from batchscribe.storage.store import Recording
from batchscribe.transcript.as_json import render_json
from batchscribe.transcript.document import Heard, Metadata, Transcript, assemble
from batchscribe.work.rooms import Rooms
from batchscribe.work.written import exists, outcome_of_existing, own_outcome


def transcribe_file(file: File, job: Job, rooms: Rooms) -> Outcome:
    """Raises only what the shard handles: `StorageUnavailable` and `WorkInterrupted`. All else is an `Outcome`."""
    try:
        with one_file():
            outcome = _transcribe(file, job, rooms)
        # What the engine has to say is in every transcript of the job; a file's row tells only its own.
        return replace(outcome, warnings=tuple(w for w in outcome.warnings if w not in rooms.choice.warnings))
    except StorageUnavailable:
        raise
    except (StorageError, MediaError, EngineError) as error:
        return Outcome.failed(error)


def _transcribe(file: File, job: Job, rooms: Rooms) -> Outcome:
    with _opened(file, rooms) as source:
        request_id = request_id_of(source, job, rooms)
        done = outcome_of_existing(file, job, request_id, rooms.output)
        if done is not None:
            return done
        heard, media = _hear(source, file, job, rooms)
        transcript = _document(heard, media, source, request_id, job, rooms)
    return _write(file, transcript, job, rooms)


def _opened(file: File, rooms: Rooms) -> Recording:
    with stage(Stage.READ):
        return rooms.input.open(file.input_uri)


def _hear(source: Recording, file: File, job: Job, rooms: Rooms) -> tuple[list[Heard], Media]:
    """A decoder that dies takes nothing with it: the file gets one more try, with a fresh one."""
    try:
        return _hear_once(source, file, job, rooms)
    except DecoderDied:
        RETRIES.labels(Retry.DECODER).inc()
        return _hear_once(source, file, job, rooms)


def _hear_once(source: Recording, file: File, job: Job, rooms: Rooms) -> tuple[list[Heard], Media]:
    config = job.config
    with _engine_line(file, rooms) as line:
        with rooms.decoder.decode(
            source, channels_apart=config.channel_separation, segmentation=config.segmentation_mode.value
        ) as decoding:
            for segment in decoding.segments():
                rooms.watch.check(job.number)
                line.add(segment)
        # Its decoder is free for the next file while the engine hears the last segments of this one.
        return line.drained(), decoding.media


class _EngineLine:
    """The segments of one file that are with the engine; never more than `segments_ahead` of them."""

    def __init__(self, file: File, rooms: Rooms) -> None:
        self._file = file
        self._rooms = rooms
        self._waiting: deque[tuple[int, float, float, Future[Hearing]]] = deque()
        self._heard: list[Heard] = []

    def add(self, segment: Segment) -> None:
        while len(self._waiting) >= self._rooms.segments_ahead:
            self._take()
        future = self._rooms.speech.submit(segment, self._rooms.choice.language)
        self._waiting.append((segment.channel, segment.start_sec, segment.duration_sec, future))

    def drained(self) -> list[Heard]:
        while self._waiting:
            self._rooms.watch.check(self._file.job_number)
            self._take()
        return self._heard

    def close(self) -> None:
        """Whatever is still waiting is not wanted any more."""
        for *_, future in self._waiting:
            future.cancel()
        self._rooms.in_hand.drop(self._file)

    def _take(self) -> None:
        channel, start_sec, duration_sec, future = self._waiting.popleft()
        try:
            with stage(Stage.TRANSCRIBE):
                hearing = future.result()
        except CancelledError:
            raise WorkInterrupted("The engines were stopped.") from None
        self._heard.append(Heard(channel, start_sec, duration_sec, hearing))
        self._rooms.in_hand.reach(self._file, start_sec + duration_sec)


@contextmanager
def _engine_line(file: File, rooms: Rooms) -> Iterator[_EngineLine]:
    line = _EngineLine(file, rooms)
    try:
        yield line
    finally:
        line.close()


def _document(
    heard: list[Heard], media: Media, source: Recording, request_id: str, job: Job, rooms: Rooms
) -> Transcript:
    spec = rooms.choice.spec
    return assemble(
        heard,
        duration_sec=media.duration_sec,
        channels=media.channels,
        model=spec.model,
        request_id=request_id,
        config=job.config,
        metadata=Metadata(
            engine=spec.name,
            revision=spec.revision,
            input_etag=source.etag,
            input_size_bytes=source.size,
            warnings=(*rooms.choice.warnings, *media.warnings),
        ),
    )


def _write(file: File, transcript: Transcript, job: Job, rooms: Rooms) -> Outcome:
    rooms.watch.check(job.number)
    try:
        with stage(Stage.WRITE):
            rooms.output.write(file.output_uri, render_json(transcript), overwrite=job.output.overwrite)
    except OutputExists:
        own = own_outcome(file, transcript.request_id, rooms.output)
        return own if own is not None else Outcome.skipped(exists(file))
    return Outcome.succeeded(duration_sec=transcript.duration_sec, warnings=transcript.metadata.warnings)


def request_id_of(source: Recording, job: Job, rooms: Rooms) -> str:
    """Derived from everything that decides what the transcript says; see `written`."""
    spec = rooms.choice.spec
    facts = [source.uri, source.etag, source.size, job.config.echo(), spec.name, spec.model, spec.revision]
    return "req_" + hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:24]
