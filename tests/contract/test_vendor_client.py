"""The quickstart applications of the original service: how they send and parse.

`QS1` sends keys and layout PREFIX; `QS2` joins its base and its path to a double slash, and parses every answer with
schemas in which an optional field may be absent but not null. Both sign tokens that were issued half a minute ago.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.contract.bodies import WEBHOOK_SECRET, aws, many
from tests.contract.client import Client
from tests.contract.conftest import NewDatabase
from tests.contract.receiver import Receiver
from tests.contract.server import Key, Server
from tests.contract.strict import Json
from tests.contract.tokens import DAY_SEC, HOUR_SEC
from tests.servers.s3_server import S3Server

APPLICATIONS = ("qs1", "qs2", "qs2 fork", "plain key")

#: `name`: required; `name?`: may be absent, never null; `name~`: may be absent or null.
COUNTS: Json = dict.fromkeys(("total_files~", "queued~", "processing~", "succeeded~", "failed~", "skipped~"), float)
ERROR: Json = {"code": str, "message": str}
JOB: Json = {
    "job_id": str,
    "state": str,
    "submitted_at?": str,
    "completed_at?": str,
    "reference_id?": str,
    "input~": {"mode": str, "source?": str, "uri?": str, "manifest?": [str]},
    "output~": {"destination": str, "uri": str, "layout": str, "overwrite": bool},
    "config~": {},
    "summary~": COUNTS,
    "error~": ERROR,
}
FILE: Json = {
    "file_id": str,
    "input_uri": str,
    "output_uri": str,
    "state": str,
    "duration_sec?": float,
    "error~": ERROR,
}
SUBMITTED: Json = {"job_id": str, "state": str, "submitted_at": str}
JOBS: Json = {"jobs": [JOB], "next_page_token?": str, "next_cursor?": str}
FILES: Json = {"files": [FILE], "next_page_token?": str, "next_cursor?": str}
SEGMENT: Json = {"id": str, "start": float, "end": float, "text": str, "speaker?": str, "channel?": float}
TRANSCRIPT: Json = {
    "request_id": str,
    "duration_sec": float,
    "model?": str,
    "result": {"text_display": str, "text_lexical?": str, "segments?": [SEGMENT]},
}


def parse(schema: Any, value: Any, path: str = "$") -> Any:
    """Parse like zod: drop unknown fields, raise an error for a null that the schema does not allow."""
    if isinstance(schema, list):
        assert isinstance(value, list), path
        return [parse(schema[0], inner, f"{path}[{number}]") for number, inner in enumerate(value)]
    if isinstance(schema, dict):
        assert isinstance(value, dict), path
        names = [(name, name.rstrip("?~")) for name in schema]
        return {
            plain: parse_field(schema, name, value, path) for name, plain in names if plain in value or plain == name
        }
    kinds = (int, float) if schema is float else schema
    assert isinstance(value, kinds), (path, value)
    assert schema is bool or not isinstance(value, bool), (path, value)
    return value


def parse_field(schema: Json, name: str, value: Json, path: str) -> Any:
    plain = name.rstrip("?~")
    assert plain in value, f"{path}.{plain} is required"
    if value[plain] is None and name.endswith("~"):
        return None
    return parse(schema[name], value[plain], f"{path}.{plain}")


def quickstart_token(key: Key, life_sec: int) -> str:
    """Create a token like `jsonwebtoken`."""
    issued = int(time.time()) - 30
    claims = {"iss": key.api_key, "iat": issued, "exp": issued + life_sec}
    parts = [json.dumps(part, separators=(",", ":")).encode() for part in ({"alg": "HS256", "typ": "JWT"}, claims)]
    signed = ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)
    signature = hmac.new(key.api_secret.encode(), signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


class Quickstart:
    """One application, configured only with the server's base URL."""

    def __init__(self, client: Client, base: str, bearer: str) -> None:
        self.client = client
        self.base = base
        self.headers = {"Authorization": f"Bearer {bearer}", "Accept": "application/json, text/plain, */*"}

    def call(self, method: str, path: str, schema: Json | None, body: Json | None = None, **query: Any) -> Any:
        answer = self.client.call_at(
            method, f"{self.base}/aiservices/scribe{path}", headers=self.headers, json=body, params=query
        )
        assert 200 <= answer.status < 300, answer.content
        assert schema is not SUBMITTED or "warnings" not in answer.body, "it sends only fields of the contract"
        return parse(schema, answer.body) if schema else None

    def finished(self, job_id: str) -> Json:
        """Poll until the job ends. Unknown states count as running."""
        for _ in range(240):
            job: Json = self.call("GET", f"/jobs/{job_id}", JOB)
            if job["state"] in ("SUCCEEDED", "PARTIAL", "FAILED", "CANCELED"):
                return job
            time.sleep(0.25)
        raise AssertionError(job_id)


@pytest.fixture(scope="module")
def key(server: Server) -> Key:
    return server.new_key("quickstart")


@pytest.fixture(params=APPLICATIONS)
def quickstart(request: pytest.FixtureRequest, server: Server, key: Key) -> Iterator[Quickstart]:
    with application(request.param, server, key) as quickstart:
        yield quickstart


@contextmanager
def application(name: str, server: Server, key: Key) -> Iterator[Quickstart]:
    base, bearer = {
        "qs1": ("/v2", quickstart_token(key, 2 * HOUR_SEC)),
        "qs2": ("/v2/", quickstart_token(key, HOUR_SEC)),
        "qs2 fork": ("/v2/", quickstart_token(key, 7 * DAY_SEC)),
        "plain key": ("/v2", key.api_secret),
    }[name]
    with Client(server.url) as client:
        yield Quickstart(client, base, bearer)


@pytest.fixture(scope="module")
def bucket(new_database: NewDatabase, moto_s3: S3Server, wav: bytes) -> str:
    """One bucket per database, because existing transcripts would affect the next jobs."""
    return moto_s3.new_bucket(**{"calls/a.wav": wav, "calls/b.wav": wav, "calls/notes.txt": b"x"})


def without_source(source: Json) -> Json:
    return {name: value for name, value in source.items() if name != "source"}


def test_a_single_file_with_layout_prefix(quickstart: Quickstart, bucket: str, moto_s3: S3Server) -> None:
    body = {
        "input": {"mode": "SINGLE", "source": "S3", "uri": f"s3://{bucket}/calls/a.wav", "auth": aws()},
        "output": {
            "destination": "S3",
            "uri": f"s3://{bucket}/transcripts",
            "layout": "PREFIX",
            "overwrite": True,
            "auth": aws(),
        },
        "config": {"language": "en-US", "word_time_offsets": True, "channel_separation": False},
    }
    job = quickstart.finished(quickstart.call("POST", "/jobs", SUBMITTED, body)["job_id"])
    assert job["state"] == "SUCCEEDED"
    file = quickstart.call("GET", f"/jobs/{job['job_id']}/files", FILES)["files"][0]
    assert file["output_uri"] == f"s3://{bucket}/transcripts/a.json"
    stored = moto_s3.client().get_object(Bucket=bucket, Key="transcripts/a.json")["Body"].read()
    assert parse(TRANSCRIPT, json.loads(stored))["duration_sec"] == 1.0


def test_a_folder_with_transcripts_beside_the_recordings(quickstart: Quickstart, bucket: str) -> None:
    body = {
        "input": without_source(
            {"mode": "INPUT_PREFIX", "source": "S3", "uri": f"s3://{bucket}/calls/", "auth": aws()}
        ),
        "output": {"destination": "S3", "uri": "", "layout": "ADJACENT", "overwrite": True, "auth": aws()},
        "config": {"segmentation_mode": "auto"},
        "reference_id": "quickstart",
    }
    job = quickstart.finished(quickstart.call("POST", "/jobs", SUBMITTED, body)["job_id"])
    assert (job["state"], job["reference_id"], job["summary"]["skipped"]) == ("SUCCEEDED", "quickstart", 1)


def test_a_manifest_of_which_one_file_is_missing(quickstart: Quickstart, bucket: str) -> None:
    uris = [f"s3://{bucket}/calls/a.wav", f"s3://{bucket}/calls/missing.wav"]
    body = {
        "input": {"mode": "MANIFEST", "source": "S3", "manifest": uris, "auth": aws()},
        "output": {
            "destination": "S3",
            "uri": f"s3://{bucket}/m",
            "layout": "PREFIX",
            "overwrite": True,
            "auth": aws(),
        },
        "config": {},
    }
    job = quickstart.finished(quickstart.call("POST", "/jobs", SUBMITTED, body)["job_id"])
    files = quickstart.call("GET", f"/jobs/{job['job_id']}/files", FILES)["files"]
    assert job["state"] == "PARTIAL"
    assert [file["state"] for file in files] == ["FILE_SUCCEEDED", "FILE_FAILED"]
    assert files[1]["error"]["code"] == "OBJECT_NOT_FOUND"


def test_load_more_reads_next_cursor_and_sends_next_page_token(quickstart: Quickstart, bucket: str) -> None:
    body = {
        "input": {"mode": "SINGLE", "source": "S3", "uri": f"s3://{bucket}/calls/a.wav"},
        "output": {"destination": "S3", "uri": f"s3://{bucket}/more/a.json", "layout": "SINGLE", "overwrite": True},
        "config": {},
    }
    ids = [quickstart.call("POST", "/jobs", SUBMITTED, body)["job_id"] for _ in range(5)]
    found: list[str] = []
    page = quickstart.call("GET", "/jobs", JOBS, page_size=2)
    while cursor := page.get("next_cursor"):
        found += [job["job_id"] for job in page["jobs"]]
        page = quickstart.call("GET", "/jobs", JOBS, page_size=2, next_page_token=cursor)
    assert [job_id for job_id in found if job_id in ids][:4] == ids[:0:-1]


@pytest.mark.parametrize("name", APPLICATIONS)
def test_a_canceled_job_answers_with_nothing_to_parse(idle_server: Server, bucket: str, name: str) -> None:
    body = {
        "input": {"manifest": many(bucket, 300), "auth": aws()},
        "output": {"destination": "S3", "uri": f"s3://{bucket}/canceled/", "layout": "PREFIX"},
        "config": {},
    }
    with application(name, idle_server, idle_server.new_key("quickstart")) as quickstart:
        job_id = quickstart.call("POST", "/jobs", SUBMITTED, body)["job_id"]
        quickstart.call("DELETE", f"/jobs/{job_id}", None)
        assert quickstart.finished(job_id)["state"] == "CANCELED"


def test_its_receiver_takes_the_signature_for_genuine(quickstart: Quickstart, bucket: str, receiver: Receiver) -> None:
    told = receiver.hook()
    body = {
        "input": {"mode": "SINGLE", "source": "S3", "uri": f"s3://{bucket}/calls/a.wav", "auth": aws()},
        "output": {"destination": "S3", "uri": f"s3://{bucket}/told.json", "layout": "SINGLE", "overwrite": True},
        "config": {},
        "notifications": {"webhook_url": told.url, "secret": WEBHOOK_SECRET},
    }
    job_id = quickstart.call("POST", "/jobs", SUBMITTED, body)["job_id"]
    delivery = told.wait_for(1)[0]
    assert delivery.is_signed_with(WEBHOOK_SECRET)
    assert (delivery.body["event_type"], delivery.body["job"]["job_id"]) == ("job.succeeded", job_id)
    assert parse(COUNTS, delivery.body["job"]["summary"])["succeeded"] == 1
