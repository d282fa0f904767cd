"""`batchscribe serve` as an operator runs it: a separate process, configured by its environment."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Self

import psutil

from batchscribe.database.api_key_rows import create_key
from batchscribe.queue.records import open_records
from batchscribe.settings import load_settings
from tests.integration.command import Result, run_preloaded, wait_until
from tests.preloaded import RunningCommand, preloaded

READY_SEC = 60.0  #: for a busy machine; usually a few seconds
END_SEC = 30.0

#: A fast engine, loopback receivers and fast retries. Answers do not depend on them.
QUICK = {
    "BATCHSCRIBE_ENGINE": "scripted",
    "BATCHSCRIBE_GRACE_SEC": "10",
    "BATCHSCRIBE_LOG_LEVEL": "info",
    "BATCHSCRIBE_S3_ALLOW_HTTP": "true",
    "BATCHSCRIBE_S3_PATH_STYLE": "true",
    "BATCHSCRIBE_WEBHOOK_ALLOW_HTTP": "true",
    "BATCHSCRIBE_WEBHOOK_ALLOW_NETWORKS": "127.0.0.0/8",
    "BATCHSCRIBE_WEBHOOK_FIRST_RETRY_SEC": "0.2",
    "BATCHSCRIBE_ENGINE_PROCESSES": "2",
}


@dataclass(frozen=True, slots=True)
class Key:
    """The output of `keys create`."""

    api_key: str
    api_secret: str
    tenant: str


@dataclass(slots=True)
class Server:
    """A server with its data, log and output in `folder`. It may be restarted after it ended."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)
    words: tuple[str, ...] = ()
    program: Path | None = None  #: replaces the command
    url: str = ""
    process: subprocess.Popen[bytes] | RunningCommand | None = None
    may_have_ended: bool = False  #: whether the test has ended it, or expects its end

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        """In order, because a killed process saves no coverage. A server that ended by itself is an error."""
        if self.process is None:
            return
        if (status := self.process.poll()) is not None:
            log = self.log_text()[-3000:]
            assert self.may_have_ended, f"the server ended by itself with status {status}; its log ends: {log}"
            return
        self.process.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout=END_SEC)
        self.kill()

    @property
    def data_dir(self) -> Path:
        return self.folder / "data"

    @property
    def database_url(self) -> str:
        return self.environment.get("BATCHSCRIBE_DATABASE_URL", f"sqlite:///{self.data_dir / 'batchscribe.db'}")

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def start(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._printed.write_bytes(b"")
        self.may_have_ended = False
        words = self._words("serve", "--host", "127.0.0.1", "--port", "0", *self.words)
        with self._printed.open("ab") as out, self._log.open("ab") as err:
            self.process = self._started(words, out, err)
        wait_until(self._answered_or_ended, within_sec=READY_SEC)
        found = re.search(r"http://\S+", self.printed())
        assert found, f"no address on standard output; the log ends: {self.log_text()[-3000:]}"
        self.url = found[0].rstrip("/.")
        return self

    @contextmanager
    def working(self) -> Iterator[None]:
        """Run a worker beside a server that was started without one."""
        with self._printed.open("ab") as out, self._log.open("ab") as err:
            worker = self._started(self._words("worker"), out, err)
        try:
            yield
        finally:
            worker.send_signal(signal.SIGTERM)
            worker.wait(timeout=END_SEC)

    def stop(self) -> int:
        """Stop the server as a service manager does. Return the exit status."""
        assert self.process is not None
        self.may_have_ended = True
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=END_SEC)

    def kill(self) -> None:
        """Kill the server with SIGKILL."""
        self.may_have_ended = True
        if self.process is None or self.process.poll() is not None:
            return
        family = psutil.Process(self.process.pid).children(recursive=True)
        self.process.kill()
        self.process.wait(timeout=END_SEC)
        _, left = psutil.wait_procs(family, timeout=END_SEC)
        assert left == [], "processes were left behind"

    def run(self, *words: str, within_sec: float = 60) -> Result:
        """Run another command on the same data directory."""
        return run_preloaded(
            self._words(*words), folder=self._made_folder(), environment=self._environment(), within_sec=within_sec
        )

    def new_key(self, tenant: str) -> Key:
        """Create a key without the process of `keys create`, because there are many."""
        secret_key = self.environment.get("BATCHSCRIBE_SECRET_KEY")
        records = open_records(
            load_settings(data_dir=self.data_dir, database_url=self.database_url, secret_key=secret_key)
        )
        with records.transaction() as connection:
            made = create_key(connection, records.keyring, tenant)
        records.database.dispose()
        return Key(made.api_key, made.secret, tenant)

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def printed(self) -> str:
        """All of standard output."""
        return self._printed.read_text()

    def log_text(self) -> str:
        """All of standard error, over restarts."""
        return self._log.read_text(errors="replace")

    def log_lines(self) -> list[dict[str, Any]]:
        """The lines of the log itself. The first start without a key also prints a hint there."""
        return [json.loads(line) for line in self.log_text().splitlines() if line.startswith("{")]

    @property
    def _printed(self) -> Path:
        return self.folder / "stdout.txt"

    @property
    def _log(self) -> Path:
        return self.folder / "stderr.txt"

    def _made_folder(self) -> Path:
        self.folder.mkdir(parents=True, exist_ok=True)
        return self.folder

    def _answered_or_ended(self) -> bool:
        assert self.process is not None
        return "\n" in self.printed() or self.process.poll() is not None

    def _started(
        self, words: tuple[str, ...], out: IO[bytes], err: IO[bytes]
    ) -> subprocess.Popen[bytes] | RunningCommand:
        if self.program is None:
            return preloaded().start(words, folder=self.folder, environment=self._environment(), out=out, err=err)
        line = [sys.executable, "-W", "error", str(self.program), *words]
        return subprocess.Popen(line, cwd=self.folder, env=self._environment(), stdout=out, stderr=err)

    def _words(self, *words: str) -> tuple[str, ...]:
        return (*words, "--data-dir", str(self.data_dir))

    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        return kept | QUICK | self.environment
