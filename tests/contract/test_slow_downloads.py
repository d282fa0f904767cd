"""Clients that ask for large transcripts and read slowly: what they cost the memory of the server."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil
import pytest

from tests.audio_files import noise, wav
from tests.contract.client import Client
from tests.contract.conftest import StartServer, client_of
from tests.contract.server import Server
from tests.contract.visitor import Visitor

MIB = 2**20
SLOW = 6  #: clients


@pytest.fixture(scope="module")
def slow_server(start_server: StartServer) -> Server:
    return start_server()


@pytest.fixture(scope="module")
def tenant(slow_server: Server) -> Iterator[tuple[Client, Visitor]]:
    key = slow_server.new_key("alice")
    with client_of(slow_server, key) as client, Visitor.signed_in(slow_server, key) as visitor:
        yield client, visitor


def job_of(client: Client, path: Path) -> str:
    """Return the path of the only file of a job that has ended."""
    path.write_bytes(wav(noise(1)))
    body = {
        "input": {"mode": "SINGLE", "source": "FILE", "uri": path.as_uri()},
        "output": {"destination": "FILE", "layout": "ADJACENT"},
        "config": {"segmentation_mode": "none", "output_formats": ["json", "txt"]},
    }
    return f"/jobs/{client.done(body)['job_id']}/files/f_000001"


@contextmanager
def slow_clients(visitor: Visitor, path: str, number: int = SLOW) -> Iterator[list[socket.socket]]:
    """Clients that have got the beginning of an answer and read no more of it."""
    host, port = visitor.url.removeprefix("http://").split(":")
    cookie = "; ".join(f"{name}={value}" for name, value in visitor.http.cookies.items())
    with ExitStack() as opened:
        sockets = []
        for _ in range(number):
            client = opened.enter_context(socket.socket())
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.settimeout(60)
            client.connect((host, int(port)))
            client.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nCookie: {cookie}\r\n\r\n".encode())
            sockets.append(client)
        yield sockets


def grown_mib(server: Server, before: int) -> float:
    assert server.process is not None
    return float(psutil.Process(server.process.pid).memory_info().rss - before) / MIB


def test_a_stored_transcript_is_sent_in_blocks(
    slow_server: Server, tenant: tuple[Client, Visitor], recordings: Path
) -> None:
    client, visitor = tenant
    path = recordings / "slow-stored.wav"
    file = job_of(client, path)
    large = b"0123456789abcdef" * (4 * MIB)
    path.with_suffix(".txt").write_bytes(large)
    assert slow_server.process is not None
    before = psutil.Process(slow_server.process.pid).memory_info().rss
    with slow_clients(visitor, f"{file}/download/txt") as clients:
        assert [each.recv(15) for each in clients] == [b"HTTP/1.1 200 OK"] * SLOW
        time.sleep(1)
        assert grown_mib(slow_server, before) < 64  # and not 6 * 64
        got = visitor.get(f"{file}/download/txt")
        assert (got.content == large, got.headers["content-length"]) == (True, str(len(large)))


def test_a_stored_transcript_that_is_replaced_meanwhile_is_not_mixed_with_the_new_one(
    tenant: tuple[Client, Visitor], recordings: Path
) -> None:
    client, visitor = tenant
    path = recordings / "slow-replaced.wav"
    file = job_of(client, path)
    path.with_suffix(".txt").write_bytes(b"a" * (30 * MIB))
    with slow_clients(visitor, f"{file}/download/txt", 1) as (slow,):
        assert slow.recv(15) == b"HTTP/1.1 200 OK"
        other = path.with_suffix(".new")
        other.write_bytes(b"b" * (30 * MIB))
        other.replace(path.with_suffix(".txt"))
        got = bytearray()
        while part := slow.recv(MIB):
            got += part
    assert MIB < len(got) < 30 * MIB
    assert b"b" * 100 not in got
