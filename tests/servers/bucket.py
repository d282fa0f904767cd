"""An S3 bucket in memory whose answers a test may change: services with fewer features than S3, or odd answers."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import unquote
from xml.sax.saxutils import escape

from batchscribe.storage.access import Access
from batchscribe.storage.s3.s3_credentials import AwsCredentials
from tests.servers.accesses import access_with
from tests.servers.scripted import Asked, Reply, ScriptedServer, scripted_server

BUCKET = "bucket"
#: Returns the answer instead; None for the bucket's own answer.
Instead = Callable[[Asked], Reply | None]


def refusal(status: int, code: str) -> Reply:
    return Reply(status, f"<Error><Code>{code}</Code><Message>secret detail</Message></Error>".encode())


class Bucket:
    """`objects` by their keys; a page of their listing has `page_keys`."""

    page_keys = 1000

    def __init__(self, objects: Mapping[str, bytes], instead: Instead) -> None:
        self.objects = dict(objects)
        self.instead = instead
        self._server: ScriptedServer | None = None
        self._lock = threading.Lock()

    @property
    def endpoint(self) -> str:
        assert self._server is not None
        return self._server.url

    @property
    def access(self) -> Access:
        return access_with(AwsCredentials("key", "secret"), s3_endpoint=self.endpoint, s3_allow_http=True)

    @property
    def asked(self) -> list[Asked]:
        assert self._server is not None
        return self._server.asked

    @property
    def puts(self) -> list[str]:
        """The keys of all PUTs so far."""
        return [_key(asked) for asked in self.asked if asked.method == "PUT"]

    def answer(self, asked: Asked) -> Reply:
        with self._lock:
            return self.instead(asked) or self._own(asked)

    def _own(self, asked: Asked) -> Reply:
        key = _key(asked)
        match asked.method:
            case "PUT":
                return self._put(key, asked)
            case "DELETE":
                self.objects.pop(key, None)
                return Reply(204)
        if not key:
            return Reply(200, self._listing(asked.query))
        if key not in self.objects:
            return refusal(404, "NoSuchKey")
        return _ranged(self.objects[key], asked.headers.get("range", ""))

    def _put(self, key: str, asked: Asked) -> Reply:
        if key in self.objects and "if-none-match" in asked.headers:
            return refusal(412, "PreconditionFailed")
        self.objects[key] = asked.body
        return Reply(200, headers={"ETag": '"new"'})

    def _listing(self, query: Mapping[str, str]) -> bytes:
        after = query.get("continuation-token") or query.get("start-after", "")
        found = sorted(key for key in self.objects if key.startswith(query.get("prefix", "")) and key > after)
        page = found[: self.page_keys]
        entries = "".join(
            f"<Contents><Key>{escape(key)}</Key><Size>{len(self.objects[key])}</Size></Contents>" for key in page
        )
        more = f"<NextContinuationToken>{escape(page[-1])}</NextContinuationToken>" if page != found else ""
        is_truncated = str(bool(more)).lower()
        return f"<ListBucketResult><IsTruncated>{is_truncated}</IsTruncated>{more}{entries}</ListBucketResult>".encode()


def _key(asked: Asked) -> str:
    return unquote(asked.path).removeprefix(f"/{BUCKET}").removeprefix("/")


def _ranged(data: bytes, wanted: str) -> Reply:
    headers = {"ETag": f'"{hashlib.sha256(data).hexdigest()[:16]}"', "Last-Modified": "Mon, 23 Nov 2026 10:00:00 GMT"}
    found = re.fullmatch(r"bytes=(\d+)-(\d+)", wanted)
    if not found:
        return Reply(200, data, headers)
    start, end = int(found[1]), min(int(found[2]) + 1, len(data))
    if start >= len(data):
        return Reply(416, b"", headers)
    return Reply(206, data[start:end], {**headers, "Content-Range": f"bytes {start}-{end - 1}/{len(data)}"})


@contextmanager
def serving_bucket(objects: Mapping[str, bytes], instead: Instead = lambda _asked: None) -> Iterator[Bucket]:
    bucket = Bucket(objects, instead)
    with scripted_server(bucket.answer) as server:
        bucket._server = server  # noqa: SLF001
        yield bucket
