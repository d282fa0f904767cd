"""Stored API keys."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from batchscribe.database.api_key_rows import (
    create_key,
    find_live_key,
    key_of_secret,
    list_keys,
    list_unreadable_keys,
    revoke_key,
)
from batchscribe.database.sealed import Keyring
from batchscribe.database.tables import api_key
from batchscribe.errors import KeyNotFound, SecretKeyChanged

RING = Keyring((b"k" * 32,))


def test_a_key_is_found_with_its_secret_and_its_tenant(connection: sa.Connection) -> None:
    made = create_key(connection, RING, "acme")
    found = find_live_key(connection, RING, made.api_key)
    assert found is not None
    assert (found.tenant, found.secret) == ("acme", made.secret)
    assert key_of_secret(made.secret) == made.api_key


def test_the_secret_is_sealed_on_record_and_hidden_in_a_repr(connection: sa.Connection) -> None:
    made = create_key(connection, RING, "acme")
    row = connection.execute(sa.select(api_key)).one()
    assert made.secret not in repr(made)
    assert made.secret.encode() not in row.sealed
    assert made.secret not in repr(tuple(row))


def test_a_sealed_secret_moved_to_another_tenant_does_not_open(connection: sa.Connection) -> None:
    made = create_key(connection, RING, "acme")
    connection.execute(sa.update(api_key).values(tenant="evil"))
    with pytest.raises(SecretKeyChanged):
        find_live_key(connection, RING, made.api_key)


def test_keys_of_a_secret_key_that_is_gone_are_listed_until_they_are_revoked(connection: sa.Connection) -> None:
    old = create_key(connection, RING, "acme")
    rotated = Keyring((b"n" * 32, *RING.keys))
    new = create_key(connection, rotated, "acme")
    assert list_unreadable_keys(connection, rotated) == []
    only_new = Keyring(rotated.keys[:1])
    assert [key.api_key for key in list_unreadable_keys(connection, only_new)] == [old.api_key]
    assert find_live_key(connection, only_new, new.api_key) is not None
    with pytest.raises(SecretKeyChanged) as caught:
        find_live_key(connection, only_new, old.api_key)
    assert caught.value.key_id == RING.key_ids[0]
    revoke_key(connection, old.api_key)
    assert list_unreadable_keys(connection, only_new) == []


def test_a_revoked_key_is_found_no_more_and_stays_listed(connection: sa.Connection) -> None:
    made = create_key(connection, RING, "acme")
    assert revoke_key(connection, made.api_key)
    assert not revoke_key(connection, made.api_key)
    assert find_live_key(connection, RING, made.api_key) is None
    assert [key.revoked_at is not None for key in list_keys(connection)] == [True]


def test_a_name_that_no_database_could_hold_is_of_no_key(connection: sa.Connection) -> None:
    assert find_live_key(connection, RING, "bk_\0") is None


def test_an_unknown_key_cannot_be_revoked(connection: sa.Connection) -> None:
    with pytest.raises(KeyNotFound, match="bk_none"):
        revoke_key(connection, "bk_none")


@pytest.mark.parametrize("text", ["", "bs", "bs_", "bs_1", "bk_1_2", "anything else"])
def test_a_malformed_secret_names_no_key(text: str) -> None:
    assert key_of_secret(text) is None
