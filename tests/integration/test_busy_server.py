"""A server that one tenant keeps busy: the others notice nothing."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path

import httpx2

from batchscribe.api.service import PER_TENANT
from tests.contract.bodies import manifest, prefix
from tests.contract.client import Client
from tests.contract.server import Server

SCRIBE = "/v2/aiservices/scribe"
LIMIT_SEC = 8  #: of a dry run


@contextmanager
def silent_storage() -> Iterator[str]:
    """Return the URL of storage that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=200) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def test_dry_runs_on_unresponsive_storage_do_not_delay_other_tenants(tmp_path: Path) -> None:
    with silent_storage() as endpoint:
        settings = {"BATCHSCRIBE_S3_ENDPOINT": endpoint, "BATCHSCRIBE_DRY_RUN_MAX_SEC": str(LIMIT_SEC)}
        with Server(tmp_path, settings, ("--no-worker",)) as server:
            greedy, other = (server.new_key(name).api_secret for name in ("greedy", "other"))

            def dry_run(number: int) -> httpx2.Response:
                body = prefix() if number % 2 else manifest(*(f"s3://calls/{name}.wav" for name in range(100)))
                headers = {"x-api-key": greedy}
                url = f"{server.url}{SCRIBE}/jobs?dry_run=true"
                return httpx2.post(url, json=body, headers=headers, timeout=60, trust_env=False)

            with ThreadPoolExecutor(50) as threads, Client(server.url, {"x-api-key": other}) as client:
                asked = [threads.submit(dry_run, number) for number in range(50)]
                assert client.get("/jobs")["jobs"] == []
                assert not all(each.done() for each in asked), "the GET waited for the storage"
                answers = [each.result() for each in asked]

            refused = [answer for answer in answers if answer.status_code == HTTPStatus.TOO_MANY_REQUESTS]
            silent = [answer for answer in answers if answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE]
            assert len(refused) + len(silent) == len(answers)
            assert len(silent) >= PER_TENANT
            assert {answer.json()["reason"] for answer in silent} == {"STORAGE_UNREACHABLE"}
            assert {answer.json()["reason"] for answer in refused} == {"RATE_LIMITED"}
            assert all(int(answer.headers["Retry-After"]) > 0 for answer in refused)
            assert dry_run(0).status_code == HTTPStatus.SERVICE_UNAVAILABLE, "no place is free again"
