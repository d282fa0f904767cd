"""The document at /openapi.json is complete: no request gets an answer that it does not declare."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from schemathesis.specs.openapi.schemas import OpenApiSchema

from tests.contract.bodies import manifest, prefix, single
from tests.contract.client import Client
from tests.contract.server import Server
from tests.contract.strict import Json, check_answer
from tests.servers.s3_server import S3Server

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
#: The same requests in each run, without slow shrinking of failures.
BOUNDED = settings(
    max_examples=30,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
LISTS = ("listBatchJobs", "listBatchJobFiles")
OPERATIONS = (
    "submitBatchAsr",
    *LISTS,
    "getBatchJobStatus",
    "cancelBatchJob",
    "renewBatchJobCredentials",
    "getBatchScribeJobFile",
    "getUsage",
    "searchTranscripts",
    "retryBatchJob",
    "listBatchJobDeliveries",
    "replayBatchJobDelivery",
    "createVocabulary",
    "listVocabularies",
    "getVocabulary",
    "deleteVocabulary",
)
MODES = [GenerationMode.POSITIVE, GenerationMode.NEGATIVE]


@pytest.fixture(scope="module")
def session() -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        yield session


@pytest.fixture(scope="module")
def document(open_server: Server) -> OpenApiSchema:
    return schemathesis.openapi.from_url(f"{open_server.url}/openapi.json")


def assert_as_declared(case: Any, session: requests.Session, url: str, headers: Json | None = None) -> int:
    """Check the answer, as strictly as in the other tests. Return the status."""
    response = case.call(base_url=url, session=session, headers=headers)
    case.validate_response(response, checks=CHECKS)
    sent = {name.lower(): ", ".join(values) for name, values in response.headers.items()}
    path = response.request.path_url.partition("?")[0]
    check_answer(response.request.method, path, response.status_code, sent, response.content)
    status: int = response.status_code
    return status


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("operation_id", OPERATIONS)
def test_no_generated_request_is_answered_otherwise_than_declared(
    document: OpenApiSchema, open_server: Server, session: requests.Session, operation_id: str, mode: GenerationMode
) -> None:
    operation: Any = document.find_operation_by_id(operation_id)

    @BOUNDED
    @given(case=operation.as_strategy(generation_mode=mode))
    def answered(case: Any) -> None:
        assert_as_declared(case, session, open_server.url)

    answered()


@pytest.mark.parametrize("mode", MODES)
def test_no_generated_query_about_a_job_that_is_there_is_answered_otherwise(
    document: OpenApiSchema, open_server: Server, anyone: Client, session: requests.Session, mode: GenerationMode
) -> None:
    operation: Any = document.find_operation_by_id("listBatchJobFiles")
    name = next(iter(operation.path_parameters)).name
    job_id = anyone.submit(single())

    @BOUNDED
    @given(case=operation.as_strategy(generation_mode=mode, path_parameters={name: job_id}))
    def answered(case: Any) -> None:
        assert_as_declared(case, session, open_server.url)

    answered()


def test_no_generated_job_in_places_that_are_served_is_answered_otherwise(
    document: OpenApiSchema, open_server: Server, session: requests.Session
) -> None:
    operation: Any = document.find_operation_by_id("submitBatchAsr")
    statuses: set[int] = set()

    @BOUNDED
    @given(case=operation.as_strategy())
    def answered(case: Any) -> None:
        places = {name: single()[name] for name in ("input", "output")}
        case.body = case.body | places if isinstance(case.body, dict) else case.body
        statuses.add(assert_as_declared(case, session, open_server.url))

    answered()
    assert statuses >= {201, 400}


@pytest.fixture(scope="module")
def job_ids(alice: Client, idle: Client, moto_s3: S3Server, wav: bytes) -> dict[str, tuple[Client, str]]:
    """Clients and their jobs by final state. The one that is canceled is on the server without workers.

    Each job has a separate output, so that they do not find each other's transcripts.
    """
    bucket = moto_s3.new_bucket(**{"calls/a.wav": wav, "calls/notes.txt": b"x"})
    there, missing, out = f"s3://{bucket}/calls/a.wav", f"s3://{bucket}/missing.wav", f"s3://{bucket}/out"
    bodies = [
        prefix(f"s3://{bucket}/calls/", f"{out}/succeeded/", reference_id="x"),
        manifest(there, missing, output=f"{out}/partial/"),
        prefix(f"s3://{bucket}/empty/", f"{out}/failed/"),
    ]
    jobs = [(alice, alice.submit(body)) for body in bodies]
    canceled = idle.submit(manifest(there, output=f"{out}/canceled/"))
    idle.cancel(canceled)
    return {str(client.ended(job_id)["state"]): (client, job_id) for client, job_id in (*jobs, (idle, canceled))}


@pytest.mark.parametrize("state", ["SUCCEEDED", "PARTIAL", "FAILED", "CANCELED"])
def test_a_real_job_and_its_files_are_as_declared(
    document: OpenApiSchema, session: requests.Session, job_ids: dict[str, tuple[Client, str]], state: str
) -> None:
    client, job_id = job_ids[state]

    def answered(operation_id: str, *values: str) -> int:
        operation: Any = document.find_operation_by_id(operation_id)
        names = [parameter.name for parameter in operation.path_parameters]
        case = operation.Case(path_parameters=dict(zip(names, values, strict=True)))
        return assert_as_declared(case, session, client.url, client.headers)

    assert answered("getBatchJobStatus", job_id) == 200
    assert answered("listBatchJobFiles", job_id) == 200
    for file in client.files(job_id)[:5]:
        assert answered("getBatchScribeJobFile", job_id, file["file_id"]) == 200
    assert answered("listBatchJobs") == 200
    assert answered("cancelBatchJob", job_id) == 400


@pytest.mark.parametrize(("dry_run", "status"), [("true", 200), ("false", 201)])
def test_a_real_submit_is_as_declared(
    document: OpenApiSchema,
    server: Server,
    alice: Client,
    session: requests.Session,
    moto_s3: S3Server,
    wav: bytes,
    dry_run: str,
    status: int,
) -> None:
    bucket = moto_s3.new_bucket(**{"a.wav": wav})
    operation: Any = document.find_operation_by_id("submitBatchAsr")
    body = prefix(f"s3://{bucket}/", f"s3://{bucket}/out/")
    case = operation.Case(body=body, media_type="application/json", query={"dry_run": dry_run})
    assert assert_as_declared(case, session, server.url, alice.headers) == status


@pytest.mark.parametrize("operation_id", OPERATIONS)
def test_every_operation_declares_the_errors_that_any_request_may_meet(
    document: OpenApiSchema, operation_id: str
) -> None:
    operation: Any = document.find_operation_by_id(operation_id)
    declared = set(operation.definition.raw["responses"])
    of_bodies = {
        "submitBatchAsr": {"409", "413", "415"},
        "renewBatchJobCredentials": {"413", "415"},
        "createVocabulary": {"409", "413", "415"},
    }
    assert declared >= {"400", "401", "429", "500"} | of_bodies.get(operation_id, set())
