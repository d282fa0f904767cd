"""A real S3 service on loopback: Ceph's radosgw over one monitor and one store in memory, from Debian's packages.

It verifies signatures and session tokens, which moto does not. Everything runs as the user of the tests, in a folder of
its own, and is ended by process id.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.servers.s3_server import S3Server

BINARIES = ("ceph", "ceph-authtool", "ceph-mon", "ceph-osd", "monmaptool", "radosgw", "radosgw-admin")
START_SEC = 90

CONFIG = """\
[global]
fsid = {fsid}
mon host = [v1:127.0.0.1:{mon_port}]
auth cluster required = cephx
auth service required = cephx
auth client required = cephx
keyring = {folder}/keyring
run dir = {folder}
admin socket = {folder}/$name.asok
log file = {folder}/$name.log
mon data = {folder}/mon
osd data = {folder}/osd
osd objectstore = memstore
memstore device bytes = 2147483648
public addr = 127.0.0.1
ms bind msgr2 = false
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 1
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
mon allow pool size one = true
mon warn on pool no redundancy = false
auth allow insecure global id reclaim = true
rgw frontends = beast endpoint=127.0.0.1:{s3_port}
rgw enable usage log = false
rgw enable apis = s3, sts, admin
rgw s3 auth use sts = true
rgw sts key = abcdefghijklmnop
"""


def missing_binaries() -> list[str]:
    return [name for name in BINARIES if shutil.which(name, path=_path()) is None]


@contextmanager
def running_gateway(folder: Path) -> Iterator[S3Server]:
    """Start a gateway in about 15 seconds."""
    mon_port, s3_port = _free_ports(2)
    config = folder / "ceph.conf"
    config.write_text(CONFIG.format(fsid=uuid.uuid4(), folder=folder, mon_port=mon_port, s3_port=s3_port))
    cluster = Cluster(config)
    cluster.make_keyring()
    cluster.make_monitor(mon_port)
    with ExitStack() as daemons:
        daemons.enter_context(cluster.daemon("ceph-mon", "-i", "a"))
        cluster.make_osd()
        daemons.enter_context(cluster.daemon("ceph-osd", "-i", "0"))
        key = cluster.make_user()
        daemons.enter_context(cluster.daemon("radosgw", "-n", "client.admin"))
        _wait_for_port(s3_port)
        yield S3Server(f"http://127.0.0.1:{s3_port}", key["access_key"], key["secret_key"])


class Cluster:
    """The commands that create a cluster, all with the same configuration."""

    def __init__(self, config: Path) -> None:
        self._folder = config.parent
        self._environment = {"PATH": _path(), "CEPH_CONF": str(config), "HOME": str(config.parent)}

    def run(self, *command: str) -> str:
        done = subprocess.run(
            command, env=self._environment, cwd=self._folder, capture_output=True, text=True, timeout=START_SEC
        )
        assert done.returncode == 0, f"{command} failed: {done.stderr[-2000:]}"
        return done.stdout

    def make_keyring(self) -> None:
        def add(name: str, *capabilities: str) -> None:
            caps = [word for service in capabilities for word in ("--cap", service, "allow *")]
            self.run("ceph-authtool", "keyring", "--gen-key", "--name", name, *caps)

        self.run("ceph-authtool", "keyring", "--create-keyring")
        add("mon.", "mon")
        add("client.admin", "mon", "osd", "mgr", "mds")
        add("osd.0", "mon", "osd", "mgr")

    def make_monitor(self, port: int) -> None:
        fsid = self.run("ceph-conf", "--lookup", "fsid").strip()
        self.run("monmaptool", "--create", "--addv", "a", f"[v1:127.0.0.1:{port}]", "--fsid", fsid, "monmap")
        self.run("ceph-mon", "--mkfs", "-i", "a", "--monmap", "monmap", "--keyring", "keyring")

    def make_osd(self) -> None:
        number = str(uuid.uuid4())
        (self._folder / "osd").mkdir()
        self.run("ceph", "osd", "create", number, "0")
        self.run("ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", number)

    def make_user(self) -> dict[str, str]:
        user = json.loads(self.run("radosgw-admin", "user", "create", "--uid=tester", "--display-name=Tester"))
        key: dict[str, str] = user["keys"][0]
        return key

    @contextmanager
    def daemon(self, *command: str) -> Iterator[None]:
        with (self._folder / f"{command[0]}.out").open("wb") as output:
            process = subprocess.Popen(
                [*command, "-f"], env=self._environment, cwd=self._folder, stdout=output, stderr=output
            )
        try:
            yield
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _path() -> str:
    return f"{os.environ['PATH']}:/usr/sbin:/sbin"


def _free_ports(count: int) -> list[int]:
    with ExitStack() as sockets:
        held = [sockets.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [one.getsockname()[1] for one in held]


def _wait_for_port(port: int) -> None:
    deadline = time.monotonic() + START_SEC
    while not _answers(port):
        assert time.monotonic() < deadline, "radosgw did not come up"
        time.sleep(0.2)


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
