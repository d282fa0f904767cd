"""JSON rendering of transcripts: UTF-8, one segment per line, keys in the order of contract 4."""

from __future__ import annotations

import json
from collections.abc import Iterator

from batchscribe import __version__
from batchscribe.transcript.document import SIDES, Transcript, name_speaker
from batchscribe.transcript.segments import TranscriptSegment
from batchscribe.window import Word
from batchscribe.wire.base import JsonObject
from batchscribe.wire.config import Config


def render_json(transcript: Transcript) -> bytes:
    return "".join(_parts(transcript)).encode()


def _parts(transcript: Transcript) -> Iterator[str]:
    """Yield the text in pieces, so that a long transcript is not in memory both as objects and as text."""
    yield f'{{"request_id": {_json(transcript.request_id)},\n'
    yield f' "duration_sec": {_json(transcript.duration_sec)},\n'
    yield f' "model": {_json(transcript.model)},\n'
    yield f' "result": {{"text_display": {_json(transcript.text_display)},\n'
    yield f'  "text_lexical": {_json(transcript.text_lexical)}'
    if transcript.config.timestamps:
        yield from _segment_parts(transcript)
    yield f'}},\n "metadata": {_json(_metadata(transcript))}}}\n'


def _segment_parts(transcript: Transcript) -> Iterator[str]:
    yield ',\n  "segments": ['
    for number, segment in enumerate(transcript.segments, start=1):
        yield "\n   " if number == 1 else ",\n   "
        yield _json(_segment(number, segment, transcript))
    yield "]"


def _segment(number: int, segment: TranscriptSegment, transcript: Transcript) -> JsonObject:
    written: JsonObject = {
        "id": f"seg_{number:04d}",
        "start": segment.start_sec,
        "end": segment.end_sec,
        "text": segment.text,
    }
    if transcript.config.channel_separation:
        written["channel"] = segment.channel
    if speaker := transcript.speaker(segment):
        written["speaker"] = speaker
    if segment.language:
        written["language"] = segment.language
    if segment.flags:
        written["flags"] = [flag.value for flag in segment.flags]
    if transcript.config.lists_words:
        written["words"] = [_word(word, speaker, transcript.config) for word in segment.words]
    return written


def _word(word: Word, speaker: str | None, config: Config) -> JsonObject:
    written: JsonObject = {"word": word.text}
    if config.word_time_offsets:
        written |= {"start": word.start_sec, "end": word.end_sec}
    if config.word_confidence and word.confidence is not None:
        written["confidence"] = round(min(1.0, float(word.confidence)), 3)
    if config.diarization and speaker:
        written["speaker"] = speaker
    return written


def _metadata(transcript: Transcript) -> JsonObject:
    metadata = transcript.metadata
    known = {"uri": metadata.input_uri, "etag": metadata.input_etag, "size_bytes": metadata.input_size_bytes}
    written: JsonObject = {"engine": metadata.engine, "model": transcript.model}
    if metadata.revision is not None:
        written["revision"] = metadata.revision
    if metadata.languages:
        seconds = {language: round(sec, 1) for language, sec in metadata.languages.items()}
        ranked = sorted(seconds, key=lambda language: (-seconds[language], language))
        written["language"] = ranked[0]
        written["languages"] = {language: seconds[language] for language in ranked}
    if transcript.config.channel_separation and transcript.channels > len(SIDES):
        written["channels"] = transcript.channels
    if transcript.config.diarization:
        written["speakers"] = _speakers(transcript)
    return written | {
        "config": transcript.config.echo(),
        "input": {name: value for name, value in known.items() if value is not None},
        "batchscribe_version": __version__,
        "warnings": list(metadata.warnings),
    }


def _speakers(transcript: Transcript) -> JsonObject:
    seconds: dict[str, float] = {}
    for number, sec in transcript.speakers.items():
        name = transcript.name_of(name_speaker(number))  # people may give two speakers the same name
        seconds[name] = round(seconds.get(name, 0.0) + sec, 1)
    return {"count": len(seconds), "seconds": seconds}


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)
