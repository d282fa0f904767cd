"""S3 services for the tests that need one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from moto.server import ThreadedMotoServer

from tests.servers.radosgw import missing_binaries, running_gateway
from tests.servers.s3_server import S3Server


@pytest.fixture(scope="session")
def moto_s3() -> Iterator[S3Server]:
    """Light: in this process, up in a second. It accepts any key, secret and token, so it proves nothing about them."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield S3Server(f"http://{host}:{port}", "any-key", "any-secret")
    server.stop()


@pytest.fixture(scope="session")
def radosgw(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """Real: it verifies signatures and tokens. Up in about 12 seconds, once for the whole run."""
    missing = missing_binaries()
    if missing:
        pytest.skip(f"no Ceph here ({', '.join(missing)} missing): apt-get install radosgw ceph-mon ceph-osd")
    with running_gateway(tmp_path_factory.mktemp("ceph")) as gateway:
        yield gateway
