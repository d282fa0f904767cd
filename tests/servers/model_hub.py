"""A model hub for tests, which answers like the real one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

REVISION = "0123456789abcdef0123456789abcdef01234567"
REPOSITORY = "mobiuslabsgmbh/faster-whisper-large-v3-turbo"


@dataclass
class Hub:
    """One repository with the files of `folder`, of which model.bin is a large one. Those in `broken` break off after
    half their bytes, those in `changed` arrive with another last byte.
    """

    folder: Path
    repository: str = REPOSITORY
    url: str = ""
    broken: set[str] = field(default_factory=set)
    changed: set[str] = field(default_factory=set)
    served: list[str] = field(default_factory=list)

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        path = request.path.partition("?")[0]
        files = sorted(self.folder.iterdir())
        if path.startswith(f"/api/models/{self.repository}/tree/"):
            reply_json(request, [entry(file) for file in files])
        elif path.startswith(f"/api/models/{self.repository}"):
            siblings = [sibling(file) for file in files]
            tags = ["ctranslate2", "license:mit"]
            reply_json(request, {"id": self.repository, "sha": REVISION, "siblings": siblings, "tags": tags})
        elif path.startswith(f"/{self.repository}/resolve/"):
            self.reply_file(request, self.folder / path.rpartition("/")[2])
        else:
            request.send_response(404)
            request.send_header("X-Error-Code", "RepoNotFound")
            request.send_header("Content-Length", "0")
            request.end_headers()

    def reply_file(self, request: BaseHTTPRequestHandler, file: Path) -> None:
        body = file.read_bytes()
        if file.name in self.changed:
            body = body[:-1] + bytes([body[-1] ^ 1])
        request.send_response(200)
        request.send_header("Content-Length", str(len(body)))
        request.send_header("ETag", f'"{sha256(file) if is_large(file) else git_hash(file)}"')
        request.send_header("X-Repo-Commit", REVISION)
        request.end_headers()
        if request.command == "HEAD":
            return
        if file.name in self.broken:
            request.wfile.write(body[: len(body) // 2])
            request.close_connection = True
            return
        self.served.append(file.name)
        request.wfile.write(body)


def reply_json(request: BaseHTTPRequestHandler, answer: object) -> None:
    body = json.dumps(answer).encode()
    request.send_response(200)
    request.send_header("Content-Type", "application/json")
    request.send_header("Content-Length", str(len(body)))
    request.end_headers()
    request.wfile.write(body)


def is_large(file: Path) -> bool:
    """Return whether the hub keeps the file outside of git, with its SHA-256."""
    return file.name == "model.bin"


def git_hash(file: Path) -> str:
    body = file.read_bytes()
    return hashlib.sha1(b"blob %d\0" % len(body) + body).hexdigest()  # noqa: S324


def sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def sibling(file: Path) -> dict[str, object]:
    told: dict[str, object] = {"rfilename": file.name, "size": file.stat().st_size, "blobId": git_hash(file)}
    if is_large(file):
        told["lfs"] = {"sha256": sha256(file), "size": file.stat().st_size, "pointerSize": 134}
    return told


def entry(file: Path) -> dict[str, object]:
    told: dict[str, object] = {"type": "file", "path": file.name, "size": file.stat().st_size, "oid": git_hash(file)}
    if is_large(file):
        told["lfs"] = {"oid": sha256(file), "size": file.stat().st_size, "pointerSize": 134}
    return told


@contextmanager
def serving(hub: Hub) -> Iterator[Hub]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            hub.answer(self)

        do_HEAD = do_GET  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        hub.url = f"http://127.0.0.1:{server.server_address[1]}"
        Thread(target=server.serve_forever, daemon=True).start()
        yield hub
        server.shutdown()
