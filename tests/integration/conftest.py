"""S3 services, and the flow on a fresh database."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from moto.server import ThreadedMotoServer

from batchscribe.database.connect import open_database
from batchscribe.queue.flow import Flow
from tests.servers.radosgw import missing_binaries, running_gateway
from tests.servers.s3_server import S3Server


@pytest.fixture
def engine(database: str) -> Iterator[sa.Engine]:
    opened = open_database(database)
    yield opened
    opened.dispose()


@pytest.fixture
def flow(engine: sa.Engine) -> Iterator[Flow]:
    """The flow. The test calls `run`; it is stopped at the end."""
    made = Flow(engine)
    yield made
    made.stop()


@pytest.fixture(scope="session")
def moto_s3() -> Iterator[S3Server]:
    """The moto server: in this process, ready in a second. It accepts any key, secret and token."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield S3Server(f"http://{host}:{port}", "any-key", "any-secret")
    server.stop()


@pytest.fixture(scope="session")
def radosgw(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """A real server that verifies signatures and tokens. Ready in about 12 seconds, once for the whole run."""
    missing = missing_binaries()
    if missing:
        pytest.skip(f"no Ceph here ({', '.join(missing)} missing): apt-get install radosgw ceph-mon ceph-osd")
    with running_gateway(tmp_path_factory.mktemp("ceph")) as gateway:
        yield gateway
