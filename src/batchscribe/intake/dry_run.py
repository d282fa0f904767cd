"""A preview of what a job would do, without storing anything."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache

from batchscribe.errors import StorageError, StorageUnavailable
from batchscribe.intake.checks import is_left_open, plan_job
from batchscribe.intake.planned_names import PlannedNames, settle_names
from batchscribe.intake.preview import Preview
from batchscribe.intake.submission import Submission
from batchscribe.jobs.layout import OutputNames
from batchscribe.jobs.model import File
from batchscribe.jobs.source import named_files
from batchscribe.settings import Settings
from batchscribe.stages.engine_choice import NO_WORKERS, FleetEngines
from batchscribe.stages.existing_output import ExistingOutput, look_in
from batchscribe.stages.listing import ListedObject, ListingPage, list_pages
from batchscribe.stages.naming import Look
from batchscribe.stages.page_plan import Rules
from batchscribe.storage.access import Access
from batchscribe.storage.local.roots import roots_of
from batchscribe.storage.schemes import connect
from batchscribe.storage.store import Store

SIZES_AT_ONCE = 8
#: Shares of `dry_run_max_sec`. Their sum is 1, so that the thread ends before its request times out.
LOOKING, ONE_ANSWER = 0.75, 0.25
NO_WORKER = (
    "No worker is live. The job would wait for one, which chooses the engine, or fails the job if none can do it."
)


def dry_run(submission: Submission, settings: Settings, fleet: FleetEngines = NO_WORKERS) -> Preview:
    """Preview a job. After three quarters of `dry_run_max_sec`, starts nothing new and reports what it found.

    Raises as `submit` does, and `StorageError` if the input cannot be listed.
    """
    deadline = time.monotonic() + settings.dry_run_max_sec * LOOKING
    job = plan_job(submission, settings, fleet)
    preview, inputs = Preview(job, problems=list(submission.warnings)), named_files(job.sources)
    if is_left_open(submission, settings, fleet):
        preview.problems.append(NO_WORKER)
    names = OutputNames(lambda uri: uri in inputs)
    store, output = _connect_stores(submission, settings)
    try:
        _read_listing(preview, store, names, settings, deadline)
    except StorageUnavailable:
        if not preview.matched:
            raise
        preview.problems.append("The storage stopped answering; only the files listed before are counted.")
    _settle_names(preview, store, look_in(output, job.output, job.config.formats), names, deadline)
    return preview


def _connect_stores(submission: Submission, settings: Settings) -> tuple[Store, Store]:
    """Return the stores of input and output. Short time limits ensure that no waiting thread outlives its request."""
    access = Access(
        settings,
        file_roots=(*roots_of(settings.file_roots, submission.tenant), *submission.file_roots),
        credentials=submission.input_credentials,
        patience_sec=settings.dry_run_max_sec * ONE_ANSWER,
    )
    output = replace(access, credentials=submission.credentials_of_output)
    return connect(replace(access, signed_urls=submission.signed_urls)), connect(output)


def _settle_names(preview: Preview, store: Store, look: Look, names: OutputNames, deadline: float) -> None:
    """Rename planned transcripts as the job would (see `naming`), until the deadline, and count those that exist."""

    @cache
    def look_in_time(uri: str) -> ExistingOutput | None:
        return look(uri) if time.monotonic() < deadline else None

    files = [File(0, seq, None, uri, output) for seq, (uri, output) in enumerate(preview.planned)]
    planned = PlannedNames(files, lambda uri: not names.is_free(uri))
    found = settle_names(files, preview.job.output.layout, look_in_time, store.stat, planned)
    preview.renamed += sum(1 for file, before in zip(found, files, strict=True) if file.output_uri != before.output_uri)
    preview.planned = [(file.input_uri, file.output_uri) for file in found]
    if not preview.job.output.overwrite:
        preview.existing = sum(1 for file in found if _is_complete(file.output_uri, look_in_time))


def _is_complete(output_uri: str, look: Look) -> bool:
    """Return whether a transcript is stored in every format. A failure of the storage is left to the job."""
    try:
        existing = look(output_uri)
    except StorageError:
        return False
    return existing is not None and existing.is_complete


def _read_listing(preview: Preview, store: Store, names: OutputNames, settings: Settings, deadline: float) -> None:
    job = preview.job
    rules = Rules(speed=job.speed, max_files=settings.max_files, input_formats=settings.input_formats)
    for page in list_pages(job, store):
        if time.monotonic() > deadline:
            looked_sec = settings.dry_run_max_sec * LOOKING
            preview.problems.append(f"The listing stopped after {looked_sec:g} s; later files are not counted.")
            return
        preview.count(_fetch_sizes(page, store, preview, deadline), names, rules)
        if preview.matched > settings.max_files:
            preview.problems.append(f"The job has more than {settings.max_files} files, and would fail; split it.")
            return
    preview.complete = True


def _fetch_sizes(page: ListingPage, store: Store, preview: Preview, deadline: float) -> ListingPage:
    """Return the page with the sizes of the files that were named individually."""
    unknown = [found for found in page.found if found.size_bytes is None]
    if not unknown:
        return page

    def size(found: ListedObject) -> int | None:
        if time.monotonic() > deadline:
            return 0
        try:
            return store.stat(found.uri).size
        except StorageUnavailable:
            raise  # the file may exist
        except StorageError:
            return None

    with ThreadPoolExecutor(SIZES_AT_ONCE, thread_name_prefix="size-") as threads:
        sizes = dict(zip(unknown, threads.map(size, unknown), strict=True))
    preview.missing += sum(1 for known in sizes.values() if known is None)
    return replace(
        page, found=tuple(replace(found, size_bytes=sizes.get(found, found.size_bytes)) for found in page.found)
    )
