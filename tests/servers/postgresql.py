"""A PostgreSQL server on loopback, from the machine's binaries: one cluster in a separate folder.

It trusts every client. When the process that started it dies, it ends too. Words are sorted by the rules of a
language, as most installations do, not by their bytes.
"""

from __future__ import annotations

import base64
import itertools
import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import sqlalchemy as sa

from batchscribe.database.connect import open_database
from batchscribe.database.schema import migrate
from batchscribe.queue.flow import Flow

BINARIES = ("initdb", "postgres")
START_SEC = 60.0
STOP_SEC = 30.0
USER = "batchscribe"
#: For every process on such a database: `BATCHSCRIBE_SECRET_KEY`.
SECRET_KEY = base64.urlsafe_b64encode(b"a key that nothing else is for..").decode()

#: Commits survive the death of the server, as by `restart`, but not of the machine.
QUICK = {
    "fsync": "off",
    "full_page_writes": "off",
    "listen_addresses": "127.0.0.1",
    "max_connections": "200",
    "unix_socket_directories": "",
}
#: Outside the range of ephemeral ports, so that no other program takes it while the server restarts.
PORTS = range(20_000, 32_000)

Mode = Literal["fast", "immediate"]
#: `fast` rolls back and disconnects all clients; `immediate` is a crash.
SIGNALS: dict[Mode, signal.Signals] = {"fast": signal.SIGINT, "immediate": signal.SIGQUIT}


def missing_binaries() -> list[str]:
    return [name for name in BINARIES if _find(name) is None]


@contextmanager
def running_postgresql(options: Mapping[str, str] | None = None) -> Iterator[PostgreSQL]:
    """Start a server in about 2 seconds. `options` are lines of `postgresql.conf` that replace the fast ones."""
    with tempfile.TemporaryDirectory(prefix="batchscribe-postgresql-", ignore_cleanup_errors=True) as name:
        server = PostgreSQL(Path(name), options=QUICK | dict(options or {}))
        server.make_cluster()
        server.start()
        try:
            yield server
        finally:
            server.stop("immediate")


@dataclass(slots=True)
class PostgreSQL:
    """Thread-safe, except that `start`, `stop` and `restart` are for one thread at a time."""

    folder: Path
    port: int = field(default_factory=lambda: _free_port())
    options: Mapping[str, str] = field(default_factory=lambda: QUICK)
    _process: subprocess.Popen[bytes] | None = None
    _guard: subprocess.Popen[bytes] | None = None
    _numbers: Iterator[int] = field(default_factory=itertools.count)
    _template: str = ""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def url(self, database: str) -> str:
        return f"postgresql://{USER}@127.0.0.1:{self.port}/{database}"

    @staticmethod
    def settings(url: str) -> dict[str, str]:
        """The environment of a process that works on that database."""
        return {"BATCHSCRIBE_DATABASE_URL": url, "BATCHSCRIBE_SECRET_KEY": SECRET_KEY}

    def new_database(self) -> str:
        """Return the URL of a fresh, migrated database. This takes about 50 ms, except for the first."""
        with self._lock:
            if not self._template:
                self._template = self._make_template()
        return self.new_empty_database(template=self._template)

    def new_empty_database(self, *, template: str = "template1") -> str:
        """Return the URL of a fresh database, without tables unless the template has some."""
        name = f"test_{next(self._numbers)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self.url(name)

    def drop(self, url: str) -> None:
        """Drop a database and its connections."""
        self.execute(f"DROP DATABASE {sa.make_url(url).database} WITH (FORCE)")

    def execute(self, statement: str, *, database: str = "postgres") -> None:
        """Execute a statement outside of any transaction."""
        engine = _engine(self.url(database))
        with engine.connect() as connection:
            connection.execute(sa.text(statement))

    def start(self) -> None:
        """Start the server. Returns when it answers."""
        settings = [word for name, value in self.options.items() for word in ("-c", f"{name}={value}")]
        command = [_found("postgres"), "-D", str(self._data), "-p", str(self.port), *settings]
        with self._log.open("ab") as log:
            self._process = self._popen(command, stdout=log, stderr=log)
        self._guard = self._set_guard(self._process.pid)
        deadline = time.monotonic() + START_SEC
        while not self._answers():
            assert self._process.poll() is None, f"PostgreSQL ended: {self.log_text()[-2000:]}"
            assert time.monotonic() < deadline, f"PostgreSQL did not come up: {self.log_text()[-2000:]}"
            time.sleep(0.02)

    def stop(self, mode: Mode = "fast") -> None:
        """Stop the server if it is running. Returns when all its processes have ended."""
        if self._process is None or self._guard is None:
            return
        self._process.send_signal(SIGNALS[mode])
        self._process.wait(STOP_SEC)
        self._guard.kill()
        self._guard.communicate()
        self._process = self._guard = None

    def restart(self, mode: Mode = "fast") -> None:
        """Restart on the same port with the same data."""
        self.stop(mode)
        self.start()

    def make_cluster(self) -> None:
        if os.geteuid() == 0:
            owner = _other_user()
            os.chown(self.folder, owner.pw_uid, owner.pw_gid)
        command = [
            _found("initdb"), "-D", str(self._data), "-U", USER, "-A", "trust", "-E", "UTF8", "--no-sync",
            "--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=en-US",
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, timeout=START_SEC, **self._as_its_user())
        assert done.returncode == 0, f"initdb failed: {done.stderr[-2000:]}"

    def log_text(self) -> str:
        return self._log.read_text(errors="replace")

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    @property
    def _log(self) -> Path:
        return self.folder / "postgresql.log"

    def _make_template(self) -> str:
        url = self.new_empty_database()
        engine = open_database(url)
        migrate(engine)
        Flow(engine).prepare()
        engine.dispose()
        return str(sa.make_url(url).database)

    def _answers(self) -> bool:
        try:
            self.execute("SELECT 1")
        except sa.exc.OperationalError:
            return False
        return True

    def _set_guard(self, pid: int) -> subprocess.Popen[bytes]:
        """Start a process that ends the server when our end of the pipe closes, however we end."""
        command = ["sh", "-c", 'read -r line; kill -QUIT "$0"', str(pid)]
        return self._popen(command, stdin=subprocess.PIPE)

    def _popen(self, command: list[str], **options: Any) -> subprocess.Popen[bytes]:
        """Start a process that does not get Ctrl-C: the last tests need the server to end in order."""
        return subprocess.Popen(command, start_new_session=True, **options, **self._as_its_user())

    def _as_its_user(self) -> dict[str, Any]:
        """PostgreSQL refuses to run as root."""
        options: dict[str, Any] = {"cwd": self.folder, "env": {"PATH": _path(), "LC_ALL": "C.UTF-8"}}
        if os.geteuid() != 0:
            return options
        owner = _other_user()
        return options | {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}


def _engine(url: str) -> sa.Engine:
    plain = sa.make_url(url).set(drivername="postgresql+psycopg")
    return sa.create_engine(plain, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)


def _other_user() -> pwd.struct_passwd:
    return pwd.getpwnam("nobody")


def _found(name: str) -> str:
    found = _find(name)
    assert found, f"{name} is missing"
    return found


def _find(name: str) -> str | None:
    return shutil.which(name, path=_path())


def _path() -> str:
    """Debian keeps the server's binaries out of the path; the newest version counts."""
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: int(folder.parent.name))
    return os.pathsep.join([*map(str, reversed(versions)), os.environ["PATH"]])


def _free_port() -> int:
    for port in random.sample(PORTS, len(PORTS)):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return port
    raise AssertionError("every port is taken")
