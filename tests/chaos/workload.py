"""A client that submits jobs all the time, and knows what must become of each."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random
from typing import Any

import httpx2

from batchscribe.wire.states import FileState, JobState
from tests.chaos.calls import call
from tests.chaos.ledger import Ledger
from tests.chaos.receiver import SECRET
from tests.servers.s3_server import S3Server

PREFIX = "/v2/aiservices/scribe"
CALLS, TRANSCRIPTS = "calls", "transcripts"  #: where in the bucket
REQUEST_SEC = 10.0
RETRY_SEC = 0.5
FINAL = {JobState.SUCCEEDED, JobState.PARTIAL, JobState.FAILED, JobState.CANCELED}


class Kind(StrEnum):
    """Of an object among the inputs."""

    SHORT = "short"  #: a call of one window
    LONG = "long"  #: of two
    BROKEN = "broken"  #: a name that says WAV, and noise in it
    OTHER = "other"  #: no recording
    DEADLY = "deadly"  #: a call under which its worker dies


FATES = {
    Kind.SHORT: FileState.SUCCEEDED,
    Kind.LONG: FileState.SUCCEEDED,
    Kind.BROKEN: FileState.FAILED,
    Kind.OTHER: FileState.SKIPPED,
    Kind.DEADLY: FileState.FAILED,
}


@dataclass(frozen=True, slots=True)
class Call:
    """One object of a job's input. `number` is what a recording says."""

    bucket: str
    key: str
    number: int
    kind: Kind

    @property
    def input_uri(self) -> str:
        return f"s3://{self.bucket}/{self.key}"

    @property
    def fate(self) -> FileState:
        return FATES[self.kind]

    @property
    def windows(self) -> int:
        return {Kind.SHORT: 1, Kind.LONG: 2}.get(self.kind, 0)

    def content(self) -> bytes:
        match self.kind:
            case Kind.BROKEN:
                return b"RIFF\xff\xff\xff\x7fWAVEfmt " + bytes(self.number % 251 for _ in range(2000))
            case Kind.OTHER:
                return b"nothing to hear"
        return call(self.number, pieces=max(1, self.windows))


@dataclass(slots=True)
class PostedJob:
    """A job as its client sees it."""

    name: str  #: the Idempotency-Key, too
    calls: tuple[Call, ...]
    mode: str
    job_id: str = ""
    state: str = ""
    asked_to_cancel: bool = False

    @property
    def is_final(self) -> bool:
        return self.state in FINAL

    def expected_state(self) -> JobState:
        fates = {item.fate for item in self.calls}
        if FileState.SUCCEEDED not in fates:
            return JobState.FAILED if FileState.FAILED in fates else JobState.SUCCEEDED
        return JobState.PARTIAL if FileState.FAILED in fates else JobState.SUCCEEDED


@dataclass(slots=True)
class Workload:
    """Not thread-safe: one thread submits, looks and cancels."""

    url: str  #: of the API under test
    webhook_url: str
    s3: S3Server  #: without bad days: inputs are put past the proxy
    bucket: str
    ledger: Ledger
    random: Random
    mean_files: int
    jobs: list[PostedJob] = field(default_factory=list)
    refusals: int = 0  #: answers 5xx and connections that broke
    _next_number: int = 1

    def keep_busy(self, unfinished: int) -> None:
        """Look at all jobs under way; submit one more when fewer than `unfinished` are."""
        for job in self.unfinished():
            self.look(job)
        if len(self.unfinished()) < unfinished:
            self.submit()

    def unfinished(self) -> list[PostedJob]:
        return [job for job in self.jobs if not job.is_final]

    def submit(self, calls: Sequence[Call] = ()) -> PostedJob:
        """By default a job of calls made up for it; one of these is a prefix with nothing else below it."""
        job = PostedJob(self._new_name(), tuple(calls), "PREFIX") if calls else self._new_job()
        for item in job.calls:
            self.s3.put(self.bucket, item.key, item.content())
        self.jobs.append(job)
        self.try_again(job)
        return job

    def try_again(self, job: PostedJob) -> None:
        """One more request under the same Idempotency-Key, unless the job has an id."""
        answer = None if job.job_id else self._ask("POST", "/jobs", self._body(job), {"Idempotency-Key": job.name})
        if answer is not None:
            job.job_id = answer["job_id"]
            self.ledger.note("submitted", name=job.name, job_id=job.job_id)

    def look(self, job: PostedJob) -> None:
        self.try_again(job)
        answer = self._ask("GET", f"/jobs/{job.job_id}") if job.job_id else None
        if answer is not None:
            job.state = answer["state"]

    def cancel(self, job: PostedJob) -> None:
        """It may have ended before, and if not it has after the answer."""
        job.asked_to_cancel = True
        while not job.is_final and self._ask("DELETE", f"/jobs/{job.job_id}") is None:
            time.sleep(RETRY_SEC)
            self.look(job)
        self.ledger.note("canceled", job_id=job.job_id)

    def _ask(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, headers: Mapping[str, str] | None = None
    ) -> dict[str, Any] | None:
        """None when the service is in trouble, or the job is past being canceled."""
        try:
            answer = httpx2.request(
                method, f"{self.url}{PREFIX}{path}", json=body, headers=headers, timeout=REQUEST_SEC
            )
        except httpx2.HTTPError:
            self.refusals += 1
            return None
        if answer.status_code >= 500:
            self.refusals += 1
            return None
        if answer.status_code == 409 and method == "DELETE":
            return {}
        assert answer.status_code < 300, (method, path, answer.status_code, answer.text)
        found: dict[str, Any] = json.loads(answer.content or b"{}")
        return found

    def _new_name(self) -> str:
        return f"job-{len(self.jobs):04}"

    def _new_job(self) -> PostedJob:
        name = self._new_name()
        size = 1 + int(self.random.expovariate(1 / self.mean_files))
        mode = self.random.choices(["PREFIX", "MANIFEST", "SINGLE"], [6, 2, 1])[0]
        size = 1 if mode == "SINGLE" else min(size, 4 * self.mean_files)
        return PostedJob(name, tuple(self._new_call(name, mode) for _ in range(size)), mode)

    def _new_call(self, job_name: str, mode: str) -> Call:
        number = self._next_number
        self._next_number += 1
        kinds = [Kind.SHORT] if mode == "SINGLE" else [Kind.SHORT, Kind.LONG, Kind.BROKEN, Kind.OTHER]
        kind = self.random.choices(kinds, [88, 4, 5, 3][: len(kinds)])[0]
        if mode == "MANIFEST" and kind is Kind.OTHER:
            kind = Kind.SHORT
        extension = "txt" if kind is Kind.OTHER else "wav"
        return Call(self.bucket, f"{CALLS}/{job_name}/{number}.{extension}", number, kind)

    def _body(self, job: PostedJob) -> dict[str, Any]:
        keys = {"access_key_id": self.s3.access_key_id, "secret_access_key": self.s3.secret_access_key}
        auth = {"aws": keys}
        source: dict[str, Any] = {"mode": job.mode, "source": "S3", "auth": auth}
        match job.mode:
            case "PREFIX":
                source["uri"] = f"s3://{self.bucket}/{CALLS}/{job.name}/"
            case "MANIFEST":
                source["manifest"] = [item.input_uri for item in job.calls]
            case _:
                source["uri"] = job.calls[0].input_uri
        layout = "SINGLE" if job.mode == "SINGLE" else "PREFIX"
        place = f"s3://{self.bucket}/{TRANSCRIPTS}/{job.name}/" + ("1.json" if job.mode == "SINGLE" else "")
        return {
            "input": source,
            "output": {"destination": "S3", "uri": place, "layout": layout, "overwrite": False, "auth": auth},
            "config": {"language": "en-US", "segmentation_mode": "none"},
            "notifications": {"webhook_url": self.webhook_url, "secret": SECRET},
            "reference_id": job.name,
        }
