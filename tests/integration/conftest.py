"""S3 services, and the flow on a fresh database."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from moto.server import ThreadedMotoServer

from batchscribe.database.connect import open_database
from batchscribe.queue.flow import Flow
from tests.servers.cloud import Bucket, Cloud, NewBucket
from tests.servers.radosgw import missing_binaries, running_gateway
from tests.servers.s3_server import S3Server

if TYPE_CHECKING:
    from tests.servers.azurite import Azurite
    from tests.servers.gcs_emulator import GcsEmulator


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


@pytest.fixture(scope="session")
def azurite() -> Iterator[Azurite]:
    """Azure Blob Storage: Microsoft's emulator, installed once per machine."""
    from tests.servers.azurite import running_azurite

    with running_azurite() as server:
        yield server


@pytest.fixture(scope="session")
def gcs_emulator() -> Iterator[GcsEmulator]:
    from tests.servers.gcs_emulator import running_gcs_emulator

    with running_gcs_emulator() as server:
        yield server


@pytest.fixture(params=["moto_s3", "gcs_emulator", "azurite"])
def new_bucket(request: pytest.FixtureRequest) -> NewBucket:
    """Creates buckets, with objects in them. A test that uses it runs once on the service of each cloud."""
    cloud: Cloud = request.getfixturevalue(request.param)
    return lambda **objects: Bucket(cloud, cloud.new_bucket(**objects))
