"""Checks of the sealing key: that it exists, is readable only by its owner, and is the one that all processes use."""

from __future__ import annotations

import stat
from pathlib import Path

from batchscribe.check import Check, CheckResult, ok, report_failure, warning
from batchscribe.database.api_key_rows import list_unreadable_keys
from batchscribe.database.connect import Connection
from batchscribe.database.sealed import KEY_FILE, Keyring, agreed_key_id, load_keyring
from batchscribe.errors import InvalidSetting
from batchscribe.settings import Settings

NAME = "secret key"
OTHERS = stat.S_IRWXG | stat.S_IRWXO
NAMED_KEYS = 5


def check_key(connection: Connection, settings: Settings) -> Check:
    """Compare the key with the one that the database was used with."""
    agreed = agreed_key_id(connection)
    alone = check_key_alone(settings)
    if agreed is None or alone.verdict is CheckResult.FAILED:
        return alone
    keyring = _keyring(settings)
    if keyring is None:
        return report_failure(
            NAME,
            f"The database was used with a key, but {_key_file(settings)} does not exist.",
            "Restore the key file, or set BATCHSCRIBE_SECRET_KEY; without the key, stored credentials are lost.",
        )
    if agreed not in keyring.key_ids:
        return report_failure(
            NAME,
            "The key differs from that of the processes that used this database before.",
            "Set the same BATCHSCRIBE_SECRET_KEY for all processes; to change it, put the new key first: new,old.",
        )
    return _check_api_keys(connection, keyring) or alone


def _check_api_keys(connection: Connection, keyring: Keyring) -> Check | None:
    """Return a warning if API keys were sealed with a key that is not configured."""
    lost = list_unreadable_keys(connection, keyring)
    if not lost:
        return None
    named = ", ".join(f"{key.api_key} ({key.tenant})" for key in lost[:NAMED_KEYS])
    more = f" and {len(lost) - NAMED_KEYS} more" if len(lost) > NAMED_KEYS else ""
    return warning(
        NAME,
        f"API keys that were sealed with a key that is not configured, so they are refused: {named}{more}.",
        "Add that key after the new one in BATCHSCRIBE_SECRET_KEY. If it is lost, revoke them with `batchscribe keys "
        "revoke`, and create new ones.",
    )


def check_key_alone(settings: Settings) -> Check:
    """Check what can be checked without a database."""
    try:
        keyring = _keyring(settings)
    except InvalidSetting as error:
        return report_failure(NAME, error.message, "Create a key with `openssl rand -base64 32 | tr +/ -_`.")
    if keyring is None:
        return ok(NAME, f"There is no key file at {_key_file(settings)} yet; the first use creates it.")
    if settings.secret_key is None and _key_file(settings).stat().st_mode & OTHERS:
        return warning(
            NAME, f"{_key_file(settings)} is accessible to other users.", f"Run: chmod 600 {_key_file(settings)}"
        )
    count = len(keyring.keys)
    return ok(NAME, "There is 1 key, and it is valid." if count == 1 else f"There are {count} keys, and all are valid.")


def _keyring(settings: Settings) -> Keyring | None:
    """Return the keyring; None if the first use would create a key file. Raises `InvalidSetting`."""
    is_created_by_use = settings.secret_key is None and not settings.is_fleet
    return None if is_created_by_use and not _key_file(settings).exists() else load_keyring(settings)


def _key_file(settings: Settings) -> Path:
    return settings.data_dir / KEY_FILE
