"""A simulated S3 bucket: a listing of any length, in which every key is the same recording.

Its answers are prepared, so that a measurement of the client does not include the server. `python -m
tests.servers.canned_bucket KEYS` serves it from a separate process, which prints its endpoint and ends with its parent.
"""

from __future__ import annotations

import io
import re
import sys
import threading
import time
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

BUCKET, FOLDER = "canned", "calls"
PREFIX_URI = f"s3://{BUCKET}/{FOLDER}/"
PAGE_KEYS = 1000
ETAG = '"canned"'
HELD_SEC = 60.0  #: at most
LAST_MODIFIED = "Mon, 23 Nov 2026 10:00:00 GMT"
_PAGE = b"######"  #: where the number of the page goes
_KEY = re.compile(FOLDER + r"/(\d{6})/(\d{3})\.wav")


def key_of(number: int) -> str:
    """Return the key at a position in the listing, from 0."""
    return f"{FOLDER}/{number // PAGE_KEYS:06}/{number % PAGE_KEYS:03}.wav"


def recording(duration_sec: float = 1.0) -> bytes:
    """A WAV of silence."""
    memory = io.BytesIO()
    with wave.open(memory, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(bytes(2 * int(16_000 * duration_sec)))
    return memory.getvalue()


class CannedBucket(ThreadingHTTPServer):
    """Answers ListObjectsV2 of `FOLDER`, and GET and HEAD of its keys, ranges too."""

    daemon_threads = True

    def __init__(self, keys: int, *, page_sec: float = 0.0) -> None:
        """`page_sec` is what a page of the listing takes at least."""
        super().__init__(("127.0.0.1", 0), _Handler)
        self.keys = keys
        self.page_sec = page_sec
        self.starts: list[int] = []  #: places in the listing at which its pages began
        self._most_keys, self._more_keys = keys, threading.Condition()
        self.content = recording()
        size = len(self.content)
        entries = (
            f"<Contents><Key>{FOLDER}/{_PAGE.decode()}/{number:03}.wav</Key><LastModified>2026-11-23T10:00:00.000Z"
            f"</LastModified><ETag>{ETAG}</ETag><Size>{size}</Size><StorageClass>STANDARD</StorageClass></Contents>"
            for number in range(PAGE_KEYS)
        )
        self._entries = [entry.encode() for entry in entries]

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def settings(self) -> dict[str, str]:
        """The environment of a process that reads from it."""
        return {"BATCHSCRIBE_S3_ENDPOINT": self.endpoint, "BATCHSCRIBE_S3_ALLOW_HTTP": "true"}

    def hold_from(self, key: int) -> None:
        """Do not answer with this key of the listing, by its number, or a later one until the next call."""
        with self._more_keys:
            self._most_keys = key
            self._more_keys.notify_all()

    def page(self, after: str) -> bytes:
        """The rest of the page that the key after `after` is on."""
        found = _KEY.fullmatch(after)
        start = int(found[1]) * PAGE_KEYS + int(found[2]) + 1 if found else 0
        end = min(self.keys, start - start % PAGE_KEYS + PAGE_KEYS)
        self.starts.append(start)
        with self._more_keys:
            self._more_keys.wait_for(lambda: end <= self._most_keys, timeout=HELD_SEC)
        number = f"{start // PAGE_KEYS:06}".encode()
        entries = self._entries[start % PAGE_KEYS : start % PAGE_KEYS + max(0, end - start)]
        more = f"<NextContinuationToken>{key_of(end - 1)}</NextContinuationToken>" if end < self.keys else ""
        head = (
            f"<Name>{BUCKET}</Name><Prefix>{FOLDER}/</Prefix><KeyCount>{len(entries)}</KeyCount><MaxKeys>1000</MaxKeys>"
            f"<IsTruncated>{str(bool(more)).lower()}</IsTruncated>{more}"
        )
        listed = b"".join(entries).replace(_PAGE, number)
        return b"<ListBucketResult>" + head.encode() + listed + b"</ListBucketResult>"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: CannedBucket

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = parse_qs(parts.query)
        if "list-type" in query:
            time.sleep(self.server.page_sec)
            after = query.get("continuation-token") or query.get("start-after") or [""]
            self._send(200, self.server.page(after[0]))
        elif _KEY.fullmatch(parts.path.removeprefix(f"/{BUCKET}/")):
            self._send_object()
        else:
            self._send(404, b"<Error><Code>NoSuchKey</Code></Error>")

    do_HEAD = do_GET  # noqa: N815 - the names that http.server asks for

    def do_PUT(self) -> None:
        """Accept transcripts in other buckets, and discard them."""
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self._send(200, b"")

    def do_DELETE(self) -> None:
        self._send(204, b"")

    def _send_object(self) -> None:
        whole = self.server.content
        asked = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        if not asked:
            self._send(200, whole)
            return
        first, last = int(asked[1]), min(int(asked[2]), len(whole) - 1)
        self._send(206, whole[first : last + 1], {"Content-Range": f"bytes {first}-{last}/{len(whole)}"})

    def _send(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        always = {"Content-Length": str(len(body)), "ETag": ETAG, "Last-Modified": LAST_MODIFIED}
        for name, value in (always | (headers or {})).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as it is overridden
        """Nothing on standard error."""


@contextmanager
def canned_bucket(keys: int, *, page_sec: float = 0.0) -> Iterator[CannedBucket]:
    server = CannedBucket(keys, page_sec=page_sec)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def main() -> None:
    with canned_bucket(int(sys.argv[1])) as server:
        print(server.endpoint, flush=True)  # noqa: T201 - the process that started it waits for this line
        sys.stdin.read()  # until the parent has ended


if __name__ == "__main__":
    main()
