"""What becomes of the files of a page: rows with their outputs and shards. Nothing is stored or asked here."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from batchscribe.errors import UnsupportedMedia
from batchscribe.jobs.globs import PathFilter
from batchscribe.jobs.layout import OutputNames, planned_output, writes_among_inputs
from batchscribe.jobs.media_names import is_passed_over, is_supported
from batchscribe.jobs.model import Job
from batchscribe.jobs.outcome import Outcome
from batchscribe.jobs.sharding import ShardCutter, estimated_audio_sec
from batchscribe.jobs.source import Source, SourceKind
from batchscribe.jobs.summary import Summary
from batchscribe.wire.states import FileState
from batchscribe.work.listing import Found, Page


@dataclass(frozen=True, slots=True)
class Rules:
    """What the enumeration needs to know beside the job."""

    speed: float  #: of the job's engine, in seconds of audio a second
    max_files: int
    extra_formats: tuple[str, ...]
    announce_start: bool = False  #: send a webhook when the job begins


@dataclass(frozen=True, slots=True)
class Planned:
    """The rows of a page, and what they add to the job."""

    rows: list[dict[str, Any]]
    last_shard: int
    counted: Summary
    audio_sec: float


def plan(job: Job, wanted: list[Found], names: OutputNames, rules: Rules) -> Planned:
    cutter = ShardCutter(job.cursor.shard + 1, speed=rules.speed)
    rows = [_row(job, seq, found, names, cutter, rules) for seq, found in enumerate(wanted, job.cursor.seq + 1)]
    states = [row["state"] for row in rows]
    return Planned(
        rows=rows,
        last_shard=cutter.next_shard - 1,
        counted=Summary(
            total_files=len(rows), failed=states.count(FileState.FAILED), skipped=states.count(FileState.SKIPPED)
        ),
        audio_sec=sum(
            estimated_audio_sec(row["input_uri"], row["size_bytes"] or 0) for row in rows if row["shard"] is not None
        ),
    )


def wanted_of(page: Page, job: Job) -> list[Found]:
    """What the filters admit."""
    return [found for found in page.found if _is_wanted(found, job)]


def _is_wanted(found: Found, job: Job) -> bool:
    source = found.source
    if source.kind is SourceKind.FILE:
        return True
    among_outputs = writes_among_inputs(source, job.output.layout, job.output.uri)
    if is_passed_over(found.uri, found.size_bytes or 0, among_outputs=among_outputs):
        return False
    return _filter(source).admits(source.path_of(found.uri))


@cache
def _filter(source: Source) -> PathFilter:
    return source.path_filter()


def named_output(job: Job, found: Found) -> str:
    """The output's name before collisions are settled."""
    return planned_output(found.uri, found.source, job.output.layout, job.output.uri)


def _row(job: Job, seq: int, found: Found, names: OutputNames, cutter: ShardCutter, rules: Rules) -> dict[str, Any]:
    row = {
        "job": job.number,
        "seq": seq,
        "input_uri": found.uri,
        "size_bytes": found.size_bytes,
        "shard": None,
        "output_uri": "",
        "state": FileState.QUEUED,
        "error_code": None,
        "error_message": None,
    }
    if not is_supported(found.uri, rules.extra_formats):
        return row | _refused(found)
    output_uri = names.claim(named_output(job, found), found.uri)
    return row | {"output_uri": output_uri, "shard": cutter.add(found.uri, found.size_bytes)}


def _refused(found: Found) -> dict[str, Any]:
    """Below a prefix other files are to be expected, so one is skipped; one that was named by itself has failed."""
    error = UnsupportedMedia("Only WAV, MP3, M4A and MP4 are transcribed, and the name says this is something else.")
    skips = found.source.kind is SourceKind.PREFIX
    outcome = Outcome.skipped(error) if skips else Outcome.failed(error)
    return {"state": outcome.state, "error_code": outcome.error_code, "error_message": outcome.error_message}
