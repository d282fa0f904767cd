"""Secrets at rest: sealed with AES-256-GCM, bound to their job and name; the key is never in the database."""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import hmac
import json
import os
import tempfile
import time
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from batchscribe.database.bulk import UnixNow
from batchscribe.database.tables import sealing_key, secret
from batchscribe.errors import InvalidSetting, SecretKeyChanged
from batchscribe.jobs.model import Job
from batchscribe.settings import Settings

KEY_BYTES = 32
KEY_FILE = "secret.key"  #: in the data directory
NONCE_BYTES = 12


@dataclass(frozen=True, slots=True, repr=False)
class Keyring:
    """The sealing keys, newest first: the first one seals, any of them opens."""

    keys: tuple[bytes, ...]

    def seal(self, plain: bytes, *, bound_to: str) -> tuple[str, bytes]:
        """Return (key ID, sealed bytes). `bound_to` names the row: the value cannot be opened for another row."""
        return self._seal(plain, bound_to, os.urandom(NONCE_BYTES))

    def seal_alike(self, plain: bytes, *, bound_to: str) -> tuple[str, bytes]:
        """Seal as `seal` does, but with the same result each time: the nonce is a keyed digest of what is sealed."""
        content = b"batchscribe nonce" + json.dumps([bound_to, plain.hex()]).encode()
        return self._seal(plain, bound_to, hmac.digest(self.keys[0], content, "sha256")[:NONCE_BYTES])

    def _seal(self, plain: bytes, bound_to: str, nonce: bytes) -> tuple[str, bytes]:
        return _key_id(self.keys[0]), nonce + AESGCM(self.keys[0]).encrypt(nonce, plain, bound_to.encode())

    def open(self, key_id: str, sealed: bytes, *, bound_to: str) -> bytes:
        """Return the plain bytes. Raises `SecretKeyChanged` if no configured key opens them."""
        for key in self.keys:
            if _key_id(key) == key_id:
                try:
                    return AESGCM(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], bound_to.encode())
                except InvalidTag:
                    break
        raise SecretKeyChanged(
            "A stored secret was sealed with a key that is not configured; add that key after the new one in "
            "BATCHSCRIBE_SECRET_KEY, or submit the job again.",
            key_id=key_id,
        )

    @property
    def key_ids(self) -> tuple[str, ...]:
        return tuple(_key_id(key) for key in self.keys)

    def digest(self, content: bytes) -> str:
        """Return a keyed digest, with which content can be recognized later but not guessed."""
        return _digest(self.keys[0], content)

    def is_digest(self, digest: str, content: bytes) -> bool:
        """Return whether `digest` is that of this content, for any of the keys."""
        return any(hmac.compare_digest(digest, _digest(key, content)) for key in self.keys)


def _digest(key: bytes, content: bytes) -> str:
    return hmac.new(key, b"batchscribe digest" + content, hashlib.sha256).hexdigest()


def load_keyring(settings: Settings) -> Keyring:
    """Load the keys from `BATCHSCRIBE_SECRET_KEY`, or from the key file in the data directory, creating it if missing.

    Raises `InvalidSetting` for a fleet without the setting, because other machines could not use a local file.
    """
    if settings.secret_key is not None:
        parts = settings.secret_key.get_secret_value().split(",")
        return Keyring(tuple(_parse_key(part.strip()) for part in parts))
    if settings.is_fleet:
        raise InvalidSetting(
            "BATCHSCRIBE_SECRET_KEY is not set, and all processes on a shared database need the same key. Create it "
            "once with `openssl rand -base64 32 | tr +/ -_`, and set it for all of them."
        )
    return Keyring((_parse_key(_read_or_make(settings.data_dir / KEY_FILE)),))


def _read_or_make(path: Path) -> str:
    if not path.exists():
        _make_key_file(path)
    return path.read_text(encoding="ascii").strip()


def _make_key_file(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=".secret-")  # mode 0600
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as key_file:
            key_file.write(base64.urlsafe_b64encode(os.urandom(KEY_BYTES)).decode() + "\n")
        with contextlib.suppress(FileExistsError):  # another process was faster; its key is used
            os.link(draft, path)
    finally:
        Path(draft).unlink()


def _parse_key(text: str) -> bytes:
    try:
        key = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != KEY_BYTES:
        raise InvalidSetting("BATCHSCRIBE_SECRET_KEY: each key must be 32 bytes in URL-safe base64.")
    return key


def _key_id(key: bytes) -> str:
    return hashlib.sha256(b"batchscribe key id" + key).hexdigest()[:16]


def agreed_key_id(connection: sa.Connection) -> str | None:
    """Return the ID of the key that all processes seal with; None if no process has started yet."""
    return connection.scalar(sa.select(sealing_key.c.key_id))


def agree_on_key(connection: sa.Connection, keyring: Keyring) -> None:
    """Check that this process has the key that all others seal with. Raises `SecretKeyChanged`.

    The first process sets the key. A process that has this key after a newer one replaces it.
    """
    agreed = agreed_key_id(connection)
    if agreed is None:
        connection.execute(sa.insert(sealing_key).values(number=1, key_id=keyring.key_ids[0]))
    elif agreed not in keyring.key_ids:
        raise SecretKeyChanged(
            "BATCHSCRIBE_SECRET_KEY differs from the key of the processes that used this database before; set the same "
            "key for all processes. To change the key, put the new one first: new,old."
        )
    elif agreed != keyring.key_ids[0]:
        connection.execute(sa.update(sealing_key).values(key_id=keyring.key_ids[0]))


@dataclass(frozen=True, slots=True)
class KeepTimes:
    """How long secrets are kept after their last use, in seconds. With 0 they are destroyed at once."""

    credentials_sec: float = 0.0  #: those of storage, after the end of the job
    webhook_sec: float = 0.0  #: the URL and secret of a webhook, after its last delivery


#: Secrets are ignored as soon as they expire. A periodic task deletes them.
_HAS_EXPIRED = secret.c.expires_at <= UnixNow()
_IS_KEPT = sa.or_(secret.c.expires_at.is_(None), sa.not_(_HAS_EXPIRED))


def store_secret(
    connection: sa.Connection, keyring: Keyring, *, job: Job, name: str, plain: bytes, expires_at: float | None = None
) -> None:
    """Store a secret, in place of one with the same name. `expires_at` is in Unix seconds."""
    destroy_secrets(connection, job, [name])
    key_id, sealed = keyring.seal(plain, bound_to=_row_name(job, name))
    values = {"job": job.number, "name": name, "key_id": key_id, "sealed": sealed, "expires_at": expires_at}
    connection.execute(sa.insert(secret).values(values))


def read_secret(connection: sa.Connection, keyring: Keyring, *, job: Job, name: str) -> bytes | None:
    """Return the opened secret; None if the job has no secret with this name. Raises `SecretKeyChanged`."""
    query = sa.select(secret.c.key_id, secret.c.sealed).where(*_named(job, [name]), _IS_KEPT)
    row = connection.execute(query).first()
    return None if row is None else keyring.open(row.key_id, row.sealed, bound_to=_row_name(job, name))


def names_of_secrets(connection: sa.Connection, job: Job) -> frozenset[str]:
    return frozenset(connection.scalars(sa.select(secret.c.name).where(secret.c.job == job.number, _IS_KEPT)))


def has_secret(connection: sa.Connection, job: Job, name: str) -> bool:
    return name in names_of_secrets(connection, job)


def release_secrets(connection: sa.Connection, job: Job, names: Collection[str], *, keep_sec: float) -> None:
    """Destroy secrets after their last use, at once or in `keep_sec` seconds."""
    if keep_sec:
        expire_secrets(connection, job, names, time.time() + keep_sec)
    else:
        destroy_secrets(connection, job, names)


def expire_secrets(connection: sa.Connection, job: Job, names: Collection[str], at: float | None) -> None:
    """Let secrets expire at this time, in Unix seconds; None keeps those that have not expired yet."""
    connection.execute(sa.update(secret).where(*_named(job, names), _IS_KEPT).values(expires_at=at))


def destroy_secrets(connection: sa.Connection, job: Job, names: Collection[str]) -> None:
    connection.execute(sa.delete(secret).where(*_named(job, names)))


def delete_expired_secrets(connection: sa.Connection) -> None:
    connection.execute(sa.delete(secret).where(_HAS_EXPIRED))


def _named(job: Job, names: Collection[str]) -> tuple[sa.ColumnElement[bool], sa.ColumnElement[bool]]:
    return secret.c.job == job.number, secret.c.name.in_(names)


def _row_name(job: Job, name: str) -> str:
    return f"{job.tenant}/{job.job_id}/{name}"
