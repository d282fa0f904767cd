"""The rounds of `batchscribe watch`: each lists the source and runs what is new as one job, with one warm worker."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace

import typer

from batchscribe.cli.process.signals import EndRequest
from batchscribe.cli.settled_recordings import ExaminedRecording, SettledRecordings
from batchscribe.database.job_rows import find_job
from batchscribe.database.watched_rows import (
    WatchedRecording,
    find_unfinished_jobs,
    forget_watched,
    mark_done,
    read_watched,
    store_watched,
    take_back,
)
from batchscribe.errors import StorageError
from batchscribe.intake.submission import Submission, new_job_id
from batchscribe.intake.submit import submit
from batchscribe.jobs.model import Job
from batchscribe.jobs.source import Source
from batchscribe.queue.records import Records
from batchscribe.settings import Settings
from batchscribe.wire.choices import JobState
from batchscribe.wire.uris import FILE_SCHEME, scheme_of

LOOK_SEC = 0.2
FOLDER_SEC, BUCKET_SEC = 10.0, 60.0  #: between listings
LONGEST_PAUSE_SEC = 300.0  #: while the storage fails
#: The recordings of one job: a job names them in its globs, and a listing compares each object with each glob.
MAX_RECORDINGS = 500
GLOB_CHARACTERS = str.maketrans({character: f"\\{character}" for character in r"\*?[]{}"})


@dataclass(frozen=True, slots=True)
class Pace:
    """When a watch looks. `every_sec` is by default that of the place."""

    every_sec: float | None
    settle_sec: float
    once: bool


@dataclass(frozen=True, slots=True)
class WatchWork:
    """What a watch needs of the process that it runs in."""

    records: Records
    settings: Settings
    end: EndRequest
    check_worker: Callable[[], None]  #: raises the error that ends the process
    follow: Callable[[Job], tuple[Job, int]]  #: works on a job until it ends or a signal arrives


def name_watch(submission: Submission) -> str:
    """Return a name that stays the same if options change that do not move transcripts, such as the language."""
    output = submission.output
    facts = [[asdict(source) for source in submission.sources], output.uri, output.layout]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def find_unfinished(watch: str, records: Records) -> Job | None:
    """Return the job that an earlier process left, and forget recordings whose job was never submitted."""
    found = None
    with records.transaction() as connection:
        for job_id in find_unfinished_jobs(connection, watch):
            job = find_job(connection, job_id)
            if job is None:
                take_back(connection, watch, job_id)
            else:
                found = job
    return found


class LocalWatch:
    """A watch with its worker. `name` identifies its rows."""

    def __init__(
        self,
        name: str,
        submission: Submission,
        work: WatchWork,
        recordings: SettledRecordings,
        pace: Pace,
        *,
        status: int = 0,
    ) -> None:
        self._name = name
        self._submission = submission
        self._work = work
        self._records = work.records
        self._recordings = recordings
        self._pace = pace
        self.status = status  #: 1 after a job in which something failed

    def run(self) -> int:
        """Look once or until a signal arrives, and return the exit status. Raises `StorageError` if once."""
        if self._pace.once:
            self._look_once()
        else:
            self._look_forever()
        return self._work.end.status or self.status

    def _look_once(self) -> None:
        """List twice, with the time to settle in between."""
        self._recordings.find()
        self._pause(self._pace.settle_sec)
        while not self._work.end.has_come and self._look():
            pass

    def _look_forever(self) -> None:
        """Look until a signal arrives. While the storage fails, pauses become longer."""
        uri = self._submission.sources[0].uri
        every_sec = self._pace.every_sec or (FOLDER_SEC if scheme_of(uri) == FILE_SCHEME else BUCKET_SEC)
        typer.echo(f"Watching {uri} every {every_sec:g} s. Ctrl-C ends it.", err=True)
        pause_sec = every_sec
        while not self._work.end.has_come:
            try:
                pause_sec = 0.0 if self._look() else every_sec
            except StorageError as error:
                pause_sec = min(max(pause_sec, every_sec) * 2, LONGEST_PAUSE_SEC)
                typer.echo(f"Warning: {error.message} The next attempt is in {pause_sec:g} s.", err=True)
            self._pause(pause_sec)

    def resume(self, job: Job) -> None:
        """Resume the job of an earlier process. If it fails as a whole, the next round repeats it."""
        typer.echo(f"Resuming {job.job_id}.", err=True)
        try:
            self._follow(job)
        except StorageError as error:
            typer.echo(f"Warning: {error.message}", err=True)

    def _look(self) -> bool:
        """Run what is new as a job, and what replaces a recording as another. Return whether there was anything.

        Raises `StorageError`.
        """
        settled = self._recordings.find()
        with self._records.transaction() as connection:
            known = read_watched(connection, self._name)
        new: list[WatchedRecording] = []
        for finding in self._recordings.examine(settled, known):
            if self._work.end.has_come:
                return False
            if finding.is_new:
                new.append(finding.recording)
            else:
                self._store_copy(finding, known)
            if len(new) == MAX_RECORDINGS:
                break
        for replaces in (False, True):
            taken = [each for each in new if each.replaces is replaces]
            if taken and not self._work.end.has_come:
                self._transcribe(taken, known, replaces=replaces)
        return bool(new)

    def _store_copy(self, finding: ExaminedRecording, known: dict[str, WatchedRecording]) -> None:
        copy = finding.recording
        before = known.get(copy.uri)
        if before is None or before.content != copy.content:
            typer.echo(f"Not transcribed again, because its content is known: {copy.uri}", err=True)
        with self._records.transaction() as connection:
            store_watched(connection, self._name, [copy])

    def _transcribe(
        self, taken: Sequence[WatchedRecording], known: dict[str, WatchedRecording], *, replaces: bool
    ) -> None:
        job_id = new_job_id()
        output = self._submission.output
        submission = replace(
            self._submission,
            job_id=job_id,
            sources=(_name_recordings(self._submission.sources[0], taken),),
            output=output.model_copy(update={"overwrite": True}) if replaces else output,
        )
        with self._records.transaction() as connection:
            forget_watched(connection, self._name, _copies_without_transcript(taken, known))
            recorded = [replace(each, job_id=job_id, is_done=False) for each in taken]
            store_watched(connection, self._name, recorded)
        self._follow(submit(submission, self._records, self._work.settings))

    def _follow(self, job: Job) -> None:
        """Work on the job until it ends or a signal arrives.

        Raises `StorageError` if its files could not be listed: the next round takes them again.
        """
        job, status = self._work.follow(job)
        if not job.is_final:
            return
        self.status = max(self.status, status)
        is_cut_short = job.state is JobState.FAILED and not job.cursor.listed
        settle_rows = take_back if is_cut_short else mark_done
        with self._records.transaction() as connection:
            settle_rows(connection, self._name, job.job_id)
        if is_cut_short:
            raise StorageError(f"{job.job_id} failed before its files were listed: {job.error_message}")

    def _pause(self, sec: float) -> None:
        until = time.monotonic() + sec
        while not self._work.end.has_come and (left_sec := until - time.monotonic()) > 0:
            self._work.check_worker()
            time.sleep(min(LOOK_SEC, left_sec))


def _name_recordings(source: Source, taken: Sequence[WatchedRecording]) -> Source:
    """Return the prefix with only these recordings, so that transcripts get the folders of the prefix."""
    globs = tuple(f"/{source.path_of(each.uri).translate(GLOB_CHARACTERS)}" for each in taken)
    return replace(source, include=globs, exclude=())


def _copies_without_transcript(taken: Sequence[WatchedRecording], known: dict[str, WatchedRecording]) -> list[str]:
    """Return the other copies of contents whose transcript is about to be replaced: each needs its own from now on."""
    lost = {known[each.uri].content for each in taken if each.replaces and known[each.uri].job_id is not None}
    return [uri for uri, each in known.items() if each.job_id is None and each.content in lost]
