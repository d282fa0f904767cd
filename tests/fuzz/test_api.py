"""Odd requests: no answer is an internal error, and every answer follows the contract."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.contract.server import Server
from tests.fuzz.api import findings, fuzzed_server
from tests.fuzz.api_requests import odd_request

REQUESTS = 2000  #: more with `make fuzz-api`
MOST_LOG_LINES = 20  #: but for one line for each accepted request with unknown fields
MOST_LINE_CHARS = 3000


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with fuzzed_server(tmp_path_factory.mktemp("fuzzed")) as server:
        yield server


@pytest.mark.timeout(600)
def test_odd_requests_are_answered_by_the_contract(server: Server) -> None:
    assert list(findings(server, range(REQUESTS))) == []
    lines = server.log_text().splitlines()
    unknown = [line for line in lines if '"event": "request.unknown_fields"' in line]
    assert len(lines) - len(unknown) < MOST_LOG_LINES
    assert max(map(len, lines)) < MOST_LINE_CHARS


def test_a_request_can_be_sent_again_by_its_number() -> None:
    assert odd_request(7, "secret") == odd_request(7, "secret") != odd_request(8, "secret")
