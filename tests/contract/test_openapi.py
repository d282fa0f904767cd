"""Requests made up from the served OpenAPI document: no answer that it does not declare, and no mistake of ours."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.contract.server import QUICK, Server
from tests.integration.command import wait_until
from tests.recordings import write_wav

EXAMPLES = 40  #: of each operation
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
OPERATIONS = [
    "submitBatchAsr",
    "listBatchJobs",
    "getBatchJobStatus",
    "cancelBatchJob",
    "listBatchJobFiles",
    "getBatchScribeJobFile",
    "healthz",
    "readyz",
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Everybody is let in, and one job is done."""
    folder = tmp_path_factory.mktemp("openapi")
    nobody = {"BATCHSCRIBE_S3_ENDPOINT": "http://127.0.0.1:9"}  # buckets that are made up are asked for nowhere else
    environment = {**QUICK, **nobody, "BATCHSCRIBE_AUTH": "off", "BATCHSCRIBE_FILE_ROOTS": str(folder)}
    with Server(folder / "server", environment) as running:
        yield running


@pytest.fixture(scope="module")
def schema(server: Server) -> Any:
    return schemathesis.openapi.from_url(f"{server.url}/openapi.json")


@pytest.fixture(scope="module")
def job_id(server: Server) -> str:
    """Of a finished job with a file that succeeded and one that failed."""
    folder = server.folder.parent
    write_wav(folder / "calls" / "a.wav")
    (folder / "calls" / "b.wav").write_bytes(b"no recording")
    jobs = f"{server.url}/v2/aiservices/scribe/jobs"
    body = {
        "input": {"uri": (folder / "calls").as_uri()},
        "output": {"uri": f"{(folder / 'out').as_uri()}/"},
        "config": {"segmentation_mode": "none"},
        "reference_id": "of this test",
    }
    made: str = httpx2.post(jobs, json=body).json()["job_id"]
    wait_until(lambda: httpx2.get(f"{jobs}/{made}").json()["state"] == "PARTIAL")
    return made


def operations(schema: Any) -> dict[str, Any]:
    return {found.ok().definition.raw["operationId"]: found.ok() for found in schema.get_all_operations()}


def test_the_document_names_the_routes_of_the_contract_and_no_other(schema: Any) -> None:
    assert sorted(operations(schema)) == sorted(OPERATIONS)


@pytest.mark.parametrize("name", OPERATIONS)
def test_no_request_gets_an_answer_that_is_not_declared(schema: Any, name: str) -> None:
    operation = operations(schema)[name]

    run(operation, lambda case: case)


def test_made_up_options_of_a_job_that_can_be_done_are_accepted_or_refused(
    schema: Any, server: Server, job_id: str
) -> None:
    """Made-up inputs and outputs hardly ever go together, so that nothing behind them would be reached."""
    statuses: set[int] = set()
    calls = (server.folder.parent / "calls").as_uri()
    assert job_id, "its fixture made the recordings"

    def doable(case: Any) -> Any:
        if isinstance(case.body, dict):
            case.body |= {"input": {"uri": calls}, "output": {"uri": f"{calls}/out/"}}
        return case

    run(operations(schema)["submitBatchAsr"], doable, statuses)
    assert {201, 400} <= statuses


def run(operation: Any, change: Callable[[Any], Any], statuses: set[int] | None = None) -> None:
    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def check(case: Any) -> None:
        answer = change(case).call_and_validate(checks=CHECKS)
        if statuses is not None:
            statuses.add(answer.status_code)

    check()


@pytest.mark.parametrize("path", ["/jobs", "/jobs/{job_id}", "/jobs/{job_id}/files", "/jobs/{job_id}/files/{file_id}"])
def test_real_answers_are_of_the_shape_that_is_declared(schema: Any, job_id: str, path: str) -> None:
    parameters = {"job_id": job_id, "file_id": "f_000001"}
    used = {name: value for name, value in parameters.items() if f"{{{name}}}" in path}
    case = schema[f"/v2/aiservices/scribe{path}"]["GET"].Case(path_parameters=used)
    answer = case.call_and_validate(checks=CHECKS)
    assert answer.status_code == 200
