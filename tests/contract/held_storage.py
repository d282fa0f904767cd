"""Storage that stops answering within a job, so that the job cannot end before the test lets it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event

from tests.contract.client import Client
from tests.contract.conftest import StartServer, client_of
from tests.integration.command import HAPPENS_SEC, wait_until
from tests.servers.bucket import Bucket, serving_bucket
from tests.servers.scripted import Asked

FILES = 40


class HeldStorage:
    """A bucket with `FILES` recordings. It takes one transcript, and answers again after `release`."""

    def __init__(self) -> None:
        self.bucket: Bucket
        self._has_written, self._released = Event(), Event()

    def release(self) -> None:
        self._released.set()

    def hold(self, asked: Asked) -> None:
        if self._has_written.is_set():
            self._released.wait(HAPPENS_SEC)
        elif asked.method == "PUT" and "/." not in asked.path:  # a hidden object only tries the storage out
            self._has_written.set()


@contextmanager
def job_in_progress(start_server: StartServer, wav: bytes) -> Iterator[tuple[Client, str, HeldStorage]]:
    """Yield a client with its job, of which one file has succeeded and the others wait for the storage."""
    storage = HeldStorage()
    with serving_bucket({f"calls/{number:03}.wav": wav for number in range(FILES)}, storage.hold) as storage.bucket:
        server = start_server(BATCHSCRIBE_S3_ENDPOINT=storage.bucket.endpoint)
        try:
            with client_of(server, server.new_key("alice")) as client:
                body = {"input": {"uri": "s3://bucket/calls/"}, "output": {"uri": "s3://bucket/out/"}}
                job_id = client.submit(body)
                wait_until(lambda: client.job(job_id)["summary"]["succeeded"] == 1)
                yield client, job_id, storage
        finally:
            storage.release()
            server.kill()
