"""What the clients can do on a server, each as steps. Sends nothing: `Connection` carries the steps out."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from batchscribe.client.address import Address
from batchscribe.client.attempts import Call, Pause, Steps, attempts
from batchscribe.client.page_walk import PageWalk
from batchscribe.client.polling import PollSchedule, polls
from batchscribe.client.server_answers import check, object_of, response_of
from batchscribe.client.statuses import (
    FileStatus,
    JobStatus,
    ListedVocabulary,
    PlannedJob,
    SentEvent,
    SentEvents,
    ServerObject,
    SpokenMatch,
    SubmittedJob,
)
from batchscribe.errors import ServerError
from batchscribe.wire.base import JsonObject
from batchscribe.wire.trace_context import TRACEPARENT

USUAL_PAGE_SIZE = 50  #: of jobs, matches and vocabularies (contract 1.1)

O = TypeVar("O", bound=ServerObject)  # noqa: E741


@dataclass(frozen=True, slots=True)
class Routes:
    """The routes of one server."""

    address: Address
    timeout_sec: float  #: of each attempt

    def submit(
        self, body: JsonObject, idempotency_key: str | None, traceparent: str | None = None
    ) -> Steps[SubmittedJob]:
        trace = {} if traceparent is None else {TRACEPARENT: traceparent}
        headers = _name_request(idempotency_key) | trace
        return self._one(SubmittedJob, _json_call("POST", self.address.url("jobs"), body, headers=headers))

    def dry_run(self, body: JsonObject) -> Steps[PlannedJob]:
        call = replace(_json_call("POST", self.address.url("jobs"), body), query={"dry_run": "true"})
        return self._one(PlannedJob, call)

    def job(self, job_id: str) -> Steps[JobStatus]:
        return self._one(JobStatus, Call("GET", self.address.url("jobs", job_id)))

    def jobs(self, state: str | None, limit: int | None) -> PageWalk[JobStatus]:
        return self._walk(JobStatus, "jobs", self.address.url("jobs"), limit, state=state)

    def file(self, job_id: str, file_id: str) -> Steps[FileStatus]:
        return self._one(FileStatus, Call("GET", self.address.url("jobs", job_id, "files", file_id)))

    def files(self, job_id: str, state: str | None, page_size: int | None) -> PageWalk[FileStatus]:
        url = self.address.url("jobs", job_id, "files")
        return self._walk(FileStatus, "files", url, None, state=state, page_size=page_size)

    def search(self, query: str, limit: int | None) -> PageWalk[SpokenMatch]:
        return self._walk(SpokenMatch, "hits", self.address.url("search"), limit, q=query)

    def cancel(self, job_id: str) -> Steps[None]:
        return self._nothing(Call("DELETE", self.address.url("jobs", job_id), repeatable=False))

    def renew_credentials(self, job_id: str, auths: Mapping[str, JsonObject | None]) -> Steps[None]:
        return self._nothing(_json_call("PUT", self.address.url("jobs", job_id, "credentials"), _auth_body(auths)))

    def retry(self, job_id: str, auths: Mapping[str, JsonObject | None]) -> Steps[JobStatus]:
        call = _json_call("POST", self.address.url("jobs", job_id, "retry"), _auth_body(auths))
        return self._one(JobStatus, replace(call, repeatable=False))

    def delete(self, job_id: str) -> Steps[None]:
        url = self.address.url("jobs", job_id)
        return self._nothing(Call("DELETE", url, query={"purge": "true"}, repeatable=False))

    def deliveries(self, job_id: str) -> Steps[SentEvents]:
        return self._one(SentEvents, Call("GET", self.address.url("jobs", job_id, "deliveries")))

    def replay(self, job_id: str, event_id: str) -> Steps[SentEvent]:
        url = self.address.url("jobs", job_id, "deliveries", event_id, "replay")
        return self._one(SentEvent, _json_call("POST", url, {}))

    def create_vocabulary(self, body: JsonObject, idempotency_key: str | None) -> Steps[ListedVocabulary]:
        url = self.address.asset_url("vocabularies")
        return self._one(ListedVocabulary, _json_call("POST", url, body, headers=_name_request(idempotency_key)))

    def vocabularies(self, limit: int | None) -> PageWalk[ListedVocabulary]:
        return self._walk(ListedVocabulary, "vocabularies", self.address.asset_url("vocabularies"), limit)

    def vocabulary(self, vocabulary_id: str) -> Steps[ListedVocabulary]:
        return self._one(ListedVocabulary, Call("GET", self.address.asset_url("vocabularies", vocabulary_id)))

    def delete_vocabulary(self, vocabulary_id: str) -> Steps[None]:
        return self._nothing(Call("DELETE", self.address.asset_url("vocabularies", vocabulary_id), repeatable=False))

    def wait(
        self, job_id: str, timeout_sec: float | None, pace: PollSchedule, on_poll: Callable[[JobStatus], None]
    ) -> Steps[JobStatus]:
        schedule = polls(ended=lambda job: job.has_ended, timeout_sec=timeout_sec, pace=pace, on_poll=on_poll)
        try:
            pause_sec = next(schedule)
            while True:
                yield Pause(pause_sec)
                pause_sec = schedule.send((yield from self._poll(job_id)))
        except StopIteration as end:
            job: JobStatus = end.value
            return job

    def _poll(self, job_id: str) -> Steps[JobStatus | ServerError]:
        try:
            return (yield from self.job(job_id))
        except ServerError as error:
            return error

    def _one(self, kind: type[O], call: Call) -> Steps[O]:
        return kind.parse((yield from self._object(call)), self.address.shown)

    def _object(self, call: Call) -> Steps[JsonObject]:
        outcome = yield from attempts(call)
        response = response_of(outcome, self.address.shown, timeout_sec=self.timeout_sec)
        return object_of(response, self.address.shown)

    def _nothing(self, call: Call) -> Steps[None]:
        outcome = yield from attempts(call)
        check(response_of(outcome, self.address.shown, timeout_sec=self.timeout_sec), self.address.shown)

    def _walk(
        self, kind: type[O], name: str, url: str, limit: int | None, page_size: int | None = None, **query: str | None
    ) -> PageWalk[O]:
        if limit is not None and limit < USUAL_PAGE_SIZE:
            page_size = limit
        size = str(page_size) if page_size is not None else None
        given = {key: value for key, value in {**query, "page_size": size}.items() if value is not None}
        return PageWalk(
            name=name,
            server=self.address.shown,
            ask=lambda page: self._object(Call("GET", url, query=page)),
            read=lambda item: kind.parse(item, self.address.shown),
            query=given,
            left=limit,
        )


def _json_call(method: str, url: str, body: JsonObject, headers: dict[str, str] | None = None) -> Call:
    content_type = {"Content-Type": "application/json"}
    return Call(method, url, content=json.dumps(body).encode(), headers=content_type | (headers or {}))


def _auth_body(auths: Mapping[str, JsonObject | None]) -> JsonObject:
    return {side: {"auth": auth} for side, auth in auths.items() if auth is not None}


def _name_request(idempotency_key: str | None) -> dict[str, str]:
    return {"Idempotency-Key": idempotency_key or str(uuid.uuid4())}
