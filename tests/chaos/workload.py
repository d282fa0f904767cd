"""A client that submits jobs all the time, and knows the correct result of each."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random
from typing import Any

import httpx2

from batchscribe.wire.choices import FileState, JobState
from tests.chaos.calls import call
from tests.chaos.ledger import Ledger
from tests.chaos.receiver import SECRET
from tests.servers.s3_server import S3Server

PREFIX = "/v2/aiservices/scribe"
CALLS, TRANSCRIPTS = "calls", "transcripts"  #: its key prefix in the bucket
REQUEST_SEC = 10.0
DRY_SEC = 40.0  #: twice the time limit of a dry run
RETRY_SEC = 0.5
FINAL = {JobState.SUCCEEDED, JobState.PARTIAL, JobState.FAILED, JobState.CANCELED}


class Kind(StrEnum):
    """The kind of an input object."""

    SHORT = "short"  #: a call of one window
    LONG = "long"  #: of two
    BROKEN = "broken"  #: noise with the name of a WAV
    OTHER = "other"  #: not a recording
    HOURS = "hours"  #: with many windows, so that it takes long
    DEADLY = "deadly"  #: a call that kills its worker


HOURS_WINDOWS = 8
FATES = {
    Kind.SHORT: FileState.SUCCEEDED,
    Kind.LONG: FileState.SUCCEEDED,
    Kind.HOURS: FileState.SUCCEEDED,
    Kind.BROKEN: FileState.FAILED,
    Kind.OTHER: FileState.SKIPPED,
    Kind.DEADLY: FileState.FAILED,
}
#: The error codes of broken inputs. No fault of a machine may cause another code.
CODES = {Kind.BROKEN: "CORRUPT_MEDIA", Kind.DEADLY: "FILE_CRASHED_WORKER"}


@dataclass(frozen=True, slots=True)
class Call:
    """One input object of a job. `number` is what a recording says."""

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
        return {Kind.SHORT: 1, Kind.LONG: 2, Kind.HOURS: HOURS_WINDOWS}.get(self.kind, 0)

    @property
    def code(self) -> str | None:
        """The correct error code."""
        return CODES.get(self.kind)

    def content(self) -> bytes:
        match self.kind:
            case Kind.BROKEN:
                return b"RIFF\xff\xff\xff\x7fWAVEfmt " + bytes(self.number % 251 for _ in range(2000))
            case Kind.OTHER:
                return b"nothing to hear"
        return call(self.number, pieces=max(1, self.windows))


@dataclass(frozen=True, slots=True)
class Tenant:
    name: str
    secret: str  #: of its API key

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.secret}"}


@dataclass(slots=True)
class PostedJob:
    """A job as the client sees it."""

    name: str  #: also the Idempotency-Key
    calls: tuple[Call, ...]
    mode: str
    tenant: Tenant
    wants_events: bool
    posted_at: float = 0.0  #: by the monotonic clock
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
    """A client. Not thread-safe: one thread submits, polls and cancels."""

    url: str  #: of the API under test
    webhook_url: str | None
    s3: S3Server  #: without faults: inputs bypass the proxy
    bucket: str
    ledger: Ledger
    random: Random
    mean_files: int
    tenant: Tenant
    name: str = "job"  #: prefix of its job names
    first_number: int = 1  #: first number of its calls; no other client has these numbers
    jobs: list[PostedJob] = field(default_factory=list)
    refusals: int = 0  #: 5xx answers and broken connections
    _calls: int = 0

    def keep_busy(self, unfinished: int) -> None:
        """Poll all unfinished jobs; submit another if there are fewer than `unfinished`."""
        for job in self.unfinished():
            self.look(job)
        if len(self.unfinished()) < unfinished:
            self.submit()

    def unfinished(self) -> list[PostedJob]:
        return [job for job in self.jobs if not job.is_final]

    def submit(self, calls: Sequence[Call] = ()) -> PostedJob:
        """Submit a job, by default of new calls. A single one may be a prefix with nothing else below it."""
        return self._post(self._job(self._new_name(), calls) if calls else self._new_job())

    def submit_new(self, *kinds: Kind, bucket: str | None = None) -> PostedJob:
        """Submit a prefix with a call of each of these kinds."""
        name = self._new_name()
        calls = [self._new_call(name, kind, bucket or self.bucket) for kind in kinds]
        return self._post(self._job(name, calls))

    def _job(self, name: str, calls: Sequence[Call], mode: str = "PREFIX") -> PostedJob:
        return PostedJob(name, tuple(calls), mode, self.tenant, wants_events=self.webhook_url is not None)

    def _post(self, job: PostedJob) -> PostedJob:
        for item in job.calls:
            self.s3.put(item.bucket, item.key, item.content())
        self.jobs.append(job)
        job.posted_at = time.monotonic()
        self.try_again(job)
        return job

    def try_again(self, job: PostedJob) -> None:
        """Repeat the request with the same Idempotency-Key, unless the job has an ID."""
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
        """Cancel a job. It has ended before or after the answer."""
        job.asked_to_cancel = True
        while not job.is_final and not (job.job_id and self._ask("DELETE", f"/jobs/{job.job_id}") is not None):
            time.sleep(RETRY_SEC)
            self.look(job)
        self.ledger.note("canceled", job_id=job.job_id)

    def ask_dry(self, bucket: str) -> int | None:
        """Return the status of a dry run over a bucket; None without an answer. Thread-safe."""
        job = self._job("dry", [Call(bucket, f"{CALLS}/dry/1.wav", 0, Kind.SHORT)])
        url = f"{self.url}{PREFIX}/jobs?dry_run=true"
        try:
            return httpx2.post(url, json=self._body(job), headers=self.tenant.headers, timeout=DRY_SEC).status_code
        except httpx2.HTTPError:
            return None

    def _ask(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, headers: Mapping[str, str] | None = None
    ) -> dict[str, Any] | None:
        """Send a request. Return None if the service is in trouble, or if the job can no longer be canceled."""
        try:
            answer = httpx2.request(
                method,
                f"{self.url}{PREFIX}{path}",
                json=body,
                headers={**self.tenant.headers, **(headers or {})},
                timeout=REQUEST_SEC,
            )
        except httpx2.HTTPError:
            self.refusals += 1
            return None
        if answer.status_code >= 500 or _is_without_engine(answer):
            self.refusals += 1
            return None
        if method == "DELETE" and _reason(answer) == "JOB_NOT_CANCELABLE":
            return {}
        assert answer.status_code < 300, (method, path, answer.status_code, answer.text)
        found: dict[str, Any] = json.loads(answer.content or b"{}")
        return found

    def _new_name(self) -> str:
        return f"{self.name}-{len(self.jobs):04}"

    def _new_job(self) -> PostedJob:
        name = self._new_name()
        size = 1 + int(self.random.expovariate(1 / self.mean_files))
        mode = self.random.choices(["PREFIX", "MANIFEST", "SINGLE"], [6, 2, 1])[0]
        size = 1 if mode == "SINGLE" else min(size, 4 * self.mean_files)
        kinds = [self._any_kind(mode) for _ in range(size)]
        return self._job(name, [self._new_call(name, kind, self.bucket) for kind in kinds], mode)

    def _any_kind(self, mode: str) -> Kind:
        kinds = [Kind.SHORT] if mode == "SINGLE" else [Kind.SHORT, Kind.LONG, Kind.BROKEN, Kind.OTHER]
        kind = self.random.choices(kinds, [88, 4, 5, 3][: len(kinds)])[0]
        return Kind.SHORT if mode == "MANIFEST" and kind is Kind.OTHER else kind

    def _new_call(self, job_name: str, kind: Kind, bucket: str) -> Call:
        number = self.first_number + self._calls
        self._calls += 1
        extension = "txt" if kind is Kind.OTHER else "wav"
        return Call(bucket, f"{CALLS}/{job_name}/{number}.{extension}", number, kind)

    def _body(self, job: PostedJob) -> dict[str, Any]:
        keys = {"access_key_id": self.s3.access_key_id, "secret_access_key": self.s3.secret_access_key}
        auth = {"aws": keys}
        source: dict[str, Any] = {"mode": job.mode, "source": "S3", "auth": auth}
        match job.mode:
            case "PREFIX":
                source["uri"] = f"s3://{job.calls[0].bucket}/{CALLS}/{job.name}/"
            case "MANIFEST":
                source["manifest"] = [item.input_uri for item in job.calls]
            case _:
                source["uri"] = job.calls[0].input_uri
        layout = "SINGLE" if job.mode == "SINGLE" else "PREFIX"
        place = f"s3://{self.bucket}/{TRANSCRIPTS}/{job.name}/" + ("1.json" if job.mode == "SINGLE" else "")
        told = {"notifications": {"webhook_url": self.webhook_url, "secret": SECRET}} if self.webhook_url else {}
        return told | {
            "input": source,
            "output": {"destination": "S3", "uri": place, "layout": layout, "overwrite": False, "auth": auth},
            "config": {"language": "en-US", "segmentation_mode": "none"},
            "reference_id": job.name,
        }


def _is_without_engine(answer: httpx2.Response) -> bool:
    """Return whether the server has no engine. A server without its model accepts no job; the client retries."""
    return _reason(answer) == "ENGINE_NOT_AVAILABLE"


def _reason(answer: httpx2.Response) -> str | None:
    return answer.json().get("reason") if answer.status_code >= 400 else None
