"""Invariants: what must be true when the faults are over and the work is done.

Each check yields a sentence for every violation. They read the ledger, the raw rows of the database,
the storage without its proxy, and the API.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import httpx2
import sqlalchemy as sa

from batchscribe.database.connect import open_database
from batchscribe.wire.choices import FileState, JobState
from tests.chaos.calls import words_of
from tests.chaos.figures import IN_HAND
from tests.chaos.fitness import Fitness
from tests.chaos.houses import House
from tests.chaos.small_tenant import FAULTS
from tests.chaos.workload import FINAL, PREFIX, TRANSCRIPTS, Call, PostedJob

FINAL_FILES = {FileState.SUCCEEDED, FileState.FAILED, FileState.SKIPPED}
#: DBOS's names of final states.
ENDED = {"SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"}
#: Log lines of unexpected errors. The last one permanently ends a task of DBOS.
MISTAKES = ("task.mistake", "file.mistake", "Exception encountered in background workflow")
MOST = 8  #: maximum number of sentences of one check
#: Seconds that the small tenant may wait for half a second of sound: beside other tenants, and during kills and
#: sickness, when several sick workers in a row may have its file.
WAIT_SEC, FAULTS_WAIT_SEC = 60.0, 240.0

#: The checks by their sentence in the report.
CHECKS = {
    "every submitted job exists once, and its final state matches its files": "jobs",
    "every file exists once, in the final state that its content deserves": "files",
    "no good recording failed, whatever its worker lacked; each broken one has the code of its damage": "blame",
    "an unfit worker starts no file beyond those in progress": "unfit",
    "every sick worker started files again": "recovered",
    f"a tenant's short recording waits at most {WAIT_SEC:g} s during greed and starving storage, and at most "
    f"{FAULTS_WAIT_SEC:g} s during kills": "waits",
    "counters of jobs and shards equal their files' states, in the database and in the API": "counters",
    "every succeeded file has one transcript, with its own text; no other file has one": "outputs",
    "objects that were written twice had the same content": "puts",
    "every event was received, always with the same body, signed; each job has one final event": "webhooks",
    "no sealed secret is left": "secrets",
    "no unfinished task is left in DBOS": "engine_rows",
    "no internal error is in the log": "log",
}


@dataclass(frozen=True)
class Evidence:
    """All evidence, read once."""

    house: House

    def violations(self) -> dict[str, list[str]]:
        """Return sentences by check, including empty lists."""
        return {sentence: self._told(check) for sentence, check in CHECKS.items()}

    def _told(self, check: str) -> list[str]:
        found = list(getattr(self, f"check_{check}")())
        return [*found[:MOST], f"... and {len(found) - MOST} more"] if len(found) > MOST else found

    def check_jobs(self) -> Iterator[str]:
        names = Counter(_reference(row) for row in self.job_rows)
        for job in self.house.jobs:
            if names.pop(job.name, 0) != 1:
                yield f"{job.name} is on record {names[job.name]} times"
                continue
            row = self.rows[job.name]
            allowed = {job.expected_state()} | ({JobState.CANCELED} if job.asked_to_cancel else set())
            if row.job_id != job.job_id:
                yield f"{job.name} is {row.job_id} on record, and its client was told {job.job_id}"
            if row.state not in allowed:
                yield f"{job.name} ({job.job_id}) is {row.state} ({row.error_code}), not {' or '.join(allowed)}"
        yield from (f"nobody submitted {name}" for name in names)

    def check_files(self) -> Iterator[str]:
        for job in self._known():
            yield from self._check_files_of(job)

    def _check_files_of(self, job: PostedJob) -> Iterator[str]:
        calls = {call.input_uri: call for call in job.calls}
        found = Counter(row.input_uri for row in self.files_of(job))
        is_canceled = self.rows[job.name].state == JobState.CANCELED
        for uri in calls.keys() | found.keys():
            if found[uri] != 1 and not (is_canceled and found[uri] == 0):
                yield f"{uri} is on record {found[uri]} times"
        for row in self.files_of(job):
            fate = calls[row.input_uri].fate
            if row.state != fate and not (is_canceled and row.state not in FINAL_FILES):
                yield f"{row.input_uri} is {row.state} ({row.error_code}), not {fate}"

    def check_blame(self) -> Iterator[str]:
        for job in self._known():
            calls = {call.input_uri: call for call in job.calls}
            for row in self.files_of(job):
                if row.state == FileState.FAILED and row.error_code != calls[row.input_uri].code:
                    kind = calls[row.input_uri].kind
                    yield f"{row.input_uri} is a {kind} recording, and failed: {row.error_code} ({row.error_message})"

    def check_unfit(self) -> Iterator[str]:
        for service, since, begun in Fitness(self.house).begun_while_unfit:
            if begun > IN_HAND:
                yield f"{service} began {begun} files while it was unfit, from {since:.3f} on"

    def check_recovered(self) -> Iterator[str]:
        for service in Fitness(self.house).not_back:
            yield f"{service} has begun no file since it is well again"

    def check_waits(self) -> Iterator[str]:
        for entry in self.house.ledger.entries("waited"):
            limit_sec = FAULTS_WAIT_SEC if entry.facts["beside"] == FAULTS else WAIT_SEC
            if entry.facts["sec"] > limit_sec:
                yield f"{entry.facts['name']} took {entry.facts['sec']:.0f} s beside {entry.facts['beside']}"

    def check_counters(self) -> Iterator[str]:
        for job in self._known():
            states = Counter(row.state for row in self.files_of(job))
            yield from self._check_summary(job, states)
            if self.rows[job.name].state != JobState.CANCELED:
                yield from self._check_counters_of(job, states)

    def _check_summary(self, job: PostedJob, states: Counter[str]) -> Iterator[str]:
        answer = httpx2.get(f"{self.house.url}{PREFIX}/jobs/{job.job_id}", headers=job.tenant.headers, timeout=10)
        summary = answer.json()["summary"]
        counted = {name: states[FileState[name.upper()]] for name in ("succeeded", "failed", "skipped")}
        told = {name: summary[name] for name in counted}
        if told != counted:
            yield f"the API says {told} of {job.name}, and its files are {counted}"
        if summary["total_files"] != sum(summary[name] for name in (*counted, "queued", "processing", "canceled")):
            yield f"the API's summary of {job.name} does not add up: {summary}"

    def _check_counters_of(self, job: PostedJob, states: Counter[str]) -> Iterator[str]:
        row, shards = self.rows[job.name], self.shards[self.rows[job.name].number]
        for name in ("succeeded", "failed", "skipped"):
            count = states[FileState[name.upper()]]
            if getattr(row, name) != count:
                yield f"{job.name} counts {getattr(row, name)} {name} files, and has {count}"
            in_shards = sum(file.state == FileState[name.upper()] for file in self.files_of(job) if file.shard)
            if sum(getattr(shard, name) for shard in shards) != in_shards:
                yield f"the shards of {job.name} do not count {in_shards} {name} files"
        if row.total_files != len(self.files_of(job)):
            yield f"{job.name} counts {row.total_files} files, and has {len(self.files_of(job))}"
        audio_sec = sum(file.duration_sec or 0 for file in self.files_of(job) if file.state == FileState.SUCCEEDED)
        if abs(row.audio_sec - audio_sec) > 0.01:
            yield f"{job.name} counts {row.audio_sec} s of audio, and has {audio_sec} s"
        if row.shards_done != len(shards) or {shard.state for shard in shards} - {"DONE"}:
            yield f"{job.name} has {len(shards)} shards, {row.shards_done} of them done"

    def check_outputs(self) -> Iterator[str]:
        left = dict(self.objects)
        for job in self._known():
            calls = {call.input_uri: call for call in job.calls}
            for row in self.files_of(job):
                body = left.pop(row.output_uri, None)
                if row.state == FileState.SUCCEEDED:
                    yield from _check_transcript(calls[row.input_uri], body)
                elif body is not None:
                    yield f"{row.input_uri} is {row.state} and has a transcript"
        yield from (f"nobody knows the transcript {key}" for key in left)

    def check_puts(self) -> Iterator[str]:
        digests: dict[str, set[str]] = defaultdict(set)
        for entry in self.house.ledger.entries("put"):
            digests[entry.facts["key"]].add(entry.facts["digest"])
        yield from (f"{key} was written in {len(found)} ways" for key, found in digests.items() if len(found) > 1)

    def check_webhooks(self) -> Iterator[str]:
        received: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for entry in self.house.ledger.entries("webhook"):
            received[entry.facts["event_id"]].append(entry.facts)
        for delivery in self.deliveries:
            events = received.pop(delivery.event_id, [])
            if not events:
                yield f"{delivery.event_type} of {delivery.job_id} was never received"
            if delivery.state != "DELIVERED":
                yield f"{delivery.event_type} of {delivery.job_id} is {delivery.state}"
            if len({event["digest"] for event in events}) > 1:
                yield f"{delivery.event_id} was received with different bodies"
            if not all(event["is_signed"] for event in events):
                yield f"{delivery.event_id} was received with a wrong signature"
        yield from (f"event {event_id} is not on record" for event_id in received)
        yield from self._check_final_events()

    def _check_final_events(self) -> Iterator[str]:
        final = Counter(
            event.job_id for event in self.deliveries if event.event_type.removeprefix("job.").upper() in FINAL
        )
        for job in self._known():
            if final[job.job_id] != int(job.wants_events):
                yield f"{job.name} has {final[job.job_id]} final events"
        states = {row.job_id: row.state for row in self.job_rows}
        for event in self.deliveries:
            if event.event_type != f"job.{states[event.job_id].lower()}":
                yield f"{event.job_id} is {states[event.job_id]}, and its event {event.event_type}"

    def check_secrets(self) -> Iterator[str]:
        for row in self.query("SELECT s.name, j.request, j.state FROM secret s JOIN job j ON j.number = s.job"):
            yield f"secret {row.name} of {_reference(row)}, which is {row.state}"

    def check_engine_rows(self) -> Iterator[str]:
        for status, count in self.engine_rows.items():
            if status not in ENDED:
                yield f"{count} tasks are {status}: {self._tasks(status)}"

    def check_log(self) -> Iterator[str]:
        for line in self.house.logs().splitlines():
            if any(mistake in line for mistake in MISTAKES):
                yield line[:2000]

    @cached_property
    def job_rows(self) -> list[sa.Row[Any]]:
        return self.query("SELECT * FROM job")

    @cached_property
    def rows(self) -> dict[str, sa.Row[Any]]:
        return {_reference(row): row for row in self.job_rows}

    @cached_property
    def files(self) -> dict[int, list[sa.Row[Any]]]:
        return _by_job(self.query("SELECT * FROM file ORDER BY job, seq"))

    @cached_property
    def shards(self) -> dict[int, list[sa.Row[Any]]]:
        return _by_job(self.query("SELECT * FROM shard ORDER BY job, number"))

    @cached_property
    def deliveries(self) -> list[sa.Row[Any]]:
        return self.query("SELECT d.*, j.job_id FROM webhook_delivery d JOIN job j ON j.number = d.job")

    @cached_property
    def engine_rows(self) -> dict[str, int]:
        """Return the number of tasks by status."""
        found = self.query(f"SELECT status, count(*) AS rows FROM {self.tasks_table} GROUP BY status")  # noqa: S608
        return {row.status: row.rows for row in found}

    @cached_property
    def objects(self) -> dict[str, bytes]:
        """Return every transcript by its URI."""
        client, found = self.house.s3.client(), {}
        for bucket in (self.house.bucket, self.house.small_bucket):
            pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"{TRANSCRIPTS}/")
            for key in [item["Key"] for page in pages for item in page.get("Contents", [])]:
                found[f"s3://{bucket}/{key}"] = client.get_object(Bucket=bucket, Key=key)["Body"].read()
        return found

    def files_of(self, job: PostedJob) -> list[sa.Row[Any]]:
        return self.files.get(self.rows[job.name].number, [])

    def query(self, statement: str) -> list[sa.Row[Any]]:
        engine = open_database(self.house.database_url)
        try:
            with engine.connect() as connection:
                return list(connection.execute(sa.text(statement)))
        finally:
            engine.dispose()

    def _known(self) -> Iterator[PostedJob]:
        return (job for job in self.house.jobs if job.name in self.rows)

    @property
    def tasks_table(self) -> str:
        return "dbos.workflow_status" if self.house.postgresql else "workflow_status"

    def _tasks(self, status: str) -> str:
        rows = self.query(f"SELECT workflow_uuid, executor_id FROM {self.tasks_table} WHERE status = '{status}'")  # noqa: S608
        return ", ".join(f"{row.workflow_uuid} at {row.executor_id}" for row in rows[:3])


def _check_transcript(call: Call, body: bytes | None) -> Iterator[str]:
    if body is None:
        yield f"{call.input_uri} succeeded and has no transcript"
        return
    text = json.loads(body)["result"]["text_display"]
    if text != " ".join([words_of(call.number)] * call.windows):
        yield f"the transcript of {call.input_uri} says {text!r}"


def _reference(row: sa.Row[Any]) -> str:
    """Return the client's name of the job."""
    request = json.loads(row.request) if isinstance(row.request, str) else row.request
    return str(request["reference_id"])


def _by_job(rows: list[sa.Row[Any]]) -> dict[int, list[sa.Row[Any]]]:
    found: dict[int, list[sa.Row[Any]]] = defaultdict(list)
    for row in rows:
        found[row.job].append(row)
    return found
