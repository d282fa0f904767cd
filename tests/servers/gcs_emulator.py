"""The package gcp-storage-emulator: the JSON API of Google Cloud Storage, without authorization and conditions.

What it does not check is in `gcs_bucket`.
"""

from __future__ import annotations

import http.client
import json
import socket
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from gcp_storage_emulator.server import create_server

from batchscribe.storage.access import Access
from batchscribe.storage.gcs.gcs_credentials import GcpCredentials
from tests.servers.accesses import access_with


@dataclass(frozen=True)
class GcsEmulator:
    url: str
    scheme: str = "gs"

    def access(self) -> Access:
        return access_with(GcpCredentials(access_token="any"), gcs_endpoint=self.url)

    def new_bucket(self, **objects: bytes) -> str:
        name = f"bucket-{uuid.uuid4().hex[:12]}"
        self._send(
            "/storage/v1/b?project=tests", json.dumps({"name": name}).encode(), "application/json", method="POST"
        )
        for key, data in objects.items():
            self.put(name, key, data)
        return name

    def put(self, bucket: str, key: str, data: bytes) -> None:
        part = b"--b\r\nContent-Type: %b\r\n\r\n%b\r\n"
        body = part % (b"application/json", json.dumps({"name": key}).encode()) + part % (b"audio/wav", data) + b"--b--"
        path = f"/upload/storage/v1/b/{bucket}/o?uploadType=multipart"
        self._send(path, body, "multipart/related; boundary=b", method="POST")

    def objects(self, bucket: str) -> dict[str, bytes]:
        items = json.loads(self._send(f"/storage/v1/b/{bucket}/o")).get("items", [])
        return {item["name"]: self._send(f"{self._path(bucket, item['name'])}?alt=media") for item in items}

    def content_type(self, bucket: str, key: str) -> str:
        return str(json.loads(self._send(self._path(bucket, key)))["contentType"])

    def _path(self, bucket: str, key: str) -> str:
        return f"/storage/v1/b/{bucket}/o/{quote(key, safe='')}"

    def _send(self, path: str, body: bytes | None = None, content_type: str = "", *, method: str = "GET") -> bytes:
        headers = {"Content-Type": content_type} if body is not None else {}
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=60)
        with closing(connection):
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            assert answer.status == 200, answer.status
            return answer.read()


@contextmanager
def running_gcs_emulator() -> Iterator[GcsEmulator]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with create_server("127.0.0.1", port, in_memory=True):
        yield GcsEmulator(f"http://127.0.0.1:{port}")
