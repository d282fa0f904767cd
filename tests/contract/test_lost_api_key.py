"""An API key that was sealed with a secret key that the server no longer has: the client and the operator learn why."""

from __future__ import annotations

import secrets

import pytest

from batchscribe.database.api_key_rows import create_key
from batchscribe.database.connect import open_database
from batchscribe.database.sealed import Keyring
from tests.contract.client import Client
from tests.contract.server import Key, Server
from tests.contract.tokens import token
from tests.contract.visitor import Visitor
from tests.integration.command import wait_until

LOST = Keyring((secrets.token_bytes(32),))
TOLD = (
    "The server cannot read this API key, because it now uses another secret key. Ask the operator for a new API key."
)


@pytest.fixture
def lost_key(server: Server) -> Key:
    database = open_database(server.database_url)
    with database.begin() as connection:
        made = create_key(connection, LOST, "alice")
    database.dispose()
    return Key(made.api_key, made.secret, "alice")


@pytest.mark.parametrize("sent", ["token", "secret", "x-api-key"])
def test_the_client_is_asked_to_get_a_new_one_and_the_log_names_it(
    server: Server, nobody: Client, alice: Client, lost_key: Key, sent: str
) -> None:
    word = token(lost_key) if sent == "token" else lost_key.api_secret
    headers = {"x-api-key": word} if sent == "x-api-key" else {"Authorization": f"Bearer {word}"}
    answer = nobody.but(**headers).call("GET", "/jobs", 401)
    assert answer.reason == "INVALID_ACCESS_TOKEN"
    assert answer.body["errors"] == [{"field": "Authorization", "message": TOLD}]
    assert answer.headers["www-authenticate"] == "Bearer"
    assert "retry-after" not in answer.headers

    def lines() -> list[dict[str, object]]:
        return [line for line in server.log_lines() if line.get("api_key") == lost_key.api_key]

    wait_until(lambda: bool(lines()))
    [line] = lines()
    assert (line["event"], line["level"], line["sealed_with"]) == ("api_key.unreadable", "warning", LOST.key_ids[0])
    assert line["tracking_id"] == answer.headers["x-zm-trackingid"]
    assert lost_key.api_secret not in server.log_text()
    alice.get("/jobs", page_size=1)


def test_the_sign_in_page_says_so_too(server: Server, lost_key: Key) -> None:
    with Visitor(server.url, (lost_key.api_secret,)) as visitor:
        assert TOLD in visitor.send("/signin", 401, secret=lost_key.api_secret).text
