"""The plan for the files of a page: rows with outputs and shards. It accesses neither storage nor the database."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import Any

from batchscribe.errors import LocationNotAllowed, UnsupportedMedia
from batchscribe.input_formats import extensions_of
from batchscribe.jobs.layout import OutputNames, fits, planned_output, too_long, writes_among_inputs
from batchscribe.jobs.media_names import is_ignored, is_macos_metadata, is_supported, transcript_extensions
from batchscribe.jobs.model import Job, Outcome
from batchscribe.jobs.sharding import ShardCutter
from batchscribe.jobs.source import Source, SourceKind
from batchscribe.jobs.summary import Summary
from batchscribe.stages.listing import ListedObject, ListingPage
from batchscribe.wire.choices import FileState


@dataclass(frozen=True, slots=True)
class Rules:
    """The parameters of the enumeration that are not part of the job."""

    speed: float  #: of the job's engine, in seconds of audio per second
    max_files: int
    input_formats: tuple[str, ...]
    announce_start: bool = False  #: send a webhook when the job begins


@dataclass(frozen=True, slots=True)
class AdmittedFile:
    """A file that passed the filters."""

    found: ListedObject
    output_uri: str | None  #: its name before collisions are resolved; None if unsupported
    accepted: Collection[str]  #: the extensions of supported files


@dataclass(frozen=True, slots=True)
class PagePlan:
    """The rows of a page, and what they add to the job's counters."""

    rows: list[dict[str, Any]]
    last_shard: int
    counted: Summary
    audio_sec: float


def plan_page(job: Job, wanted: list[AdmittedFile], names: OutputNames, rules: Rules) -> PagePlan:
    unknown = sum(1 for each in wanted if each.found.size_bytes is None)
    cutter = ShardCutter(job.cursor.shard + 1, speed=rules.speed, unknown=unknown)
    rows = [_row(job, seq, each, names, cutter) for seq, each in enumerate(wanted, job.cursor.seq + 1)]
    states = [row["state"] for row in rows]
    return PagePlan(
        rows=rows,
        last_shard=cutter.next_shard - 1,
        counted=Summary(
            total_files=len(rows), failed=states.count(FileState.FAILED), skipped=states.count(FileState.SKIPPED)
        ),
        audio_sec=cutter.audio_sec,
    )


def admit_files(page: ListingPage, job: Job, rules: Rules) -> list[AdmittedFile]:
    """Return the files that pass the filters."""
    accepted = extensions_of(rules.input_formats)
    return [
        AdmittedFile(found, _named_output(found, job, rules), accepted)
        for source, group in groupby(page.found, key=attrgetter("source"))
        for found in _select(group, source, job)
    ]


def _named_output(found: ListedObject, job: Job, rules: Rules) -> str | None:
    if not is_supported(found.uri, rules.input_formats):
        return None
    extension = job.config.formats[0].extension
    return planned_output(found.uri, found.source, job.output.layout, job.output.uri, extension)


def _select(group: Iterable[ListedObject], source: Source, job: Job) -> Iterable[ListedObject]:
    if source.kind is SourceKind.FILE:
        return group
    among_outputs = writes_among_inputs(source, job.output.layout, job.output.uri)
    extensions = transcript_extensions(job.config.formats) if among_outputs else ()
    admits = source.path_filter().admits
    return (
        found
        for found in group
        if not is_ignored(found.uri, found.size_bytes or 0, transcript_extensions=extensions)
        and not is_macos_metadata(path := source.path_of(found.uri))
        and admits(path)
    )


def _row(job: Job, seq: int, wanted: AdmittedFile, names: OutputNames, cutter: ShardCutter) -> dict[str, Any]:
    found = wanted.found
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
    if found.is_link:
        return row | _end(Outcome.skipped(_link()))
    if wanted.output_uri is None:
        return row | _refuse(wanted)
    output_uri = names.claim(wanted.output_uri, found.uri)
    if not fits(output_uri):
        return row | _end(Outcome.failed(too_long(output_uri)))
    row["output_uri"] = output_uri
    row["shard"] = cutter.add(found.uri, found.size_bytes)
    return row


def _refuse(wanted: AdmittedFile) -> dict[str, Any]:
    """Skip an unsupported file below a prefix, where other files are to be expected. Fail one that was named itself."""
    accepted = ", ".join(wanted.accepted)
    error = UnsupportedMedia(f"The file's name has none of the accepted extensions: {accepted}.")
    skips = wanted.found.source.kind is SourceKind.PREFIX
    return _end(Outcome.skipped(error) if skips else Outcome.failed(error))


def _link() -> LocationNotAllowed:
    return LocationNotAllowed("Symbolic links in a folder are not followed; name the recording itself.")


def _end(outcome: Outcome) -> dict[str, Any]:
    return {"state": outcome.state, "error_code": outcome.error_code, "error_message": outcome.error_message}
