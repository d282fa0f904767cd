"""Servers under test, shared if tests do not affect each other, and their keys and recordings.

Each test that uses one runs once with a server on SQLite and once with one on PostgreSQL.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.contract.bodies import MARKS
from tests.contract.client import Client
from tests.contract.receiver import Receiver, running_receiver
from tests.contract.server import Key, Server
from tests.contract.tokens import DAY_SEC, token
from tests.integration.conftest import moto_s3
from tests.recordings import write_wav
from tests.servers.postgresql import PostgreSQL
from tests.servers.s3_server import S3Server

__all__ = ["moto_s3"]

#: Starts a server with the given settings and options of `serve`; `program` is as in `Server`. It ends with
#: the test module.
StartServer = Callable[..., Server]

#: Returns the environment of a server with a new database.
NewDatabase = Callable[[], dict[str, str]]


@pytest.fixture(scope="package")
def wav(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A second of noise."""
    return write_wav(tmp_path_factory.mktemp("wav") / "noise.wav").read_bytes()


@pytest.fixture(scope="package", params=["sqlite", "postgresql"])
def new_database(request: pytest.FixtureRequest) -> NewDatabase:
    """Empty for SQLite, whose database is in the data directory."""
    if request.param == "sqlite":
        return dict
    server: PostgreSQL = request.getfixturevalue("postgresql")
    return lambda: server.settings(server.new_database())


@pytest.fixture(scope="package")
def recordings(new_database: NewDatabase, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that alice's `file://` URIs may name. Each kind of database has another one."""
    folder = tmp_path_factory.mktemp("recordings") / "alice"
    folder.mkdir()
    return folder


@pytest.fixture(scope="package")
def shared_settings(moto_s3: S3Server, recordings: Path) -> dict[str, str]:
    return {"BATCHSCRIBE_S3_ENDPOINT": moto_s3.endpoint, "BATCHSCRIBE_FILE_ROOTS": str(recordings.parent / "{tenant}")}


@pytest.fixture(scope="package")
def server(
    shared_settings: dict[str, str], new_database: NewDatabase, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """A server that transcribes."""
    with Server(tmp_path_factory.mktemp("server"), shared_settings | new_database()) as server:
        yield server


@pytest.fixture(scope="package")
def idle_server(
    shared_settings: dict[str, str], new_database: NewDatabase, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """A server without workers: its jobs stay queued."""
    with Server(tmp_path_factory.mktemp("idle-server"), shared_settings | new_database(), ("--no-worker",)) as server:
        yield server


@pytest.fixture(scope="package")
def open_server(
    shared_settings: dict[str, str], new_database: NewDatabase, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """A server without authentication and workers."""
    settings = shared_settings | new_database() | {"BATCHSCRIBE_AUTH": "off"}
    with Server(tmp_path_factory.mktemp("open-server"), settings, ("--no-worker",)) as server:
        yield server


@pytest.fixture(scope="module")
def start_server(
    shared_settings: dict[str, str], new_database: NewDatabase, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[StartServer]:
    with ExitStack() as running:

        def start(*words: str, program: Path | None = None, **settings: str) -> Server:
            folder = tmp_path_factory.mktemp("own-server")
            return running.enter_context(Server(folder, shared_settings | new_database() | settings, words, program))

        yield start


@pytest.fixture(scope="package")
def alice_key(server: Server) -> Key:
    return server.new_key("alice")


@pytest.fixture(scope="package")
def bob_key(server: Server) -> Key:
    return server.new_key("bob")


@pytest.fixture(scope="package")
def alice(server: Server, alice_key: Key) -> Iterator[Client]:
    """A tenant of the server that transcribes."""
    with client_of(server, alice_key) as client:
        yield client


@pytest.fixture(scope="package")
def bob(server: Server, bob_key: Key) -> Iterator[Client]:
    """Another tenant of the same server."""
    with client_of(server, bob_key) as client:
        yield client


@pytest.fixture(scope="package")
def nobody(server: Server) -> Iterator[Client]:
    """A client without a key, on the same server."""
    with Client(server.url) as client:
        yield client


@pytest.fixture(scope="package")
def idle(idle_server: Server) -> Iterator[Client]:
    """A tenant of the server without workers."""
    with client_of(idle_server, idle_server.new_key("alice")) as client:
        yield client


@pytest.fixture(scope="package")
def anyone(open_server: Server) -> Iterator[Client]:
    """A client of the server without authentication."""
    with Client(open_server.url, secrets=MARKS) as client:
        yield client


@pytest.fixture(scope="package")
def receiver() -> Iterator[Receiver]:
    with running_receiver() as receiver:
        yield receiver


def client_of(server: Server, key: Key) -> Client:
    """Return a client with a token that outlives the tests."""
    headers = {"Authorization": f"Bearer {token(key, life_sec=DAY_SEC)}"}
    return Client(server.url, headers, secrets=(*MARKS, key.api_secret))
