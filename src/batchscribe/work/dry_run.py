"""What a job would do, told without storing anything."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

from batchscribe.errors import OutputNameTooLong, StorageError, StorageUnavailable
from batchscribe.jobs.layout import OutputNames
from batchscribe.jobs.model import File, Job
from batchscribe.jobs.source import SourceKind, named_files
from batchscribe.settings import Settings
from batchscribe.storage.access import Access
from batchscribe.storage.routed import connect
from batchscribe.storage.store import Store
from batchscribe.wire.model import JsonObject
from batchscribe.wire.states import FileState
from batchscribe.wire.uris import without_query
from batchscribe.work.file_roots import roots_of
from batchscribe.work.listing import Found, Page, pages
from batchscribe.work.naming import Look
from batchscribe.work.plan import Planned, Rules, Wanted, plan, wanted_of
from batchscribe.work.planned_names import PlannedNames, settled
from batchscribe.work.submit import NOBODY, Hearing, Submission, planned_job
from batchscribe.work.written import Existing, look_in

MOST_PLANNED = 100  # extensions.md, row 1
SIZES_AT_ONCE = 8
#: Shares of `dry_run_max_sec`: together they are the whole of it, so that the thread ends when its request is answered.
LOOKING, ONE_ANSWER = 0.75, 0.25


@dataclass(slots=True)
class Preview:
    """The counts so far; `complete` once everything was looked at."""

    job: Job
    complete: bool = False
    matched: int = 0
    skipped: int = 0
    refused: int = 0  #: named by themselves, and nothing that is transcribed
    excluded: int = 0
    missing: int = 0
    too_long: int = 0  #: names of transcripts
    renamed: int = 0
    bytes: int = 0
    audio_sec: float = 0.0
    planned: list[tuple[str, str]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def body(self) -> JsonObject:
        return {
            "dry_run": True,
            "complete": self.complete,
            "matched": self.matched,
            "skipped": self.skipped,
            "excluded": self.excluded,
            "bytes": self.bytes,
            "estimated_audio_hours": round(self.audio_sec / 3600, 3),
            "planned": [{"input_uri": without_query(uri), "output_uri": output} for uri, output in self.planned],
            "warnings": self.warnings(),
            "input": dict(self.job.input),
            "output": self.job.output.echo(),
            "config": self.job.config.echo(),
        }

    def warnings(self) -> list[str]:
        told = list(self.problems)
        if self.complete and not self.matched:
            told.append("No file would be transcribed; check the input's URI and the filters.")
        if self.refused:
            told.append(f"{self.refused} named files are neither WAV, MP3, M4A nor MP4 by their names, and would fail.")
        if self.too_long:
            told.append(
                f"{self.too_long} files would fail: their transcripts' names are longer than the storage allows."
            )
        if self.missing:
            told.append(f"{self.missing} named files were not found, and would fail.")
        if self.renamed:
            told.append(f"{self.renamed} transcripts get another name, because the first belongs to another recording.")
        return told


def dry_run(submission: Submission, settings: Settings, fleet: Hearing = NOBODY) -> Preview:
    """Begins nothing after three quarters of the settings' `dry_run_max_sec`, and then tells what it has found.

    Raises as `submit` does, and `StorageError` when the input cannot be listed.
    """
    deadline = time.monotonic() + settings.dry_run_max_sec * LOOKING
    job = planned_job(submission, settings, fleet)
    preview, inputs = Preview(job, problems=list(submission.warnings)), named_files(job.sources)
    names = OutputNames(lambda uri: uri in inputs)
    store, output = _stores(submission, settings)
    try:
        _look_through(preview, store, names, settings, deadline)
    except StorageUnavailable:
        if not preview.matched:
            raise
        preview.problems.append("The storage stopped answering; only the files listed before are counted.")
    _settle_names(preview, store, look_in(output, job.output), names, deadline)
    return preview


def _stores(submission: Submission, settings: Settings) -> tuple[Store, Store]:
    """Of input and output, which give up on an answer in time: no thread that waits for one outlives its request."""
    access = Access.from_settings(
        settings, file_roots=roots_of(settings.file_roots, submission.tenant), aws=submission.input_aws
    )
    access = replace(access, patience_sec=settings.dry_run_max_sec * ONE_ANSWER)
    output = replace(access, aws=submission.output_aws or submission.input_aws)
    return connect(replace(access, signed_urls=submission.signed_urls)), connect(output)


def _settle_names(preview: Preview, store: Store, look: Look, names: OutputNames, deadline: float) -> None:
    """Of the files that are told one by one, for as long as there is time: see `naming`."""

    def look_in_time(uri: str) -> Existing | None:
        return look(uri) if time.monotonic() < deadline else None

    files = [File(0, seq, None, uri, output) for seq, (uri, output) in enumerate(preview.planned)]
    planned = PlannedNames(files, lambda uri: not names.is_free(uri))
    found = settled(files, preview.job.output.layout, look_in_time, store.stat, planned)
    preview.renamed += sum(1 for file, before in zip(found, files, strict=True) if file.output_uri != before.output_uri)
    preview.planned = [(file.input_uri, file.output_uri) for file in found]


def _look_through(preview: Preview, store: Store, names: OutputNames, settings: Settings, deadline: float) -> None:
    job = preview.job
    rules = Rules(speed=job.speed, max_files=settings.max_files, extra_formats=settings.extra_formats)
    for page in pages(job, store):
        if time.monotonic() > deadline:
            looked_sec = settings.dry_run_max_sec * LOOKING
            preview.problems.append(f"Only the first {looked_sec:g} s of the listing were looked at.")
            return
        _count(preview, _with_sizes(page, store, preview, deadline), names, rules)
        if preview.matched > settings.max_files:
            preview.problems.append(f"The job has more than {settings.max_files} files, and would fail; split it.")
            return
    preview.complete = True


def _with_sizes(page: Page, store: Store, preview: Preview, deadline: float) -> Page:
    """Asks for the sizes of files that were named one by one, as a dry run may."""
    unknown = [found for found in page.found if found.size_bytes is None]
    if not unknown:
        return page

    def size(found: Found) -> int | None:
        if time.monotonic() > deadline:
            return 0
        try:
            return store.stat(found.uri).size
        except StorageUnavailable:
            raise  # it may well be there
        except StorageError:
            return None

    with ThreadPoolExecutor(SIZES_AT_ONCE, thread_name_prefix="size-") as threads:
        sizes = dict(zip(unknown, threads.map(size, unknown), strict=True))
    preview.missing += sum(1 for known in sizes.values() if known is None)
    return replace(
        page, found=tuple(replace(found, size_bytes=sizes.get(found, found.size_bytes)) for found in page.found)
    )


def _count(preview: Preview, page: Page, names: OutputNames, rules: Rules) -> None:
    wanted = wanted_of(page, preview.job, rules)
    planned = plan(preview.job, wanted, names, rules)
    preview.excluded += sum(1 for found in page.found if found.source.kind is SourceKind.PREFIX) - sum(
        1 for each in wanted if each.found.source.kind is SourceKind.PREFIX
    )
    preview.skipped += planned.counted.skipped
    too_long = sum(1 for row in planned.rows if row["error_code"] == OutputNameTooLong.code)
    preview.too_long += too_long
    preview.refused += planned.counted.failed - too_long
    preview.audio_sec += planned.audio_sec
    _count_rows(preview, wanted, planned)


def _count_rows(preview: Preview, wanted: list[Wanted], planned: Planned) -> None:
    for each, row in zip(wanted, planned.rows, strict=True):
        if row["state"] is not FileState.QUEUED:
            continue
        preview.matched += 1
        preview.bytes += row["size_bytes"] or 0
        preview.renamed += row["output_uri"] != each.output_uri
        if len(preview.planned) < MOST_PLANNED:
            preview.planned.append((row["input_uri"], row["output_uri"]))
