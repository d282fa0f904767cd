"""Transcription of one recording: all steps, in the order of the data flow."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from functools import partial

from batchscribe.audio.decoder import DECODER, Media
from batchscribe.audio.packing import MAX_PAUSE_SEC, SHORT_PAUSE_SEC
from batchscribe.errors import (
    ConditionalWriteUnsupported,
    CredentialsExpired,
    DecodeLimitExceeded,
    DecoderDied,
    DecodeTimeout,
    DiarizationError,
    DiarizerDied,
    EngineError,
    MediaError,
    StorageError,
    StorageUnavailable,
)
from batchscribe.jobs.model import File, Job, Outcome
from batchscribe.metrics import RETRIES, Retry, Stage, observe_file, stage
from batchscribe.speakers.speaker_process import SPEAKERS
from batchscribe.stages.checkpoint import Checkpoint
from batchscribe.stages.diarize import diarization
from batchscribe.stages.existing_output import RecordingIdentity, look, own_outcome
from batchscribe.stages.job_context import JobContext
from batchscribe.stages.naming import OutputName
from batchscribe.stages.recognize import RecognizedRecording, recognizer
from batchscribe.stages.shortage import shortage_in
from batchscribe.stages.write_transcript import BeginWrite, earlier_outcome, is_begun, kept_outcome, write_transcript
from batchscribe.storage.store import Recording
from batchscribe.tracing.spans import add_event, span
from batchscribe.transcript.document import Metadata, Transcript, assemble
from batchscribe.transcript.suspicions import suspicions
from batchscribe.wire.choices import DetectionMode
from batchscribe.wire.uris import without_query


def transcribe_file(file: File, job: Job, context: JobContext, begin_write: BeginWrite) -> Outcome:
    """Transcribe a file. Raises only errors that the shard handles; any other error becomes an `Outcome`.

    The shard handles `StorageUnavailable`, `CredentialsExpired`, `MachineTrouble`, `WorkInterrupted`, and
    `ConditionalWriteUnsupported`, which concerns all files.
    """
    try:
        with observe_file():
            outcome = _transcribe(file, job, context, begin_write)
        # Every transcript contains the warnings of the engine; a file's row contains only those of the file.
        return replace(outcome, warnings=tuple(w for w in outcome.warnings if w not in context.choice.warnings))
    except StorageUnavailable as error:
        raise shortage_in(error.__cause__) or error from error.__cause__
    except (ConditionalWriteUnsupported, CredentialsExpired):
        raise
    except OSError as error:
        raise shortage_in(error) or error from error
    except (StorageError, MediaError, EngineError, DiarizationError) as error:
        _check_machine(error, context)
        return Outcome.failed(error)


def outcome_if_written(file: File, job: Job, context: JobContext) -> Outcome | None:
    """Return the outcome of a file whose writer died; None if it wrote no transcript. Raises `StorageError`."""
    if file.output_digests:
        return earlier_outcome(file, job, context.output)
    with context.input.open(file.input_uri) as source:  # a worker of an older release wrote it
        request_id = request_id_of(source, job, context)
    return own_outcome(look(file.output_uri, context.output), request_id)


def _check_machine(error: StorageError | MediaError | EngineError | DiarizationError, context: JobContext) -> None:
    """Run a trial if the machine may have caused the error. Raises `MachineTrouble` if it fails."""
    if isinstance(error, DecoderDied | DecodeTimeout | DecodeLimitExceeded):
        context.health.confirm(DECODER)
    elif isinstance(error, EngineError):
        context.health.confirm(context.choice.spec.name)
    elif isinstance(error, DiarizationError):
        context.health.confirm(SPEAKERS)


def _transcribe(file: File, job: Job, context: JobContext, begin_write: BeginWrite) -> Outcome:
    with _open(file, context) as source:
        me = RecordingIdentity.of(source, request_id_of(source, job, context))
        named = context.naming.settle(file, me)
        context.keys.accept()
        done = _done_before(named, me, job, context)
        if done is not None:
            return done
        recognized, media = _recognize(source, file, job, context, me.request_id)
        transcript = _document(recognized, media, source, me.request_id, job, context)
    context.watch.check(job.number)
    return write_transcript(named, me, transcript, job, context, begin_write)


def _done_before(named: OutputName, me: RecordingIdentity, job: Job, context: JobContext) -> Outcome | None:
    """Return the outcome if there is nothing to do for this file, otherwise None."""
    if named.existing is None:
        return None
    if named.file.attempt > 1 or named.file.output_digests:  # a retry counts attempts anew, and keeps the digests
        own = earlier_outcome(named.file, job, context.output) or own_outcome(named.existing, me.request_id)
        if own or is_begun(named.file, job, context.output):
            return own
    return kept_outcome(named, job)


@span("open")
def _open(file: File, context: JobContext) -> Recording:
    with stage(Stage.READ):
        return context.input.open(file.input_uri)


def _recognize(
    source: Recording, file: File, job: Job, context: JobContext, request_id: str
) -> tuple[RecognizedRecording, Media]:
    """Decode and recognize a recording. If the decoder or diarization dies, retry once, after the machine has passed a
    trial.

    So brief trouble on the machine does not fail a file. If an engine fails, the recognizer does the same with a single
    window.
    """
    try:
        checkpoint = context.checkpoints.open(file, source, request_id)
        return _recognize_once(source, file, job, context, checkpoint)
    except DecoderDied:
        RETRIES.labels(Retry.DECODER).inc()
        context.health.confirm(DECODER)
    except DiarizerDied:
        RETRIES.labels(Retry.SPEAKERS).inc()
        context.health.confirm(SPEAKERS)
    checkpoint = context.checkpoints.open(replace(file, has_checkpoint=True), source, request_id)
    checkpoint.position = None  # the voice detector starts from the beginning too: its state may be the cause
    return _recognize_once(source, file, job, context, checkpoint)


@span("recognize")
def _recognize_once(
    source: Recording, file: File, job: Job, context: JobContext, checkpoint: Checkpoint
) -> tuple[RecognizedRecording, Media]:
    config = job.config
    check = partial(context.watch.check, job.number)
    max_pause_sec = SHORT_PAUSE_SEC if config.detection_mode is DetectionMode.CONTINUOUS else MAX_PAUSE_SEC
    if checkpoint.n_left:
        add_event("checkpoint.resumed", {"batchscribe.windows": checkpoint.n_left})
    with recognizer(file, context, config.detection_mode, checkpoint, job.phrases) as engines:
        with (
            context.diarizing.take_one(job.tenant, job.number, check) if config.diarization else nullcontext(),
            context.decoding.take_one(job.tenant, job.number, check),
            diarization(config, context.speakers, check) as speakers,
        ):
            with (
                span("decode", is_current=False),
                context.decoder.decode(
                    source,
                    channels_apart=config.channel_separation,
                    segmentation=config.segmentation_mode.value,
                    window_sec=context.choice.spec.window_sec,
                    tenant=job.tenant,
                    job=job.number,
                    max_pause_sec=max_pause_sec,
                    check=check,
                    continue_at=checkpoint.position,
                    hear=speakers.hear if speakers else None,
                ) as decoding,
            ):
                for window in decoding.windows():
                    checkpoint.position = decoding.position
                    engines.add(window)
            turns = speakers.finish() if speakers else ()
        # The decoder is free for the next file while the engines process the last windows of this one.
        return replace(engines.finish(), turns=turns), decoding.media


def _document(
    recognized: RecognizedRecording, media: Media, source: Recording, request_id: str, job: Job, context: JobContext
) -> Transcript:
    spec = context.choice.spec
    return assemble(
        recognized.windows,
        duration_sec=media.duration_sec,
        channels=media.channels,
        model=spec.model,
        request_id=request_id,
        config=job.config,
        turns=recognized.turns,
        metadata=Metadata(
            engine=spec.name,
            revision=spec.revision,
            input_uri=without_query(source.uri),
            input_etag=source.etag,
            input_size_bytes=source.size,
            languages=recognized.languages,
            warnings=(
                *context.choice.warnings,
                *media.warnings,
                *_doubts(recognized, context.choice.language),
                *_unmasked(recognized, job, context),
            ),
        ),
        aliases=context.aliases,
        profanity=context.profanity,
        waveform=media.waveform,
    )


def _doubts(recognized: RecognizedRecording, asked: str) -> Iterator[str]:
    """Yield warnings about the text for its reader."""
    if recognized.contradiction is not None:
        heard = recognized.contradiction
        yield (
            f"The recording is in {heard}, but {asked} was requested: the text is wrong or a translation. "
            f"Transcribe it with language {heard}, or with language detection."
        )
    yield from suspicions(recognized.windows)


def _unmasked(recognized: RecognizedRecording, job: Job, context: JobContext) -> Iterator[str]:
    """Yield a warning if profanity was not masked in a language.

    The server checked the requested language with its own lists; those of this worker may differ.
    """
    spoken = recognized.languages or [job.config.language]
    languages = context.profanity.lacks(spoken) if context.profanity else []
    if languages:
        yield f"Profanity was not masked in {', '.join(languages)}, for which the filter has no words."


def request_id_of(source: Recording, job: Job, context: JobContext) -> str:
    """Derive the id from the recording, the job's options and the engine, which determine the recognized words.

    The speaker models and the profanity lists of a worker are not part of it: a worker with other ones must find the
    checkpoint of an earlier attempt, and its job's own transcript. See `own_outcome`.
    """
    spec = context.choice.spec
    facts = [source.uri, source.etag, source.size, job.config.echo(), spec.name, spec.model, spec.revision]
    if job.vocabulary is not None:
        facts.append(job.vocabulary.echo())  # `config` names only the asset of `vocabulary_id`
    return "req_" + hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:24]
