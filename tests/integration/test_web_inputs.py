"""`https://` inputs: read in ranges over TLS, with address checks, and their signatures never shown."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from batchscribe.errors import (
    AccessDenied,
    InvalidRequest,
    LocationNotAllowed,
    ObjectChanged,
    ObjectNotFound,
    StorageAnswerInvalid,
    StorageError,
    StorageUnavailable,
)
from batchscribe.intake.checks import plan_job
from batchscribe.intake.submission import Submission, read_request
from batchscribe.intake.submit import submit
from batchscribe.outbound.policy import Policy
from batchscribe.settings import load_settings
from batchscribe.storage.https.web_store import WebStore
from batchscribe.storage.ranged_recording import FIRST_BLOCK_BYTES
from batchscribe.wire.request import JobRequest, parse_job_request
from tests.integration.flow_runner import LANE, running
from tests.recordings import write_wav
from tests.servers.certificates import make_certificate
from tests.servers.web import Web, web_server

LOOPBACK = load_settings(input_allow_networks="127.0.0.0/8,::1/128").input_allow_networks


@pytest.fixture
def web(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    certificate, tls = make_certificate(tmp_path, "localhost")
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with web_server(tls) as server:
        yield server


@pytest.fixture
def store() -> WebStore:
    return WebStore(Policy(LOOPBACK), {})


@pytest.mark.parametrize("size", [0, 1, FIRST_BLOCK_BYTES, FIRST_BLOCK_BYTES + 1, 2_500_000])
def test_any_range_reads_as_it_is_there(web: Web, store: WebStore, size: int) -> None:
    content = bytes(number % 251 for number in range(1000)) * (size // 1000 + 1)
    web.objects["/a.wav"] = content[:size]
    with store.open(web.url("/a.wav")) as recording:
        assert recording.size == size
        for offset, length in [(0, 10), (FIRST_BLOCK_BYTES - 5, 10), (max(size - 3, 0), 10), (size, 1)]:
            assert recording.read(offset, length) == content[:size][offset : offset + length]


@pytest.mark.parametrize(
    ("status", "error", "sentence"),
    [
        (403, AccessDenied, "signature may have expired"),
        (410, ObjectNotFound, "no object at"),
        (503, StorageUnavailable, "answered 503"),
        (429, StorageUnavailable, "answered 429"),
        (302, StorageError, "Redirects are not followed"),
        (405, StorageError, "answered 405"),
    ],
)
def test_a_refusal_becomes_the_error_it_means(
    web: Web, store: WebStore, status: int, error: type[StorageError], sentence: str
) -> None:
    web.statuses["/a.wav"] = status
    with pytest.raises(error, match=sentence):
        store.open(web.url("/a.wav"))
    assert [path for path, _ in web.seen] == ["/a.wav"]


def test_a_failed_first_range_does_not_mean_an_empty_object(web: Web, store: WebStore) -> None:
    web.objects["/a.wav"] = b""
    web.headers["/a.wav"] = {"Content-Range": "bytes */5"}
    with pytest.raises(StorageError, match="not empty") as raised:
        store.open(web.url("/a.wav"))
    assert raised.value.code == "INVALID_STORAGE_ANSWER"


def test_an_object_that_is_replaced_meanwhile_is_not_mixed(web: Web, store: WebStore) -> None:
    web.objects["/a.wav"] = bytes(2 * FIRST_BLOCK_BYTES)
    with store.open(web.url("/a.wav")) as recording:
        web.etags["/a.wav"] = '"2"'
        with pytest.raises(ObjectChanged):
            recording.read(FIRST_BLOCK_BYTES, 10)


@pytest.mark.parametrize(
    ("meanwhile", "headers"),
    [
        (bytes(2 * FIRST_BLOCK_BYTES), {"ETag": "", "Last-Modified": "Mon, 23 Nov 2026 10:00:01 GMT"}),
        (bytes(FIRST_BLOCK_BYTES + 5), {"ETag": "", "Last-Modified": "Mon, 23 Nov 2026 10:00:00 GMT"}),
        (bytes(FIRST_BLOCK_BYTES), {}),
        (bytes(3 * FIRST_BLOCK_BYTES), {}),
        (bytes(2 * FIRST_BLOCK_BYTES), {"Content-Range": f"bytes 0-9/{2 * FIRST_BLOCK_BYTES}"}),
        (bytes(2 * FIRST_BLOCK_BYTES), {"Content-Range": f"bytes {FIRST_BLOCK_BYTES}-{FIRST_BLOCK_BYTES + 4}/2097152"}),
    ],
    ids=["date", "shrunk", "gone", "grown", "another range", "short"],
)
def test_an_object_that_changes_while_it_is_read_is_known_by_more_than_its_etag(
    web: Web, store: WebStore, meanwhile: bytes, headers: dict[str, str]
) -> None:
    web.objects["/a.wav"] = bytes(2 * FIRST_BLOCK_BYTES)
    if "Last-Modified" in headers:
        web.headers["/a.wav"] = {"ETag": "", "Last-Modified": "Mon, 23 Nov 2026 10:00:00 GMT"}
    with store.open(web.url("/a.wav")) as recording:
        web.objects["/a.wav"], web.headers["/a.wav"] = meanwhile, headers
        with pytest.raises(ObjectChanged):
            recording.read(FIRST_BLOCK_BYTES, 10)


def test_an_etag_with_letters_of_its_own_is_held_to_as_any_other(web: Web, store: WebStore) -> None:
    web.objects["/a.wav"], web.etags["/a.wav"] = bytes(2 * FIRST_BLOCK_BYTES), '"é"'
    with store.open(web.url("/a.wav")) as recording:
        assert recording.read(FIRST_BLOCK_BYTES, 10) == bytes(10)


@pytest.mark.parametrize("size", ["1" + "0" * 25, "9" * 5000, str(2**63)])
def test_a_size_that_cannot_be_is_the_servers_fault(web: Web, store: WebStore, size: str) -> None:
    web.objects["/a.wav"] = b"hello"
    web.headers["/a.wav"] = {"Content-Range": f"bytes 0-4/{size}"}
    with pytest.raises(StorageAnswerInvalid):
        store.open(web.url("/a.wav"))


def test_a_large_object_needs_a_server_that_knows_ranges(web: Web, store: WebStore) -> None:
    web.objects |= {"/small.wav": b"x" * 1000, "/large.wav": bytes(2 * FIRST_BLOCK_BYTES)}
    web.whole |= {"/small.wav", "/large.wav"}
    with store.open(web.url("/small.wav")) as recording:
        assert recording.read(0, 1000) == b"x" * 1000
    with pytest.raises(StorageError, match="cannot be read in ranges"):
        store.open(web.url("/large.wav"))


def test_without_permission_by_the_operator_this_machine_gets_no_request(web: Web) -> None:
    with pytest.raises(LocationNotAllowed, match="BATCHSCRIBE_INPUT_ALLOW_NETWORKS"):
        WebStore(Policy.of_inputs(load_settings()), {}).open(web.url("/a.wav"))
    assert web.seen == []


def test_nothing_is_listed_or_written(store: WebStore) -> None:
    with pytest.raises(LocationNotAllowed):
        store.list("https://example.org/calls/")
    with pytest.raises(LocationNotAllowed):
        store.write("https://example.org/a.json", b"", overwrite=True)


def request_for(web: Web, folder: Path, paths: list[str]) -> JobRequest:
    body = {
        "input": {"mode": "MANIFEST", "source": "S3", "manifest": [web.url(path) for path in paths]},
        "output": {"uri": f"{(folder / 'out').as_uri()}/", "layout": "PREFIX"},
        "config": {"segmentation_mode": "none"},
    }
    return parse_job_request(body)


def test_pre_signed_urls_become_transcripts_and_their_signatures_are_nowhere(tmp_path: Path, web: Web) -> None:
    """The source is S3, as clients of the original service write it; two URLs differ only in their query."""
    recording = write_wav(tmp_path / "a.wav", duration_sec=40.0).read_bytes()
    assert len(recording) > FIRST_BLOCK_BYTES
    web.objects |= {"/calls/a.wav": recording, "/calls/gone": b"no recording"}
    web.signed |= {"/calls/a.wav", "/calls/gone"}
    allowed = {"input_allow_networks": "127.0.0.0/8,::1/128", "file_roots": str(tmp_path)}
    settings: dict[str, Any] = {"engine": "scripted", **allowed}
    with running(tmp_path, **settings) as runner:
        wanted = read_request(
            request_for(web, tmp_path, ["/calls/a.wav", "/calls/gone"]), tenant="default", settings=runner.settings
        )
        job = submit(_in_lane(wanted), runner.records, runner.settings)
        job = runner.wait(job)
        files = [file.answer(job.state).body() for file in runner.files(job)]
        stored = b"".join(path.read_bytes() for path in (tmp_path / "data").iterdir() if path.is_file())
    assert [(file["state"], file["error"] and file["error"]["code"]) for file in files] == [
        ("FILE_SUCCEEDED", None),
        ("FILE_FAILED", "UNSUPPORTED_MEDIA"),
    ]
    shown = [web.url(path).partition("?")[0] for path in ("/calls/a.wav", "/calls/gone")]
    assert [file["input_uri"] for file in files] == shown
    assert (tmp_path / "out" / "a.json").exists()
    told = str(job.answer().body()) + (tmp_path / "out" / "a.json").read_text()
    assert "marked-signature" not in told
    assert b"marked-signature" not in stored


def _in_lane(submission: Submission) -> Submission:
    return replace(submission, lane=LANE)


def test_an_address_that_can_never_be_allowed_is_refused_at_once(tmp_path: Path) -> None:
    settings = load_settings(data_dir=tmp_path, engine="scripted", file_roots=str(tmp_path))
    body = {
        "input": {"manifest": ["https://example.org/a.wav", "https://169.254.169.254/latest?secret=marked"]},
        "output": {"uri": f"{tmp_path.as_uri()}/"},
    }
    with pytest.raises(InvalidRequest) as refusal:
        plan_job(read_request(parse_job_request(body), tenant="default", settings=settings), settings)
    assert refusal.value.field == "input.manifest.1"
    assert "marked" not in str(refusal.value)
