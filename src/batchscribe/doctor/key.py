"""The key that seals secrets: whether it is there, readable to its owner alone, and that of all other processes."""

from __future__ import annotations

import stat
from pathlib import Path

import sqlalchemy as sa

from batchscribe.database.sealed import KEY_FILE, Keyring, agreed_key_id, load_keyring
from batchscribe.doctor.check import Check, Verdict, failed, ok, warning
from batchscribe.errors import InvalidSetting
from batchscribe.settings import Settings

NAME = "secret key"
OTHERS = stat.S_IRWXG | stat.S_IRWXO


def check_key(connection: sa.Connection, settings: Settings) -> Check:
    """Against the one that the database was used with."""
    agreed = agreed_key_id(connection)
    alone = check_key_alone(settings)
    if agreed is None or alone.verdict is Verdict.FAILED:
        return alone
    keyring = _keyring(settings)
    if keyring is None:
        return failed(
            NAME,
            f"The database was used with a key, and there is none at {_key_file(settings)}.",
            "Put the key file back, or set BATCHSCRIBE_SECRET_KEY; without it stored credentials are lost.",
        )
    if agreed not in keyring.key_ids:
        return failed(
            NAME,
            "It is another one than that of the processes that used this database before.",
            "Give all processes the same BATCHSCRIBE_SECRET_KEY; to change it, put the new one in front: new,old.",
        )
    return alone


def check_key_alone(settings: Settings) -> Check:
    """As far as that can be told without a database."""
    try:
        keyring = _keyring(settings)
    except InvalidSetting as error:
        return failed(NAME, error.message, "`openssl rand -base64 32 | tr +/ -_` makes a key.")
    if keyring is None:
        return ok(NAME, f"There is none at {_key_file(settings)} yet; the first use makes it.")
    if settings.secret_key is None and _key_file(settings).stat().st_mode & OTHERS:
        return warning(
            NAME, f"Others than its owner may read {_key_file(settings)}.", f"Run: chmod 600 {_key_file(settings)}"
        )
    return ok(NAME, f"There {'is 1' if len(keyring.keys) == 1 else f'are {len(keyring.keys)}'}, and it can be used.")


def _keyring(settings: Settings) -> Keyring | None:
    """None where the first use would make a key file. Raises `InvalidSetting`."""
    made_by_use = settings.secret_key is None and not settings.is_fleet
    return None if made_by_use and not _key_file(settings).exists() else load_keyring(settings)


def _key_file(settings: Settings) -> Path:
    return settings.data_dir / KEY_FILE
