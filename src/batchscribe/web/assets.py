"""The scripts, styles and images of the pages. Their URLs contain a hash, so browsers may keep them forever."""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import PurePosixPath

from fastapi import APIRouter, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}
FOREVER = "public, max-age=31536000, immutable"
VERSION_CHARS = 12


@dataclass(frozen=True, slots=True)
class Asset:
    """One file."""

    content: bytes
    content_type: str
    etag: str


@cache
def all_assets() -> dict[str, Asset]:
    """Return the files by their paths below `static`."""
    return dict(_assets_in(files("batchscribe.web") / "static", PurePosixPath()))


def _assets_in(folder: Traversable, path: PurePosixPath) -> list[tuple[str, Asset]]:
    found = []
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir():
            found += _assets_in(entry, path / entry.name)
        elif (suffix := PurePosixPath(entry.name).suffix) in TYPES:
            content = entry.read_bytes()
            asset = Asset(content, TYPES[suffix], f'"{hashlib.sha256(content).hexdigest()}"')
            found.append((str(path / entry.name), asset))
    return found


@cache
def assets_version() -> str:
    """Return a hash of all files. It is the same for all, so that modules can import each other by relative paths."""
    parts = (f"{path} {asset.etag}\n" for path, asset in all_assets().items())
    return hashlib.sha256("".join(parts).encode()).hexdigest()[:VERSION_CHARS]


@cache
def _compressed(path: str) -> bytes:
    return gzip.compress(all_assets()[path].content, mtime=0)


def assets_router() -> APIRouter:
    router = APIRouter()

    @router.get("/static/{version}/{path:path}")
    @router.head("/static/{version}/{path:path}")
    def show_asset(request: Request, version: str, path: str) -> Response:
        asset = all_assets().get(path)
        if asset is None:
            raise HTTPException(HTTPStatus.NOT_FOUND)
        headers = {
            "cache-control": FOREVER if version == assets_version() else "no-cache",
            "etag": asset.etag,
            "vary": "accept-encoding",
        }
        if asset.etag in request.headers.get("if-none-match", ""):
            return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
        if "gzip" in request.headers.get("accept-encoding", ""):
            headers["content-encoding"] = "gzip"
            return Response(_compressed(path), headers=headers, media_type=asset.content_type)
        return Response(asset.content, headers=headers, media_type=asset.content_type)

    return router
