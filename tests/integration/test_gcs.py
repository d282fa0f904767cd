"""`gs://`: tokens, conditions, pages and errors, on a server that checks them."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from batchscribe.errors import ObjectChanged, OutputExists, StorageError, StorageUnavailable
from batchscribe.storage import retrying_client
from batchscribe.storage.access import Credentials
from batchscribe.storage.gcs.gcs_credentials import GcpCredentials
from batchscribe.storage.gcs.gcs_errors import BY_CODE
from batchscribe.storage.gcs.gcs_store import GcsStore
from batchscribe.storage.gcs.gcs_tokens import TokenSource
from batchscribe.storage.retrying_client import RetryingClient
from batchscribe.storage.schemes import connect
from batchscribe.storage.store import Store
from tests.documents import ROOT, table_rows
from tests.servers.gcs_bucket import ACCOUNT, GcsBucket, Instead, new_key, pem, refusal, serving_gcs
from tests.servers.scripted import Asked, Reply

URI = "gs://bucket/calls/a.wav"
NEVER: Instead = lambda _asked: None  # noqa: E731


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries follow at once."""
    monkeypatch.setattr(retrying_client, "FIRST_PAUSE_SEC", 0.001)


def listed(store: Store, after: str | None = None) -> list[str]:
    return [info.uri for page in store.list("gs://bucket/calls/", after=after) for info in page]


def read_error(bucket: GcsBucket, credentials: Credentials | None = None) -> StorageError:
    with pytest.raises(StorageError) as raised:
        connect(bucket.access(credentials)).stat(URI)
    assert "secret" not in raised.value.message
    return raised.value


# --- tokens ----------------------------------------------------------------------------------------------------


def test_a_service_account_gets_one_token_for_all_its_requests() -> None:
    with serving_gcs({"calls/a.wav": b"hello"}) as bucket:
        store = connect(bucket.access())
        assert store.read(URI, limit_bytes=10) == b"hello"
        assert listed(store) == [URI]
        assert bucket.minted == 1


def test_a_rejected_token_is_replaced_once() -> None:
    with serving_gcs({"calls/a.wav": b"hello"}) as bucket:
        store = connect(bucket.access())
        store.stat(URI)
        bucket.tokens.clear()  # revoked
        assert store.stat(URI).size == 5
        assert bucket.minted == 2


def test_threads_that_hold_a_rejected_token_all_get_the_new_one() -> None:
    with serving_gcs({"calls/a.wav": b"hello"}) as bucket:
        tokens = TokenSource(f"{bucket.url}/token", RetryingClient())
        first = tokens.token(bucket.account, URI)
        replaced = [tokens.replace(first, bucket.account, URI) for _ in range(3)]
        assert set(replaced) == {"minted-2"}


@pytest.mark.usefixtures("impatient")
def test_a_token_service_that_is_down_is_asked_once_for_all_threads() -> None:
    with serving_gcs({}, lambda asked: Reply(503) if asked.path == "/token" else None) as bucket:
        store = connect(bucket.access())
        for _ in range(5):
            with pytest.raises(StorageUnavailable):
                store.stat(URI)
        assert len(bucket.asked) == retrying_client.TRIES


def test_a_token_is_replaced_before_it_expires() -> None:
    moments = [time.time()]
    with serving_gcs({"calls/a.wav": b"hello"}) as bucket:
        store = GcsStore(bucket.access(), clock=lambda: moments[0])
        store.stat(URI)
        moments[0] += 3600 - 70
        store.stat(URI)
        assert bucket.minted == 1
        moments[0] += 20
        store.stat(URI)
        assert bucket.minted == 2


def test_an_access_token_is_sent_as_it_is_and_never_replaced() -> None:
    with serving_gcs({"calls/a.wav": b"hello"}) as bucket:
        bucket.tokens.add("ya29.own")
        assert connect(bucket.access(GcpCredentials(access_token="ya29.own"))).stat(URI).size == 5
        error = read_error(bucket, GcpCredentials(access_token="ya29.other-secret"))
        assert error.code == "INVALID_CREDENTIALS"
        assert "send fresh credentials" in error.message
        assert bucket.minted == 0


@pytest.mark.parametrize(
    ("change", "code", "sentence"),
    [
        (
            lambda account: replace(account, private_key=pem(new_key())),
            "WRONG_SECRET_KEY",
            "private key does not belong",
        ),
        (lambda account: replace(account, client_email="x@y"), "UNKNOWN_ACCESS_KEY", "correct client_email"),
        (lambda account: replace(account, private_key="no secret PEM"), "WRONG_SECRET_KEY", "not an RSA key in PEM"),
    ],
)
def test_an_account_without_a_token_learns_what_to_correct(
    change: Callable[[GcpCredentials], GcpCredentials], code: str, sentence: str
) -> None:
    with serving_gcs({"calls/a.wav": b"hello"}) as bucket:
        error = read_error(bucket, change(bucket.account))
    assert error.code == code
    assert sentence in error.message


def test_a_wrong_clock_is_named() -> None:
    with serving_gcs({"calls/a.wav": b"hello"}) as bucket:
        store = GcsStore(bucket.access(), clock=lambda: time.time() - 7200)
        with pytest.raises(StorageError, match="clock is off"):
            store.stat(URI)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (Reply(200, b"<html>log in</html>"), "INVALID_STORAGE_ANSWER"),
        (Reply(200, {"access_token": "two\nlines"}), "INVALID_STORAGE_ANSWER"),
        (Reply(200, {"access_token": "a", "expires_in": 10**400}), "INVALID_STORAGE_ANSWER"),
        (Reply(200, {"access_token": 5}), "INVALID_STORAGE_ANSWER"),
        (Reply(200, []), "INVALID_STORAGE_ANSWER"),
        (Reply(200, {"access_token": ""}), "INVALID_STORAGE_ANSWER"),
        (Reply(200, {"access_token": "a", "expires_in": "NaN"}), "INVALID_STORAGE_ANSWER"),
        (Reply(200, {"access_token": "a", "expires_in": -5}), "INVALID_STORAGE_ANSWER"),
        (Reply(503, b"secret detail"), "STORAGE_UNAVAILABLE"),
        (Reply(403, {"error": "access_denied", "error_description": "secret detail"}), "ACCESS_DENIED"),
    ],
)
def test_a_token_service_that_sends_no_token(reply: Reply, code: str) -> None:
    with serving_gcs({}, lambda asked: reply if asked.path == "/token" else None) as bucket:
        assert read_error(bucket).code == code


def test_a_key_cannot_send_its_assertion_elsewhere() -> None:
    """The `token_uri` of a key file is not even part of the credentials."""
    assert "token_uri" not in GcpCredentials.__slots__


def test_requests_without_credentials_are_not_authorized() -> None:
    seen: list[Asked] = []

    def note(asked: Asked) -> Reply | None:
        seen.append(asked)
        return Reply(200, {"size": "5", "generation": "1"})

    with serving_gcs({}, note) as bucket:
        access = replace(bucket.access(), credentials=None)
        assert connect(access).stat(URI).size == 5
    assert "authorization" not in seen[0].headers


def test_a_private_object_without_credentials_is_no_expired_token() -> None:
    with serving_gcs({}, lambda _asked: Reply(401, b"Anonymous caller does not have access.")) as bucket:
        store = connect(replace(bucket.access(), credentials=None))
        with pytest.raises(StorageError) as raised:
            store.open(URI)
    assert raised.value.code == "ACCESS_DENIED"


# --- objects ---------------------------------------------------------------------------------------------------


def test_an_object_that_is_replaced_while_it_is_read_is_noticed() -> None:
    with serving_gcs({"calls/a.wav": b"a" * 2_000_000}) as bucket:
        recording = connect(bucket.access()).open(URI)
        assert recording.etag == "1"
        assert recording.read(1_500_000, 3) == b"aaa"
        bucket.put("calls/a.wav", b"b" * 2_000_000)
        with pytest.raises(ObjectChanged):
            recording.read(1_500_000, 3)


def test_an_object_that_is_replaced_while_it_is_opened_is_not_taken_for_an_empty_one() -> None:
    def answer(asked: Asked) -> Reply | None:
        return Reply(416) if asked.query.get("alt") == "media" else None

    with serving_gcs({"calls/a.wav": b"hello"}, answer) as bucket, pytest.raises(ObjectChanged):
        connect(bucket.access()).open(URI)


def test_an_object_that_is_decompressed_by_the_storage_is_refused() -> None:
    headers = {"x-goog-stored-content-encoding": "gzip", "x-goog-generation": "1"}

    def answer(asked: Asked) -> Reply | None:
        return Reply(200, b"hello", headers) if asked.query.get("alt") == "media" else None

    with serving_gcs({}, answer) as bucket, pytest.raises(StorageError, match="store it uncompressed"):
        connect(bucket.access()).open(URI)


def test_a_transcript_replaces_another_only_if_allowed() -> None:
    with serving_gcs({"calls/a.json": b"old"}) as bucket:
        store = connect(bucket.access())
        with pytest.raises(OutputExists):
            store.write("gs://bucket/calls/a.json", b"new", overwrite=False)
        store.write("gs://bucket/calls/a.json", b"new", overwrite=True)
        assert bucket.objects["calls/a.json"][0] == b"new"


def test_the_check_of_a_folder_stores_nothing() -> None:
    with serving_gcs({}) as bucket:
        connect(bucket.access()).check_write("gs://bucket/out/a.json")
        assert bucket.objects == {}
        assert len([asked for asked in bucket.asked if asked.method == "POST" and "upload" in asked.path]) == 1


def test_the_check_of_a_folder_reports_what_forbids_writing() -> None:
    def deny(asked: Asked) -> Reply | None:
        return refusal(403, "forbidden") if asked.path.startswith("/upload") else None

    with serving_gcs({}, deny) as bucket, pytest.raises(StorageError, match="forbidden") as raised:
        connect(bucket.access()).check_write("gs://bucket/out/a.json")
    assert raised.value.code == "ACCESS_DENIED"


def test_a_listing_of_many_pages_continues_anywhere() -> None:
    names = [f"calls/{number:03}.wav" for number in range(25)]
    with serving_gcs(dict.fromkeys([*names, "calls/", "calls-2/x.wav"], b""), page_items=4) as bucket:
        store = connect(bucket.access())
        uris = [f"gs://bucket/{name}" for name in names]
        assert listed(store) == uris
        for start in (0, 3, 4, 24):
            assert listed(store, uris[start]) == uris[start + 1 :]


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"<html>log in</html>", "web page"),
        (b"[]", "not a JSON object"),
        (b"{", "not a JSON object"),
        ({"items": "a"}, "not a listing"),
        ({"items": [{"size": "5"}]}, "name is missing"),
        ({"items": [{"name": "secrets/a"}]}, "outside the prefix"),
        ({"items": [{"name": "calls/a"}, {"name": "calls/a"}]}, "repeats objects"),
        ({"items": [{"name": "calls/a"}], "nextPageToken": "T"}, "repeats objects"),
        ({"items": [], "nextPageToken": "T"}, "does not end"),
        ({"items": [], "nextPageToken": "T" * 10_000}, "does not end"),
    ],
)
def test_an_invalid_or_endless_listing_is_an_error_of_the_storage(body: object, sentence: str) -> None:
    def answer(asked: Asked) -> Reply | None:
        return Reply(200, body) if asked.path.endswith("/o") else None

    with serving_gcs({}, answer) as bucket, pytest.raises(StorageError, match=sentence) as raised:
        listed(connect(bucket.access()))
    assert raised.value.code == "INVALID_STORAGE_ANSWER"


# --- errors ----------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (refusal(404, "notFound"), "OBJECT_NOT_FOUND"),
        (refusal(404, "notFound", "The specified bucket does not exist."), "BUCKET_NOT_FOUND"),
        (Reply(404), "OBJECT_NOT_FOUND"),
        (refusal(401, "authError"), "INVALID_CREDENTIALS"),
        (Reply(401), "INVALID_CREDENTIALS"),
        (refusal(403, "forbidden"), "ACCESS_DENIED"),
        (refusal(403, "rateLimitExceeded"), "STORAGE_BUSY"),
        (refusal(403, "quotaExceeded"), "STORAGE_BUSY"),
        (refusal(409, "made up"), "STORAGE_ERROR"),
        (refusal(403, "cloudKmsPermissionDenied"), "ENCRYPTION_KEY_UNUSABLE"),
        (refusal(403, "accountDisabled"), "ACCESS_DENIED"),
        (Reply(403), "ACCESS_DENIED"),
        (refusal(400, "resourceIsEncryptedWithCustomerEncryptionKey"), "ENCRYPTION_KEY_UNUSABLE"),
        (refusal(400, "invalid"), "STORAGE_ERROR"),
        (refusal(412, "conditionNotMet"), "INPUT_CHANGED"),
        (refusal(429, "rateLimitExceeded"), "STORAGE_BUSY"),
        (refusal(500, "backendError"), "STORAGE_UNAVAILABLE"),
        (refusal(503, "made up"), "STORAGE_UNAVAILABLE"),
        (Reply(502, b"<html>bad gateway</html>"), "STORAGE_UNAVAILABLE"),
        (Reply(307, headers={"Location": "http://127.0.0.1:9/"}), "STORAGE_REDIRECTED"),
        (Reply(200, b"<html>log in</html>"), "INVALID_STORAGE_ANSWER"),
        (Reply(204), "INVALID_STORAGE_ANSWER"),
    ],
)
def test_each_refusal_has_its_code(reply: Reply, code: str) -> None:
    with serving_gcs({}, lambda asked: None if asked.path == "/token" else reply) as bucket:
        error = read_error(bucket)
    assert error.code == code
    assert URI in error.message


@pytest.mark.usefixtures("impatient")
def test_a_failure_that_passes_is_not_seen() -> None:
    failures = [Reply(503), Reply(hang_up=True), refusal(403, "rateLimitExceeded")]

    def fail(asked: Asked) -> Reply | None:
        return failures.pop() if failures and asked.path != "/token" else None

    with serving_gcs({"calls/a.wav": b"hello"}, fail) as bucket:
        assert connect(bucket.access()).stat(URI).size == 5
    assert not failures


def documented() -> list[tuple[str, int, str]]:
    """Return the code of the storage, its status and our code, from the table in the docs."""
    rows = table_rows(ROOT / "docs" / "storage.md", "### Errors of Google Cloud Storage")
    return [(code, int(row[1]), row[2].strip("`")) for row in rows for code in re.findall(r"`(\w+)`", row[0])]


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(("code", "status", "ours"), documented(), ids=lambda value: str(value))
def test_each_documented_code_ends_as_the_table_says(code: str, status: int, ours: str) -> None:
    def refuse(asked: Asked) -> Reply | None:
        return None if asked.path == "/token" else refusal(status, code)

    with serving_gcs({}, refuse) as bucket:
        error = read_error(bucket)
    assert error.code == ours
    assert URI in error.message
    assert re.search(r"; \w+", error.message), "there is no next step"


def test_every_known_code_is_documented() -> None:
    assert {code for code, _, _ in documented()} == set(BY_CODE)


def test_the_account_is_the_only_part_of_a_key_in_messages() -> None:
    assert ACCOUNT in repr(GcpCredentials(ACCOUNT, "secret"))
