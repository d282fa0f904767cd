"""The server as an operator sees it: start, health and stop."""

from __future__ import annotations

import json
import re
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import pytest

from tests.contract.bodies import manifest, many, single
from tests.contract.client import Client
from tests.contract.conftest import StartServer, client_of
from tests.contract.raw import exchanged
from tests.contract.server import Server
from tests.contract.strict import check_error
from tests.servers.s3_server import S3Server


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_health_needs_no_key(nobody: Client, path: str) -> None:
    answer = nobody.call_at("GET", path, 200)
    assert answer.body == {"status": "ok"}
    assert answer.headers["content-type"].startswith("application/json")


OPERATIONS = {
    ("post", "/jobs", "submitBatchAsr"),
    ("get", "/jobs", "listBatchJobs"),
    ("get", "/jobs/{}", "getBatchJobStatus"),
    ("delete", "/jobs/{}", "cancelBatchJob"),
    ("get", "/jobs/{}/files", "listBatchJobFiles"),
    ("get", "/jobs/{}/files/{}", "getBatchScribeJobFile"),
}


def test_the_document_of_the_interface_has_every_operation_of_the_original(nobody: Client) -> None:
    paths = nobody.call_at("GET", "/openapi.json", 200).body["paths"]
    operations = {
        (method, re.sub(r"{\w+}", "{}", path.removeprefix(nobody.base)), operation["operationId"])
        for path, methods in paths.items()
        for method, operation in methods.items()
    }
    assert operations >= OPERATIONS


def test_the_document_has_a_page_to_browse_it(nobody: Client) -> None:
    answer = nobody.call_at("GET", "/docs", 200)
    assert answer.headers["content-type"].startswith("text/html")


def test_it_prints_one_line_when_it_is_ready(server: Server) -> None:
    assert server.printed() == f"batchscribe is ready on {server.url} (open it in a browser)\n"


def test_every_line_of_the_log_is_json_once_there_is_a_key(start_server: StartServer) -> None:
    server = start_server("--no-worker")
    key = server.new_key("logged")
    server.stop()
    before = len(server.log_text())
    server.start()
    with client_of(server, key) as client:
        client.submit(single())
        client.call("GET", "/jobs/job_0", 404)
    assert server.stop() == 0
    lines = [json.loads(line) for line in server.log_text()[before:].splitlines()]
    assert lines


def test_an_answer_on_an_open_connection_does_not_wait_for_an_acknowledgment(server: Server, alice: Client) -> None:
    """Sent in two parts without TCP_NODELAY, it would wait 40 ms for the client's acknowledgment."""
    spans = []
    for _ in range(30):
        began = time.perf_counter()
        alice.call_at("GET", "/healthz", 200)
        spans.append(time.perf_counter() - began)
    assert min(spans[15:]) < 0.03, "the first acknowledgments on a connection are not delayed"


def test_many_clients_at_once_are_all_answered(idle_server: Server, idle: Client) -> None:
    def session(_: int) -> set[str]:
        with idle.but() as client:
            client.http = httpx2.Client(timeout=60, trust_env=False)
            ids = {client.submit(single()) for _ in range(5)}
            for job_id in ids:
                client.job(job_id)
                client.get("/jobs", page_size=3)
                client.cancel(job_id)
            return ids

    with ThreadPoolExecutor(16) as pool:
        sessions = list(pool.map(session, range(16)))
    assert len(set().union(*sessions)) == 16 * 5
    assert idle_server.process is not None


def test_without_authentication_it_listens_on_loopback_only(tmp_path: Path) -> None:
    server = Server(tmp_path, {"BATCHSCRIBE_AUTH": "off"})
    result = server.run("serve", "--host", "0.0.0.0", "--port", "0", "--no-worker")  # noqa: S104  # it must not
    assert result.status == 2
    assert "Traceback" not in result.err


@pytest.mark.parametrize(
    "source",
    ["Sec-Fetch-Site: cross-site", "Sec-Fetch-Site: same-site", "Origin: https://evil.example", "Origin: null"],
)
def test_without_authentication_no_other_web_site_changes_anything(open_server: Server, source: str) -> None:
    """A form of any site could send such a request to this machine."""
    document = exchanged(open_server.url, request("GET", "/openapi.json")).body
    unsafe = [(method, path) for path, item in document["paths"].items() for method in item if method != "get"]
    assert len(unsafe) >= 6
    for method, path in unsafe:
        answer = exchanged(open_server.url, request(method.upper(), path, source))
        assert (answer.status, answer.body["reason"]) == (403, "CROSS_SITE_REQUEST"), (method, path)
        assert exchanged(open_server.url, request(method.upper(), path)).status != 403, "a program"
    assert exchanged(open_server.url, request("GET", "/v2/aiservices/scribe/jobs", source)).status == 200


def request(method: str, path: str, *headers: str) -> bytes:
    lines = (f"{method} {path} HTTP/1.1", "Host: localhost", "Content-Length: 0", "Connection: close", *headers)
    return "\r\n".join((*lines, "", "")).encode()


@pytest.mark.parametrize("path", ["/v2/aiservices/scribe/jobs", "/openapi.json", "/docs"])
@pytest.mark.parametrize("host", ["evil.example", "evil.example:8080", "127.0.0.1.evil.example", "10.0.0.1", ""])
def test_without_authentication_a_foreign_name_is_refused(open_server: Server, host: str, path: str) -> None:
    """Otherwise a web page could reach it by rebinding its own name."""
    answer = exchanged(open_server.url, f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
    assert 400 <= answer.status < 500
    check_error(answer.status, answer.body)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LOCALHOST:{port}", "127.0.0.1:{port}", "[::1]:{port}"])
def test_without_authentication_the_names_of_this_machine_are_accepted(open_server: Server, host: str) -> None:
    name = host.format(port=open_server.port)
    request = f"GET /v2/aiservices/scribe/jobs HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n".encode()
    assert exchanged(open_server.url, request).status == 200


def test_a_port_in_use_is_reported_in_a_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        result = Server(tmp_path).run("serve", "--port", str(taken.getsockname()[1]), "--no-worker")
    assert result.status == 2
    assert "Traceback" not in result.err
    assert str(taken) not in result.err


def test_a_data_directory_works_for_one_server_at_a_time(server: Server) -> None:
    result = server.run("serve", "--port", "0")
    assert result.status == 2
    assert "DATA_DIRECTORY_BUSY" in result.err or "another" in result.err.lower()


def test_a_server_stopped_within_a_job_leaves_it_to_the_next_one(
    start_server: StartServer, moto_s3: S3Server, wav: bytes
) -> None:
    bucket = moto_s3.new_bucket(**{f"{number:03}.wav": wav for number in range(40)})
    server = start_server(BATCHSCRIBE_GRACE_SEC="0")
    key = server.new_key("patient")
    with client_of(server, key) as client:
        job_id = client.submit(manifest(*many(bucket, 40), output=f"s3://{bucket}/out/"))
        while client.job(job_id)["summary"]["succeeded"] < 1:
            time.sleep(0.05)
    assert server.stop() == 0
    server.start()
    with client_of(server, key) as client:
        job = client.ended(job_id)
    assert (job["state"], job["summary"]["succeeded"]) == ("SUCCEEDED", 40)


def test_jobs_that_were_accepted_survive_a_kill(start_server: StartServer) -> None:
    server = start_server("--no-worker")
    key = server.new_key("unlucky")
    with client_of(server, key) as client:
        ids = [client.submit(single()) for _ in range(5)]
        before = client.jobs()
    server.kill()
    server.start()
    with client_of(server, key) as client:
        assert client.jobs() == before
    assert {job["job_id"] for job in before} == set(ids)
