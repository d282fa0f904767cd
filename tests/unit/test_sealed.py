"""Stored secrets: unreadable without the key, bound to their row, and readable after the key is rotated."""

from __future__ import annotations

import base64
import time
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from batchscribe.database.expired_rows import delete_expired
from batchscribe.database.sealed import (
    Keyring,
    destroy_secrets,
    expire_secrets,
    has_secret,
    load_keyring,
    names_of_secrets,
    read_secret,
    release_secrets,
    store_secret,
)
from batchscribe.database.tables import secret
from batchscribe.errors import InvalidSetting, SecretKeyChanged
from batchscribe.jobs.model import Job
from batchscribe.settings import load_settings
from tests.jobs_on_record import stored_job

OLD, NEW = b"o" * 32, b"n" * 32
PLAIN = b"MARKED-SECRET-4711"


@pytest.fixture
def job(connection: sa.Connection) -> Job:
    return stored_job(connection)


def test_what_is_stored_opens_again_and_does_not_show_the_secret(connection: sa.Connection, job: Job) -> None:
    keyring = Keyring((NEW,))
    store_secret(connection, keyring, job=job, name="input", plain=PLAIN)
    assert PLAIN not in connection.scalars(sa.select(secret.c.sealed)).one()
    assert read_secret(connection, keyring, job=job, name="input") == PLAIN
    assert read_secret(connection, keyring, job=job, name="output") is None


def test_a_secret_moved_to_another_row_does_not_open(connection: sa.Connection, job: Job) -> None:
    keyring = Keyring((NEW,))
    store_secret(connection, keyring, job=job, name="input", plain=PLAIN)
    connection.execute(sa.update(secret).values(name="output"))
    with pytest.raises(SecretKeyChanged):
        read_secret(connection, keyring, job=job, name="output")


def test_a_secret_does_not_open_for_another_tenant(connection: sa.Connection, job: Job) -> None:
    keyring = Keyring((NEW,))
    store_secret(connection, keyring, job=job, name="input", plain=PLAIN)
    with pytest.raises(SecretKeyChanged):
        read_secret(connection, keyring, job=replace(job, tenant="other"), name="input")


def test_after_rotation_old_secrets_open_and_new_ones_use_the_newest_key(connection: sa.Connection, job: Job) -> None:
    store_secret(connection, Keyring((OLD,)), job=job, name="input", plain=PLAIN)
    rotated = Keyring((NEW, OLD))
    assert read_secret(connection, rotated, job=job, name="input") == PLAIN
    store_secret(connection, rotated, job=job, name="output", plain=PLAIN)
    assert read_secret(connection, Keyring((NEW,)), job=job, name="output") == PLAIN


def test_without_its_key_a_secret_says_what_to_do(connection: sa.Connection, job: Job) -> None:
    store_secret(connection, Keyring((OLD,)), job=job, name="input", plain=PLAIN)
    with pytest.raises(SecretKeyChanged, match="BATCHSCRIBE_SECRET_KEY"):
        read_secret(connection, Keyring((NEW,)), job=job, name="input")


def test_destroyed_secrets_are_gone(connection: sa.Connection, job: Job) -> None:
    store_secret(connection, Keyring((NEW,)), job=job, name="input", plain=PLAIN)
    destroy_secrets(connection, job, ["input"])
    assert connection.scalar(sa.select(sa.func.count()).select_from(secret)) == 0


def test_the_key_file_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    settings = load_settings(data_dir=tmp_path / "data")
    first = load_keyring(settings)
    key_file = tmp_path / "data" / "secret.key"
    assert key_file.stat().st_mode & 0o777 == 0o600
    assert load_keyring(settings).keys == first.keys
    assert [path.name for path in key_file.parent.iterdir()] == ["secret.key"]


def test_keys_of_the_setting_come_newest_first(tmp_path: Path) -> None:
    text = ",".join(base64.urlsafe_b64encode(key).decode() for key in (NEW, OLD))
    settings = load_settings(data_dir=tmp_path, secret_key=SecretStr(text))
    assert load_keyring(settings).keys == (NEW, OLD)
    assert not (tmp_path / "secret.key").exists()


@pytest.mark.parametrize("text", ["short", "", "not base64 at all !", base64.urlsafe_b64encode(b"x" * 31).decode()])
def test_a_key_of_the_wrong_shape_is_refused_by_name(tmp_path: Path, text: str) -> None:
    settings = load_settings(data_dir=tmp_path, secret_key=SecretStr(text + ","))
    with pytest.raises(InvalidSetting, match="BATCHSCRIBE_SECRET_KEY"):
        load_keyring(settings)


def test_an_expired_secret_is_ignored_and_then_deleted(connection: sa.Connection, job: Job) -> None:
    keyring = Keyring((NEW,))
    for name in ("input", "output", "webhook"):
        store_secret(connection, keyring, job=job, name=name, plain=PLAIN)
    expire_secrets(connection, job, ["input"], time.time() - 1)
    expire_secrets(connection, job, ["output"], time.time() + 60)
    assert read_secret(connection, keyring, job=job, name="input") is None
    assert not has_secret(connection, job, "input")
    assert names_of_secrets(connection, job) == {"output", "webhook"}
    delete_expired(connection)
    assert set(connection.scalars(sa.select(secret.c.name))) == {"output", "webhook"}


def test_a_secret_that_has_expired_cannot_be_kept_longer(connection: sa.Connection, job: Job) -> None:
    keyring = Keyring((NEW,))
    for name in ("input", "output"):
        store_secret(connection, keyring, job=job, name=name, plain=PLAIN)
    expire_secrets(connection, job, ["input"], time.time() - 1)
    expire_secrets(connection, job, ["output"], time.time() + 60)
    expire_secrets(connection, job, ["input", "output"], None)
    delete_expired(connection)
    assert dict(connection.execute(sa.select(secret.c.name, secret.c.expires_at)).all()) == {"output": None}


def test_a_secret_is_stored_in_place_of_an_expired_one(connection: sa.Connection, job: Job) -> None:
    keyring = Keyring((NEW,))
    store_secret(connection, keyring, job=job, name="input", plain=b"old", expires_at=time.time() - 1)
    store_secret(connection, keyring, job=job, name="input", plain=PLAIN, expires_at=time.time() + 60)
    assert read_secret(connection, keyring, job=job, name="input") == PLAIN


def test_released_secrets_go_at_once_or_after_a_time(connection: sa.Connection, job: Job) -> None:
    keyring = Keyring((NEW,))
    for name in ("input", "webhook"):
        store_secret(connection, keyring, job=job, name=name, plain=PLAIN)
    release_secrets(connection, job, ["input"], keep_sec=0)
    release_secrets(connection, job, ["webhook"], keep_sec=60)
    left = connection.execute(sa.select(secret.c.name, secret.c.expires_at)).all()
    assert left == [("webhook", pytest.approx(time.time() + 60, abs=30))]


def test_what_is_sealed_alike_opens_only_for_its_name_and_shows_nothing() -> None:
    keyring = Keyring((NEW,))
    first, again, other = (keyring.seal_alike(PLAIN, bound_to=name) for name in ("a", "a", "b"))
    assert first == again != other
    assert PLAIN not in first[1]
    assert keyring.open(*first, bound_to="a") == PLAIN
    with pytest.raises(SecretKeyChanged):
        keyring.open(*first, bound_to="b")
