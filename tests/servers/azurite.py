"""Azurite, Microsoft's emulator of Azure Blob Storage. It verifies signatures and conditions.

It is a package of npm, kept outside the repository, so that each machine installs it once.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import socket
import subprocess
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import platformdirs
import pytest
from azure.storage.blob import BlobServiceClient

from batchscribe.storage.access import Access
from batchscribe.storage.azure.azure_credentials import AzureCredentials
from batchscribe.storage.azure.azure_signing import API_VERSION
from tests.servers.accesses import access_with

VERSION = "3.37.0"
KEPT = Path(platformdirs.user_cache_dir("batchscribe-tests")) / f"azurite-{VERSION}"
ACCOUNT = "devstoreaccount1"
#: The published key of every emulator.
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
START_SEC = 60


@dataclass(frozen=True)
class Azurite:
    url: str
    scheme: str = "az"

    @property
    def endpoint(self) -> str:
        """The value of `BATCHSCRIBE_AZURE_ENDPOINT`."""
        return f"{self.url}/{{account}}"

    def access(self, credentials: AzureCredentials | None = None) -> Access:
        return access_with(credentials or AzureCredentials(ACCOUNT, KEY), azure_endpoint=self.endpoint)

    def client(self) -> BlobServiceClient:
        return BlobServiceClient(f"{self.url}/{ACCOUNT}", credential=KEY, api_version=API_VERSION)

    def new_bucket(self, **objects: bytes) -> str:
        name = f"container-{uuid.uuid4().hex[:12]}"
        with self.client() as client:
            client.create_container(name)
        for key, data in objects.items():
            self.put(name, key, data)
        return name

    def put(self, bucket: str, key: str, data: bytes) -> None:
        with self.client() as client:
            client.get_blob_client(bucket, key).upload_blob(data, overwrite=True)

    def objects(self, bucket: str) -> dict[str, bytes]:
        with self.client() as client, client.get_container_client(bucket) as container:
            return {name: container.download_blob(name).readall() for name in container.list_blob_names()}

    def content_type(self, bucket: str, key: str) -> str:
        with self.client() as client:
            return str(client.get_blob_client(bucket, key).get_blob_properties().content_settings.content_type)


def installed_azurite() -> Path:
    """Return the command, installed if necessary. Without npm the test is skipped, but on CI it fails."""
    command = KEPT / "node_modules" / ".bin" / "azurite-blob"
    npm = shutil.which("npm")
    if npm is None and not command.exists() and not os.environ.get("CI"):
        pytest.skip("no npm here to install Azurite: apt-get install npm")
    KEPT.mkdir(parents=True, exist_ok=True)
    with (KEPT / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # other processes of the tests wait here
        if not command.exists():
            assert npm is not None, "npm is missing: apt-get install npm"
            install = [npm, "install", "--prefix", str(KEPT), "--no-audit", "--no-fund", f"azurite@{VERSION}"]
            subprocess.run(install, check=True, capture_output=True)
    return command


@contextmanager
def running_azurite() -> Iterator[Azurite]:
    command = installed_azurite()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    words = [str(command), "--inMemoryPersistence", "--silent", "--disableTelemetry", "--blobPort", str(port)]
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            _wait(port, process)
            yield Azurite(f"http://127.0.0.1:{port}")
        finally:
            process.terminate()


def _wait(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SEC
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except ConnectionRefusedError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError(f"Azurite did not start: exit status {process.poll()}")


if __name__ == "__main__":
    installed_azurite()
