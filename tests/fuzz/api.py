"""Sends odd requests to a real server, and checks every answer against the contract.

`python -m tests.fuzz.api 50000` sends 50,000 requests; `--from 1234` starts with that one, to repeat a finding.
"""

from __future__ import annotations

import argparse
import re
import socket
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from http.client import HTTPException, HTTPResponse
from pathlib import Path

from tests.contract.server import Server
from tests.contract.strict import check_error, is_json, parsed
from tests.fuzz.api_requests import OddRequest, odd_request

LONGEST_SEC = 30.0  #: for one answer; usually milliseconds
#: Messages of libraries, which mean nothing to a client.
FOREIGN_WORDS = re.compile(
    r"pydantic|validated data|Value error|Input should be|Assertion failed|valid dictionary|instance of|Traceback",
    re.IGNORECASE,
)
#: There is no storage, and requests do not wait long for it.
SETTINGS = {
    "BATCHSCRIBE_S3_ENDPOINT": "http://127.0.0.1:9",
    "BATCHSCRIBE_DRY_RUN_MAX_SEC": "1",
    "BATCHSCRIBE_LOG_LEVEL": "warning",
    "BATCHSCRIBE_REQUEST_HEAD_SEC": "2",
    "BATCHSCRIBE_REQUEST_BODY_SEC": "2",
}
#: A dry run may answer 503 because of the storage.
NOT_OURS = {"STORAGE_UNAVAILABLE", "STORAGE_UNREACHABLE"}


@contextmanager
def fuzzed_server(folder: Path) -> Iterator[Server]:
    with Server(folder, SETTINGS, ("--no-worker",)) as server:
        yield server


def findings(server: Server, numbers: Iterable[int]) -> Iterator[str]:
    """Return a line for each wrong answer."""
    secret = server.new_key("fuzz").api_secret
    for number in numbers:
        request = odd_request(number, secret)
        fault = _fault(server.port, request)
        if fault:
            yield f"{number}: {request.method} {request.target[:200]}: {fault}"


def _fault(port: int, request: OddRequest) -> str | None:
    began_at = time.monotonic()
    try:
        status, headers, content = _answer(port, request)
    except (OSError, HTTPException) as error:
        return f"no answer: {error!r}"
    if time.monotonic() - began_at > LONGEST_SEC:
        return "the answer took too long"
    try:
        _check(request.method, status, headers, content)
    except (AssertionError, KeyError, ValueError) as error:
        return f"{status}: {str(error)[:500] or repr(error)}; {content[:300]!r}"
    return None


def _answer(port: int, request: OddRequest) -> tuple[int, dict[str, str], bytes]:
    with socket.create_connection(("127.0.0.1", port), timeout=LONGEST_SEC) as connection:
        connection.sendall(request.content)
        # A damaged request may have lost its `Connection: close`, or its end.
        response = HTTPResponse(connection, method=request.method)
        response.begin()
        return response.status, {name.lower(): value for name, value in response.getheaders()}, response.read()


def _check(method: str, status: int, headers: dict[str, str], content: bytes) -> None:
    assert headers.get("x-zm-trackingid"), "no tracking id"
    if status < 400 or method == "HEAD":
        assert status < 500, "a mistake of ours"
        return
    assert is_json(headers), "an error that is not JSON"
    body = parsed(content)
    assert status < 500 or body["reason"] in NOT_OURS, "a mistake of ours"
    check_error(status, body)
    found = FOREIGN_WORDS.search(content.decode())
    assert found is None, f"the words of a library: {found[0]}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("requests", type=int, nargs="?", default=50_000)
    parser.add_argument("--from", type=int, default=0, dest="first")
    wanted = parser.parse_args()
    found = 0
    with tempfile.TemporaryDirectory() as folder, fuzzed_server(Path(folder)) as server:
        for line in findings(server, range(wanted.first, wanted.first + wanted.requests)):
            found += 1
            sys.stdout.write(line + "\n")
        log_lines = len(server.log_text().splitlines())
    sys.stdout.write(f"{wanted.requests} requests, {found} findings, {log_lines} lines in the log\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
