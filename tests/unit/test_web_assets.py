"""The scripts and styles of the pages: what is vendored, and how it is sent."""

from __future__ import annotations

import gzip
import hashlib
from pathlib import Path

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

import batchscribe
from batchscribe.web.assets import all_assets, assets_router, assets_version
from tests.documents import table_rows

VENDOR = Path(batchscribe.__file__).parent / "web" / "static" / "vendor"


@pytest.fixture
def client() -> TestClient:
    app = FastAPI()
    app.include_router(assets_router())
    return TestClient(app)


def test_vendored_files_are_those_of_the_table() -> None:
    rows = {row[0].strip("`"): row for row in table_rows(VENDOR / "README.md")}
    documented = {name: row[4].strip("`") for name, row in rows.items()}
    files = [path for path in VENDOR.iterdir() if path.suffix in (".js", ".css")]
    assert documented == {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.mark.parametrize("package", ["htmx", "wavesurfer", "swagger-ui"])
def test_each_vendored_package_has_its_licence_beside_it(package: str) -> None:
    assert (VENDOR / f"{package}.LICENSE.txt").stat().st_size > 500


def test_an_asset_is_kept_forever_under_its_hash_only(client: TestClient) -> None:
    answer = client.get(f"/static/{assets_version()}/site.css")
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["content-type"] == "text/css; charset=utf-8"
    assert client.get("/static/other/site.css").headers["cache-control"] == "no-cache"


def test_an_asset_is_sent_compressed_or_not_as_the_client_wishes(client: TestClient) -> None:
    path = f"/static/{assets_version()}/vendor/htmx.min.js"
    plain = all_assets()["vendor/htmx.min.js"].content
    answer = client.get(path, headers={"accept-encoding": "gzip"})
    assert (answer.headers["content-encoding"], answer.content) == ("gzip", plain)
    assert int(answer.headers["content-length"]) == len(gzip.compress(plain, mtime=0)) < len(plain) / 2
    assert client.get(path, headers={"accept-encoding": "identity"}).content == plain


def test_an_asset_that_the_client_has_is_not_sent_again(client: TestClient) -> None:
    path = f"/static/{assets_version()}/site.css"
    etag = client.get(path).headers["etag"]
    answer = client.get(path, headers={"if-none-match": etag})
    assert (answer.status_code, answer.content) == (304, b"")


@pytest.mark.parametrize(
    "path", ["../app.py", "..%2fapp.py", "vendor/../../app.py", "", "vendor", "nothing.js", "/etc/passwd"]
)
def test_only_assets_are_sent(client: TestClient, path: str) -> None:
    assert client.get(f"/static/{assets_version()}/{path}").status_code == 404
