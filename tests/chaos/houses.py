"""The environment of a run: its processes, database and settings."""

from __future__ import annotations

import logging
import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from random import Random, SystemRandom

from moto.server import ThreadedMotoServer
from pydantic import SecretStr

from batchscribe.database.api_key_rows import create_key
from batchscribe.queue.records import open_records
from batchscribe.settings import Settings
from tests.chaos.disk import Disk, small_disk
from tests.chaos.ledger import Ledger
from tests.chaos.machine import Machine
from tests.chaos.orders import Orders
from tests.chaos.receiver import Receiver, running_receiver
from tests.chaos.service import Manager, Service, managed
from tests.chaos.storage import running_proxy
from tests.chaos.weather import Weather
from tests.chaos.workload import PostedJob, Tenant, Workload
from tests.servers.postgresql import SECRET_KEY, PostgreSQL, running_postgresql
from tests.servers.s3_server import S3Server

PORTS = range(20_000, 32_000)  #: outside the range of ephemeral ports
DISK_MIB = 64
TEMPORARY_MIB, TEMPORARY_FILES = 1, 64  #: size of a worker's temporary folder
LARGE, SMALL = "large", "small"  #: tenants
CALLS_OF_CLIENT = 1_000_000  #: at most
ENGINES = 2  #: of one worker
HEARTBEAT_SEC, SILENT_SEC = 1.0, 4.0  #: a tenth of the defaults or so
GRACE_SEC = 3.0

SETTINGS = {
    "BATCHSCRIBE_DRY_RUN_MAX_SEC": "5",
    "BATCHSCRIBE_ENGINE": "scripted",
    "BATCHSCRIBE_GRACE_SEC": str(GRACE_SEC),
    "BATCHSCRIBE_HEARTBEAT_SEC": str(HEARTBEAT_SEC),
    "BATCHSCRIBE_LOG_LEVEL": "info",
    # Many sick workers must not exhaust a file's attempts: its final state depends on its content only.
    "BATCHSCRIBE_MAX_ATTEMPTS": "1000",
    "BATCHSCRIBE_S3_ALLOW_HTTP": "true",
    "BATCHSCRIBE_S3_PATH_STYLE": "true",
    "BATCHSCRIBE_SECRET_KEY": SECRET_KEY,
    "BATCHSCRIBE_SILENT_SEC": str(SILENT_SEC),
    "BATCHSCRIBE_WEBHOOK_ALLOW_HTTP": "true",
    "BATCHSCRIBE_WEBHOOK_ALLOW_NETWORKS": "127.0.0.0/8",
    "BATCHSCRIBE_WEBHOOK_FIRST_RETRY_SEC": "0.3",
    "BATCHSCRIBE_WEBHOOK_KEEP_SEC": "0",  # no secret is left
    "BATCHSCRIBE_ENGINE_PROCESSES": str(ENGINES),
}


class Shape(StrEnum):
    EMBEDDED = "embedded"  #: `serve` on SQLite
    SQLITE = "sqlite"  #: `serve --no-worker` and two workers on one SQLite file
    POSTGRESQL = "postgresql"  #: `serve --no-worker` and three workers on PostgreSQL


WORKERS = {Shape.EMBEDDED: 0, Shape.SQLITE: 2, Shape.POSTGRESQL: 3}


@dataclass(frozen=True, slots=True)
class House:
    """All processes of a run, and ways to disturb them."""

    shape: Shape
    database_url: str
    url: str  #: of the API
    ledger: Ledger
    orders: Orders
    storage: Weather
    receiver: Receiver
    s3: S3Server  #: without faults
    bucket: str  #: for inputs and outputs of the large tenant
    small_bucket: str  #: of the small one
    starving_bucket: str  #: requests for it are never answered
    tenants: dict[str, Tenant]
    manager: Manager
    postgresql: PostgreSQL | None
    disk: Disk | None
    clients: dict[str, Workload] = field(default_factory=dict)

    @property
    def workers(self) -> list[Service]:
        return [service for service in self.manager.services if service.is_worker]

    @property
    def apis(self) -> list[Service]:
        return [service for service in self.manager.services if service.is_api]

    def client(self, name: str, random: Random, mean_files: int = 1, *, tenant: str = LARGE) -> Workload:
        """Return the client of this name, always the same. Only the large tenant wants webhooks."""
        if name not in self.clients:
            is_large = tenant == LARGE
            self.clients[name] = Workload(
                self.url,
                self.receiver.url if is_large else None,
                self.s3,
                self.bucket if is_large else self.small_bucket,
                self.ledger,
                random,
                mean_files,
                self.tenants[tenant],
                name,
                1 + len(self.clients) * CALLS_OF_CLIENT,
            )
        return self.clients[name]

    @property
    def jobs(self) -> list[PostedJob]:
        """The jobs of all clients."""
        return [job for client in self.clients.values() for job in client.jobs]

    def unfinished(self) -> list[PostedJob]:
        return [job for job in self.jobs if not job.is_final]

    def logs(self) -> str:
        return "".join(service.log.read_text(errors="replace") for service in self.manager.services)


@contextmanager
def open_house(shape: Shape, folder: Path, seed: int, **settings: str) -> Iterator[House]:
    """Start everything, with files below `folder`. `settings` are environment variables of the processes."""
    folder.mkdir(parents=True, exist_ok=True)
    ledger, orders = Ledger(folder / "ledger.jsonl"), Orders(folder / "orders")
    with ExitStack() as open_things:
        s3 = open_things.enter_context(_running_s3())
        storage = Weather(seed)
        proxy = open_things.enter_context(running_proxy(s3.endpoint, storage, ledger))
        receiver = open_things.enter_context(running_receiver(Weather(seed + 1), ledger))
        postgresql = open_things.enter_context(running_postgresql()) if shape is Shape.POSTGRESQL else None
        is_small = postgresql is None and os.geteuid() == 0
        disk = open_things.enter_context(small_disk(folder / "data", mebibytes=DISK_MIB)) if is_small else None
        data = folder / "data"
        database_url = postgresql.new_database() if postgresql else f"sqlite:///{data / 'batchscribe.db'}"
        environment = _environment(
            BATCHSCRIBE_DATA_DIR=str(data),
            BATCHSCRIBE_DATABASE_URL=database_url,
            BATCHSCRIBE_S3_ENDPOINT=proxy.endpoint,
            CHAOS_LEDGER=str(ledger.path),
            CHAOS_ORDERS=str(orders.folder),
            **settings,
        )
        port = free_port()
        tenants = _tenants(data, database_url)
        services = _services(shape, port, environment, folder, ledger)
        open_things.enter_context(_machines(services))
        proxy.starving.add(starving_bucket := s3.new_bucket())
        manager = open_things.enter_context(managed(services))
        yield House(
            shape=shape,
            database_url=database_url,
            url=f"http://127.0.0.1:{port}",
            ledger=ledger,
            orders=orders,
            storage=storage,
            receiver=receiver,
            s3=s3,
            bucket=s3.new_bucket(),
            small_bucket=s3.new_bucket(),
            starving_bucket=starving_bucket,
            tenants=tenants,
            manager=manager,
            postgresql=postgresql,
            disk=disk,
        )


def _services(shape: Shape, port: int, environment: dict[str, str], folder: Path, ledger: Ledger) -> list[Service]:
    serve = ["serve", "--port", str(port)]
    lines = {"api": [*serve, "--no-worker"]} if WORKERS[shape] else {"serve": serve}
    for number in range(1, WORKERS[shape] + 1):
        lines[f"worker-{number}"] = ["worker", "--name", f"worker-{number}"]
    machines = Path(tempfile.mkdtemp(prefix="chaos-"))  # not below `folder`, whose path may be too long
    return [
        Service(name, words, environment, folder / f"{name}.log", ledger, Machine(machines / name))
        for name, words in lines.items()
    ]


@contextmanager
def _machines(services: list[Service]) -> Iterator[None]:
    """Return one machine for each service. If possible, the temporary folders of workers are separate disks."""
    folder = services[0].machine.folder.parent
    try:
        with ExitStack() as disks:
            for service in services:
                service.machine.install()
                if service.is_worker and os.geteuid() == 0:
                    room = small_disk(service.machine.temporary, mebibytes=TEMPORARY_MIB, files=TEMPORARY_FILES)
                    service.machine = replace(service.machine, disk=disks.enter_context(room))
            yield
    finally:
        shutil.rmtree(folder)


def _tenants(data: Path, database_url: str) -> dict[str, Tenant]:
    """Create the tenants, each with a key. On SQLite this process creates the database."""
    settings = Settings(data_dir=data, database_url=database_url, secret_key=SecretStr(SECRET_KEY))
    records = open_records(settings)
    with records.transaction() as connection:
        keys = {name: create_key(connection, records.keyring, name) for name in (LARGE, SMALL)}
    records.database.dispose()
    return {name: Tenant(name, key.secret) for name, key in keys.items()}


#: Settings of the person who runs the test. Coverage is not measured, because a killed process cannot save it.
LEFT_OUT = ("AWS_", "BATCHSCRIBE_", "COVERAGE_")


def _environment(**settings: str) -> dict[str, str]:
    """Return an environment without the settings of the person who runs the test."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(LEFT_OUT)}
    return kept | SETTINGS | settings


@contextmanager
def _running_s3() -> Iterator[S3Server]:
    logging.getLogger("werkzeug").setLevel(logging.WARNING)  # it logs every request
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    try:
        yield S3Server(f"http://{host}:{port}", "any-key", "any-secret")
    finally:
        server.stop()


def free_port() -> int:
    """Return a port that no other program takes while its process is dead."""
    while True:
        port = SystemRandom().choice(PORTS)
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return port
