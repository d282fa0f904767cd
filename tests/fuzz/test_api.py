"""Odd requests: no answer is an internal error, and every answer follows the contract."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.contract.server import Server
from tests.fuzz.api import findings, fuzzed_server
from tests.fuzz.api_requests import odd_request

REQUESTS = 2000  #: more with `make fuzz-api`
MOST_LOG_LINES = 20


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with fuzzed_server(tmp_path_factory.mktemp("fuzzed")) as server:
        yield server


@pytest.mark.timeout(600)
def test_odd_requests_are_answered_by_the_contract(server: Server) -> None:
    assert list(findings(server, range(REQUESTS))) == []
    assert len(server.log_text().splitlines()) < MOST_LOG_LINES


def test_a_request_can_be_sent_again_by_its_number() -> None:
    assert odd_request(7, "secret") == odd_request(7, "secret") != odd_request(8, "secret")
