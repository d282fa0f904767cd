"""Each cause of a storage error has its own code and next step."""

from __future__ import annotations

import http.server
import re
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from batchscribe import errors
from batchscribe.errors import (
    CertificateNotTrusted,
    CredentialsExpired,
    StorageError,
    StorageRedirected,
    StorageUnreachable,
)
from batchscribe.storage import retrying_client
from batchscribe.storage.s3.s3_credentials import AwsCredentials
from batchscribe.storage.s3.s3_errors import BY_CODE
from batchscribe.storage.s3.s3_store import S3Store
from batchscribe.storage.schemes import connect
from tests.documents import ROOT, table_rows
from tests.servers.accesses import access_with
from tests.servers.certificates import make_certificate
from tests.servers.replay import Reply, error, replaying

URI = "s3://bucket/a.wav"
KEY = AwsCredentials("JOBKEY", "job-secret")
TOKEN_KEY = AwsCredentials("JOBKEY", "job-secret", "job-token")


def documented() -> list[tuple[str, int, str]]:
    """Return S3's code, its status and our code, from the table in the docs."""
    rows = table_rows(ROOT / "docs" / "storage.md", "### Errors of S3")
    return [(code, int(row[1]), row[2].strip("`")) for row in rows for code in re.findall(r"`([\w.]+\w)`", row[0])]


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retrying_client, "FIRST_PAUSE_SEC", 0.001)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(("code", "status", "ours"), documented(), ids=lambda value: str(value))
def test_what_s3_refuses_ends_as_the_table_says(code: str, status: int, ours: str) -> None:
    region = {"x-amz-bucket-region": "eu-west-1"} if ours == "WRONG_REGION" else {}
    first = Reply(206, bytes(2**20), {"Content-Range": f"bytes 0-{2**20 - 1}/{2**20 + 5}"})
    script = [first] if code == "PreconditionFailed" else []
    with replaying(*script, error(status, code, **region)) as replay, pytest.raises(StorageError) as raised:
        connect(replay.access(KEY)).open(URI).read(2**20, 5)
    assert raised.value.code == ours
    assert re.search(r"; \w+|STORAGE_ERROR", f"{raised.value.message} {ours}"), "there is no next step"
    assert "secret detail" not in raised.value.message
    is_plain = ours in {"BUCKET_NOT_FOUND", "OBJECT_NOT_FOUND", "WRONG_REGION", "INPUT_CHANGED"}
    assert is_plain or f"({code})" in raised.value.message


def test_every_code_that_is_known_is_documented() -> None:
    assert {code for code, _, _ in documented()} >= set(BY_CODE)
    known = {value.code for value in vars(errors).values() if isinstance(value, type) and hasattr(value, "code")}
    assert {ours for _, _, ours in documented()} <= known


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("reply", [error(400, "InvalidRequest"), error(400, "InvalidArgument"), Reply(400, b"Bad")])
def test_a_400_that_has_other_reasons_is_not_laid_to_the_session_token(reply: Reply) -> None:
    with replaying(reply) as replay, pytest.raises(StorageError, match="refused") as raised:
        connect(replay.access(TOKEN_KEY)).open(URI)
    assert raised.value.code == "STORAGE_ERROR"


@pytest.mark.usefixtures("impatient")
def test_a_400_that_disappears_without_the_token_is_caused_by_the_token() -> None:
    without = error(403, "InvalidAccessKeyId")
    with replaying(error(400, "InvalidArgument"), error(400, "InvalidArgument"), without) as replay:
        with pytest.raises(CredentialsExpired):
            connect(replay.access(TOKEN_KEY)).open(URI)
        tokens = [request.headers.get("x-amz-security-token") for request in replay.requests]
    assert tokens == ["job-token", "job-token", None]


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    ("status", "location"),
    [
        (301, "/other/a.wav"),
        (302, "/other/a.wav"),
        (303, "http://localhost:9/bucket/a.wav"),
        (307, "//169.254.169.254/"),
        (308, "/other/a.wav"),
    ],
)
def test_no_redirect_is_followed(status: int, location: str) -> None:
    away = Reply(status, b"", {"Location": location})
    found = Reply(206, b"hello", {"Content-Range": "bytes 0-4/5"})
    for aws in (KEY, None):
        with replaying(away, Reply(404), found) as replay, pytest.raises(StorageRedirected, match="S3_ENDPOINT"):
            connect(replay.access(aws)).open(URI)
        assert "/other/a.wav" not in [request.path for request in replay.requests]
    with replaying(away, Reply(404), found) as replay, pytest.raises(StorageRedirected):
        list(connect(replay.access(KEY)).list("s3://bucket/calls/"))


NO_ANSWER = "INVALID_STORAGE_ANSWER"
DENIED = error(200, "AccessDenied")
LOGIN = b'<?xml version="1.0"?><!DOCTYPE html><html>Log in</html>'


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    ("reply", "ours"),
    [
        (Reply(204), NO_ANSWER),
        (Reply(201, b"hello"), NO_ANSWER),
        (Reply(304), NO_ANSWER),
        (Reply(200, LOGIN), NO_ANSWER),
        (Reply(200, b"<head><title>Log in</title></head>"), NO_ANSWER),
        (DENIED, "ACCESS_DENIED"),
        (Reply(200, b'<?xml version="1.0"?>\n<Error><Code>Odd</Code></Error>'), "STORAGE_ERROR"),
    ],
)
def test_a_web_page_instead_of_the_recording_is_the_storages_fault(reply: Reply, ours: str) -> None:
    with replaying(reply) as replay, pytest.raises(StorageError) as raised:
        connect(replay.access(KEY)).open(URI)
    assert raised.value.code == ours


def test_a_recording_that_holds_an_error_page_is_read_as_it_is() -> None:
    page = DENIED.body
    with replaying(Reply(206, page, {"Content-Range": f"bytes 0-{len(page) - 1}/{len(page)}"})) as replay:
        assert connect(replay.access(KEY)).read(URI, limit_bytes=1000) == page


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    ("reply", "ours"),
    [
        (Reply(404), "BUCKET_NOT_FOUND"),
        (error(404, "NoSuchKey"), "BUCKET_NOT_FOUND"),
        (Reply(202), NO_ANSWER),
        (Reply(206), NO_ANSWER),
        (DENIED, "ACCESS_DENIED"),
    ],
)
@pytest.mark.parametrize("overwrite", [False, True])
def test_a_transcript_counts_as_stored_only_when_the_storage_says_so(
    reply: Reply, ours: str, *, overwrite: bool
) -> None:
    with replaying(reply) as replay, pytest.raises(StorageError) as raised:
        connect(replay.access(KEY)).write(URI, b"{}", overwrite=overwrite)
    assert raised.value.code == ours


def test_a_412_without_a_condition_does_not_mean_a_changed_recording() -> None:
    with replaying(Reply(412)) as replay, pytest.raises(StorageError, match="not sent") as raised:
        connect(replay.access(KEY)).write(URI, b"{}", overwrite=True)
    assert raised.value.code == "STORAGE_ERROR"


def test_a_listing_of_no_bucket_says_so() -> None:
    with replaying(Reply(404)) as replay, pytest.raises(StorageError, match="endpoint") as raised:
        list(connect(replay.access(KEY)).list("s3://bucket/calls/"))
    assert raised.value.code == "BUCKET_NOT_FOUND"


@pytest.mark.parametrize("region", ["evil.example/", "a" * 40, "x@127.0.0.1:9", "é"])
def test_an_invalid_region_never_becomes_part_of_an_address(region: str) -> None:
    store = connect(access_with(AwsCredentials("key", "secret", region=region)))
    with pytest.raises(StorageError, match="not a valid name"):
        store.stat(URI)
    with replaying(error(301, "PermanentRedirect", **{"x-amz-bucket-region": "evil.example/"})) as replay:
        store = connect(replay.access(KEY))
        with pytest.raises(StorageError, match="another region; set BATCHSCRIBE_S3_REGION"):
            store.stat(URI)


@pytest.mark.parametrize("key", ["ключ", "key\x07"])
def test_a_key_that_no_header_can_carry_is_rejected_by_name(key: str) -> None:
    with replaying(error(403, "InvalidAccessKeyId")) as replay, pytest.raises(StorageError):
        connect(replay.access(AwsCredentials(key, "secret", "token"))).stat(URI)


def reading(endpoint: str) -> StorageError:
    with pytest.raises(StorageError) as raised:
        S3Store(access_with(KEY, s3_endpoint=endpoint, s3_allow_http=True)).stat(URI)
    return raised.value


@pytest.mark.usefixtures("impatient")
def test_a_refused_connection_says_so() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    refused = reading(f"http://127.0.0.1:{port}")
    assert isinstance(refused, StorageUnreachable)
    assert "refuses connections" in refused.message


def test_an_unknown_host_is_reported() -> None:
    unknown = reading("http://storage.invalid")
    assert isinstance(unknown, StorageUnreachable)
    assert "the host name bucket.storage.invalid is not known" in unknown.message


def test_tls_to_a_plain_port_says_so() -> None:
    with replaying(Reply()) as replay:
        plain = reading(replay.endpoint.replace("http://", "https://"))
    assert isinstance(plain, StorageUnreachable)
    assert "does not speak TLS" in plain.message


@pytest.mark.usefixtures("impatient")
def test_plain_http_to_a_tls_port_says_so(tmp_path: Path) -> None:
    _, tls = make_certificate(tmp_path, "localhost")
    with tls_server(tls) as port:
        assert "write https://" in reading(f"http://localhost:{port}").message


@pytest.mark.usefixtures("impatient")
def test_an_answer_that_is_not_http_is_reported() -> None:
    with raw_server(b"220 mail.example.org ESMTP\r\n\r\n") as port:
        assert "did not answer in HTTP" in reading(f"http://127.0.0.1:{port}").message
    with raw_server(b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n") as port:
        assert reading(f"http://127.0.0.1:{port}").code == "INVALID_STORAGE_ANSWER"


def test_a_certificate_says_what_is_wrong_with_it_and_where_to_mend_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown, tls = make_certificate(tmp_path, "localhost")
    with tls_server(tls) as port:
        untrusted = reading(f"https://localhost:{port}")
        monkeypatch.setenv("SSL_CERT_FILE", str(shown))
        other_name = reading(f"https://127.0.0.1:{port}")
    day_before = datetime.now(UTC) - timedelta(days=1)
    (tmp_path / "old").mkdir()
    shown, tls = make_certificate(tmp_path / "old", "localhost", until=day_before)
    monkeypatch.setenv("SSL_CERT_FILE", str(shown))
    with tls_server(tls) as port:
        expired = reading(f"https://localhost:{port}")
    assert all(isinstance(each, CertificateNotTrusted) for each in (untrusted, other_name, expired))
    assert re.search("TLS certificate of localhost:.* is not trusted .*SSL_CERT_FILE", untrusted.message)
    assert "issued for another name" in other_name.message
    assert "has expired; renew it" in expired.message


@contextmanager
def tls_server(tls: ssl.SSLContext) -> Iterator[int]:
    class Quiet(http.server.ThreadingHTTPServer):
        def handle_error(self, request: object, client_address: object) -> None:
            """Ignore clients that hang up in the handshake, which is what is tested."""

    with Quiet(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler) as server:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


@contextmanager
def raw_server(said: bytes) -> Iterator[int]:
    """Run a server that sends this to every client."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(65536)
                    connection.sendall(said)

        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()
