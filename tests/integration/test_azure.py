"""`az://`: keys, tokens, listings and errors. Signatures and conditions are checked by Azurite."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta

import pytest
from azure.storage.blob import ContainerSasPermissions, generate_container_sas

from batchscribe.errors import StorageError
from batchscribe.storage import retrying_client
from batchscribe.storage.access import Access
from batchscribe.storage.azure.azure_credentials import AzureCredentials
from batchscribe.storage.azure.azure_errors import BY_CODE
from batchscribe.storage.azure.azure_signing import authorized
from batchscribe.storage.azure.azure_store import AzureStore
from batchscribe.storage.http_client import HttpRequest
from batchscribe.storage.schemes import connect
from batchscribe.storage.store import Page
from tests.documents import ROOT, table_rows
from tests.servers.accesses import access_with
from tests.servers.azurite import ACCOUNT, KEY, Azurite
from tests.servers.scripted import Asked, Reply, scripted_server

URI = "az://container/calls/a.wav"
KEYED = AzureCredentials("account1", "a2V5")


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries follow at once."""
    monkeypatch.setattr(retrying_client, "FIRST_PAUSE_SEC", 0.001)


def refusal(status: int, code: str, detail: str = "secret detail") -> Reply:
    details = f"<AuthenticationErrorDetail>{detail}</AuthenticationErrorDetail>"
    message = "Server failed to authenticate the request, including the signature. secret"
    body = f"<Error><Code>{code}</Code><Message>{message}</Message>{details}</Error>"
    return Reply(status, body.encode(), {"x-ms-error-code": code})


def time_frame(*, expiry: int, now: int) -> str:
    """Return Azure's sentence about a signature that is valid from January 2 on."""
    day = "{:02} Jan 2026 00:00:00 GMT"
    return (
        f"Signature not valid in the specified time frame: Start [Fri, {day.format(2)}] - "
        f"Expiry [Fri, {day.format(expiry)}] - Current [Fri, {day.format(now)}]"
    )


def read_error(endpoint: str, credentials: AzureCredentials | None = KEYED) -> StorageError:
    with pytest.raises(StorageError) as raised:
        connect(access_with(credentials, azure_endpoint=endpoint)).open(URI)
    assert "secret" not in raised.value.message
    return raised.value


def sas_of(container: str, *, hours: float) -> str:
    return generate_container_sas(
        ACCOUNT,
        container,
        account_key=KEY,
        permission=ContainerSasPermissions(read=True, list=True, write=True, create=True),
        expiry=datetime.now(UTC) + timedelta(hours=hours),
    )


# --- keys and tokens -------------------------------------------------------------------------------------------


def test_a_shared_access_signature_reads_lists_and_writes(azurite: Azurite) -> None:
    container = azurite.new_bucket(**{"in/a b.wav": b"hello"})
    token = sas_of(container, hours=1)
    for spelled in (token, f"?{token}"):
        store = connect(azurite.access(AzureCredentials(ACCOUNT, sas_token=spelled)))
        assert store.read(f"az://{container}/in/a b.wav", limit_bytes=10) == b"hello"
        assert [info.size for page in store.list(f"az://{container}/in") for info in page] == [5]
        store.write(f"az://{container}/out/a.json", b"{}", overwrite=True)


def test_an_expired_signature_asks_for_fresh_credentials(azurite: Azurite) -> None:
    container = azurite.new_bucket(**{"a.wav": b"hello"})
    store = connect(azurite.access(AzureCredentials(ACCOUNT, sas_token=sas_of(container, hours=-1))))
    with pytest.raises(StorageError, match="send fresh credentials") as raised:
        store.stat(f"az://{container}/a.wav")
    assert raised.value.code == "INVALID_CREDENTIALS"


@pytest.mark.parametrize(
    "credentials",
    [
        AzureCredentials(ACCOUNT, "a2V5"),
        AzureCredentials(ACCOUNT),
        AzureCredentials(ACCOUNT, access_token="made-up"),
        AzureCredentials(ACCOUNT, sas_token="sv=2023-11-03&sr=c&sp=rl&sig=made-up"),
    ],
)
def test_a_wrong_key_is_refused_in_reading_listing_and_writing(azurite: Azurite, credentials: AzureCredentials) -> None:
    container = azurite.new_bucket(**{"a.wav": b"hello"})
    store = connect(azurite.access(credentials))
    actions: list[Callable[[], object]] = [
        lambda: store.open(f"az://{container}/a.wav"),
        lambda: list(store.list(f"az://{container}/")),
        lambda: store.write(f"az://{container}/a.json", b"{}", overwrite=True),
    ]
    for action in actions:
        with pytest.raises(StorageError, match="refused access") as raised:
            action()
        assert raised.value.code == "ACCESS_DENIED"


@pytest.mark.parametrize(
    ("credentials", "sentence"),
    [
        (AzureCredentials("account1", "no secret Base64"), "account_key is not Base64"),
        (AzureCredentials("account1", "no secret Base64 \u00e9"), "account_key is not Base64"),
        (AzureCredentials("account1", sas_token="sig=secret\r\nx: y"), "no shared access signature"),
    ],
)
def test_a_malformed_key_is_never_sent(credentials: AzureCredentials, sentence: str) -> None:
    with scripted_server(lambda _asked: Reply()) as server:
        error = read_error(server.url, credentials)
        assert server.asked == []
    assert sentence in error.message
    assert error.code == "WRONG_SECRET_KEY"


@pytest.mark.parametrize("name", ["storage.example.org/a", "key@example", "1\r\nx: y", "k\u00e9y", "UPPER", ""])
def test_an_invalid_account_name_reaches_no_host(name: str) -> None:
    with scripted_server(lambda _asked: Reply()) as server:
        error = read_error(f"{server.url}/{{account}}", AzureCredentials(name, "a2V5"))
        with pytest.raises(StorageError, match="name of a storage account"):
            connect(access_with(azure_endpoint=server.url, azure_account=name)).open(URI)
        assert server.asked == []
    assert error.code == "UNKNOWN_ACCESS_KEY"


def test_without_an_account_there_is_no_address() -> None:
    with pytest.raises(StorageError, match="BATCHSCRIBE_AZURE_ACCOUNT"):
        connect(access_with()).stat(URI)


def test_the_account_of_the_settings_is_for_public_containers() -> None:
    with scripted_server(lambda _asked: Reply(200, b"", {"ETag": '"1"'})) as server:
        access = access_with(azure_endpoint=f"{server.url}/{{account}}", azure_account="public1")
        connect(access).stat(URI)
        assert server.asked[0].path == "/public1/container/calls/a.wav"
        assert "authorization" not in server.asked[0].headers


def test_a_private_blob_without_credentials_is_no_expired_token() -> None:
    with scripted_server(lambda _asked: refusal(401, "NoAuthenticationInformation")) as server:
        assert read_error(server.url, AzureCredentials("account1")).code == "ACCESS_DENIED"


def test_a_request_shows_no_credentials_in_its_repr() -> None:
    signed = authorized(HttpRequest("GET", "https://host/c/b", {}), AzureCredentials("a", sas_token="sig=x"), URI, 0)
    assert "sig=x" in signed.url
    assert repr(signed) == "HttpRequest(method='GET', limit_bytes=65536)"


# --- listings --------------------------------------------------------------------------------------------------


def blob(name: str, *, size: int = 5, more: str = "", attributes: str = "") -> str:
    properties = f"<Properties><Etag>0x1</Etag><Content-Length>{size}</Content-Length>{more}</Properties>"
    return f"<Blob><Name{attributes}>{name}</Name>{properties}</Blob>"


def page(*blobs: str, marker: str = "") -> Reply:
    body = f"<EnumerationResults><Blobs>{''.join(blobs)}</Blobs><NextMarker>{marker}</NextMarker></EnumerationResults>"
    return Reply(200, body.encode())


def pages_by_marker(pages: dict[str, Reply]) -> Callable[[Asked], Reply]:
    return lambda asked: pages[asked.query.get("marker", "")]


def access_to(endpoint: str) -> Access:
    return access_with(KEYED, azure_endpoint=endpoint)


#: As an account with folders lists: "/" comes before all other characters.
UNSORTED = {
    "": page(blob("calls/b/1.wav"), blob("calls/b"), marker="M1"),
    "M1": page(blob("calls/b-c.wav"), blob("calls/a.wav"), marker="M2"),
    "M2": page(blob("calls/z.wav")),
}
NAMES = ["b/1.wav", "b", "b-c.wav", "a.wav", "z.wav"]


def names_of(pages: Iterable[Page]) -> list[str]:
    return [info.uri.removeprefix("az://container/calls/") for infos in pages for info in infos]


def test_a_listing_continues_at_the_page_after_the_one_seen_last() -> None:
    with scripted_server(pages_by_marker(UNSORTED)) as server:
        store = connect(access_to(server.url))
        pages = list(store.list("az://container/calls/"))
        assert names_of(pages) == NAMES
        position = pages[1][-1].position
        assert position is not None
        before = len(server.asked)
        assert names_of(store.list("az://container/calls/", after=position)) == NAMES[4:]
        assert len(server.asked) == before + 1


@pytest.mark.parametrize("seen", range(5))
def test_a_listing_continues_after_any_object_in_the_order_of_the_storage(seen: int) -> None:
    with scripted_server(pages_by_marker(UNSORTED)) as server:
        store = connect(access_to(server.url))
        found = store.list("az://container/calls/", after=f"az://container/calls/{NAMES[seen]}")
        assert names_of(found) == NAMES[seen + 1 :]


def test_a_job_of_many_pages_finds_every_blob_of_azurite(azurite: Azurite) -> None:
    names = [f"calls/{number:04}.wav" for number in range(1005)]
    container = azurite.new_bucket(**dict.fromkeys(names, b""))
    store = connect(azurite.access())
    first, second = store.list(f"az://{container}/calls")
    assert [info.uri for info in first + second] == [f"az://{container}/{name}" for name in names]
    assert list(store.list(f"az://{container}/calls", after=first[-1].position)) == [second]


def test_folders_that_are_listed_like_blobs_are_left_out() -> None:
    folders = [
        blob("calls/a", size=0, more="<ResourceType>directory</ResourceType>"),
        blob("calls/c/", size=0),
        blob("calls/d.wav"),
    ]
    with scripted_server(lambda _asked: page(*folders)) as server:
        assert names_of(connect(access_to(server.url)).list("az://container/calls/")) == ["d.wav"]


def test_a_name_that_xml_cannot_hold_is_decoded() -> None:
    encoded = page(blob("calls/%EF%BF%BE%20a.wav", attributes=' Encoded="true"'))
    with scripted_server(lambda _asked: encoded) as server:
        assert names_of(connect(access_to(server.url)).list("az://container/calls/")) == ["\ufffe a.wav"]


@pytest.mark.parametrize(
    ("reply", "sentence"),
    [
        (Reply(200, b"<html>log in</html>"), "web page"),
        (Reply(200, b"<ListBucketResult/>"), "not an Azure listing"),
        (Reply(200, b"<EnumerationResults/>"), "not an Azure listing"),
        (page("<Blob><Name>calls/a</Name></Blob>"), "without properties"),
        (page(blob("")), "name is missing"),
        (page(blob("secrets/a")), "outside the prefix"),
        (page(blob("calls/a"), blob("calls/a")), "repeats objects"),
        (page(marker="M"), "does not end"),
        (page(marker="M" * 10_000), "does not end"),
    ],
)
def test_an_invalid_or_endless_listing_is_an_error_of_the_storage(reply: Reply, sentence: str) -> None:
    with scripted_server(lambda _asked: reply) as server, pytest.raises(StorageError, match=sentence) as raised:
        list(connect(access_to(server.url)).list("az://container/calls/"))
    assert raised.value.code == "INVALID_STORAGE_ANSWER"


def test_a_listing_that_goes_in_circles_ends() -> None:
    following = {"": "A", "A": "B", "B": "C", "C": "A"}

    def answer(asked: Asked) -> Reply:
        marker = asked.query.get("marker", "")
        return page(blob(f"calls/{marker}.wav"), marker=following[marker])

    with scripted_server(answer) as server, pytest.raises(StorageError, match="does not end"):
        list(connect(access_to(server.url)).list("az://container/calls/"))


# --- errors ----------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (refusal(404, "BlobNotFound"), "OBJECT_NOT_FOUND"),
        (refusal(404, "ContainerNotFound"), "BUCKET_NOT_FOUND"),
        (refusal(400, "InvalidResourceName"), "INVALID_BUCKET_NAME"),
        (Reply(404), "OBJECT_NOT_FOUND"),
        (refusal(401, "InvalidAuthenticationInfo"), "INVALID_CREDENTIALS"),
        (refusal(403, "AuthenticationFailed", "Request date header too old: 'x'"), "CLOCK_SKEWED"),
        (refusal(403, "AuthenticationFailed", "The MAC signature found is not the same"), "WRONG_SECRET_KEY"),
        (refusal(403, "AuthenticationFailed"), "ACCESS_DENIED"),
        (refusal(403, "AuthenticationFailed", "Issuer validation failed"), "ACCESS_DENIED"),
        (refusal(403, "AuthenticationFailed", time_frame(expiry=2, now=3)), "INVALID_CREDENTIALS"),
        (refusal(403, "AuthenticationFailed", time_frame(expiry=5, now=1)), "CLOCK_SKEWED"),
        (refusal(409, "PathAlreadyExists"), "STORAGE_ERROR"),
        (refusal(403, "AuthorizationPermissionMismatch"), "ACCESS_DENIED"),
        (refusal(403, "AccountIsDisabled"), "ACCESS_DENIED"),
        (refusal(409, "PublicAccessNotPermitted"), "ACCESS_DENIED"),
        (refusal(409, "BlobArchived"), "OBJECT_ARCHIVED"),
        (refusal(409, "BlobUsesCustomerSpecifiedEncryption"), "ENCRYPTION_KEY_UNUSABLE"),
        (refusal(412, "ConditionNotMet"), "INPUT_CHANGED"),
        (Reply(412), "INPUT_CHANGED"),
        (refusal(412, "LeaseIdMissing"), "STORAGE_ERROR"),
        (refusal(400, "MadeUp"), "STORAGE_ERROR"),
        (refusal(503, "ServerBusy"), "STORAGE_BUSY"),
        (refusal(500, "OperationTimedOut"), "STORAGE_UNAVAILABLE"),
        (Reply(502, b"<html>bad gateway</html>"), "STORAGE_UNAVAILABLE"),
        (Reply(307, headers={"Location": "http://127.0.0.1:9/"}), "STORAGE_REDIRECTED"),
        (Reply(206, b"hello", {"ETag": '"1"'}), "INVALID_STORAGE_ANSWER"),
        (Reply(200, b"<html>log in</html>"), "INVALID_STORAGE_ANSWER"),
        (Reply(201), "INVALID_STORAGE_ANSWER"),
    ],
)
def test_each_refusal_has_its_code(reply: Reply, code: str) -> None:
    with scripted_server(lambda _asked: reply) as server:
        error = read_error(server.url)
    assert error.code == code
    assert URI in error.message


@pytest.mark.parametrize(
    ("reply", "overwrite", "code"),
    [
        (refusal(409, "BlobAlreadyExists"), False, "OUTPUT_EXISTS"),
        (refusal(412, "ConditionNotMet"), False, "OUTPUT_EXISTS"),
        (refusal(412, "LeaseIdMissing"), True, "STORAGE_ERROR"),
        (refusal(409, "BlobImmutableDueToPolicy"), True, "ACCESS_DENIED"),
        (refusal(400, "Md5Mismatch"), True, "STORAGE_ERROR"),
        (refusal(404, "ContainerNotFound"), True, "BUCKET_NOT_FOUND"),
        (Reply(200), True, "INVALID_STORAGE_ANSWER"),
    ],
)
def test_a_refused_transcript_says_why(reply: Reply, overwrite: bool, code: str) -> None:
    with scripted_server(lambda _asked: reply) as server, pytest.raises(StorageError) as raised:
        connect(access_to(server.url)).write("az://container/a.json", b"{}", overwrite=overwrite)
    assert raised.value.code == code


def test_the_check_of_a_folder_reports_what_forbids_writing() -> None:
    refused = refusal(403, "AuthorizationPermissionMismatch")
    with scripted_server(lambda _asked: refused) as server, pytest.raises(StorageError, match="PermissionMismatch"):
        connect(access_to(server.url)).check_write("az://container/out/a.json")


def test_a_clock_that_is_off_is_signed_as_it_is(azurite: Azurite) -> None:
    """Azurite does not check the date, but the date that is sent is the one that is signed."""
    container = azurite.new_bucket(**{"a.wav": b"hello"})
    store = AzureStore(azurite.access(), clock=lambda: time.time() - 60)
    assert store.stat(f"az://{container}/a.wav").size == 5


def documented() -> list[tuple[str, int, str]]:
    """Return the code of the storage, its status and our code, from the table in the docs."""
    rows = table_rows(ROOT / "docs" / "storage.md", "### Errors of Azure")
    return [(code, int(row[1]), row[2].strip("`")) for row in rows for code in re.findall(r"`(\w+)`", row[0])]


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(("code", "status", "ours"), documented(), ids=lambda value: str(value))
def test_each_documented_code_ends_as_the_table_says(code: str, status: int, ours: str) -> None:
    with scripted_server(lambda _asked: refusal(status, code)) as server:
        error = read_error(server.url)
    assert error.code == ours
    assert URI in error.message
    assert re.search(r"; \w+", error.message), "there is no next step"


def test_every_known_code_is_documented() -> None:
    assert {code for code, _, _ in documented()} == set(BY_CODE)
