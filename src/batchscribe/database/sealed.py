"""Secrets at rest: AES-256-GCM, bound to their job and name, under a key that never enters the database."""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import hmac
import os
import tempfile
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from batchscribe.database.tables import sealing_key, secret
from batchscribe.errors import InvalidSetting, SecretKeyChanged
from batchscribe.jobs.model import Job
from batchscribe.settings import Settings

KEY_BYTES = 32
KEY_FILE = "secret.key"  #: in the data directory
NONCE_BYTES = 12


@dataclass(frozen=True, slots=True, repr=False)
class Keyring:
    """The sealing keys, newest first: the first one seals, any one opens."""

    keys: tuple[bytes, ...]

    def seal(self, plain: bytes, *, bound_to: str) -> tuple[str, bytes]:
        """Return (key id, sealed bytes); `bound_to` names the row, so a sealed value cannot move to another."""
        nonce = os.urandom(NONCE_BYTES)
        return _key_id(self.keys[0]), nonce + AESGCM(self.keys[0]).encrypt(nonce, plain, bound_to.encode())

    def open(self, key_id: str, sealed: bytes, *, bound_to: str) -> bytes:
        """Raises `SecretKeyChanged` when no key at hand opens it."""
        for key in self.keys:
            if _key_id(key) == key_id:
                try:
                    return AESGCM(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], bound_to.encode())
                except InvalidTag:
                    break
        raise SecretKeyChanged(
            "A stored secret was sealed with another key; set BATCHSCRIBE_SECRET_KEY to the key it was sealed with, "
            "behind the new one, or submit the job again."
        )

    @property
    def key_ids(self) -> tuple[str, ...]:
        return tuple(_key_id(key) for key in self.keys)

    def digest(self, content: bytes) -> str:
        """Tells whether content is the same as before, without storing anything it could be guessed from."""
        return _digest(self.keys[0], content)

    def is_digest(self, digest: str, content: bytes) -> bool:
        """Whether `digest` is of this content, under any key at hand."""
        return any(hmac.compare_digest(digest, _digest(key, content)) for key in self.keys)


def _digest(key: bytes, content: bytes) -> str:
    return hmac.new(key, b"batchscribe digest" + content, hashlib.sha256).hexdigest()


def load_keyring(settings: Settings) -> Keyring:
    """The keys of `BATCHSCRIBE_SECRET_KEY`, or of the key file in the data directory, which is made when absent.

    Raises `InvalidSetting` for a fleet without the setting: a file of this machine is no use to the others.
    """
    if settings.secret_key is not None:
        parts = settings.secret_key.get_secret_value().split(",")
        return Keyring(tuple(_parse_key(part.strip()) for part in parts))
    if settings.is_fleet:
        raise InvalidSetting(
            "BATCHSCRIBE_SECRET_KEY is not set: all processes on a shared database need the same one. Make it once, "
            "with `openssl rand -base64 32 | tr +/ -_`, and give it to all of them."
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
        with contextlib.suppress(FileExistsError):  # another process was first: its key counts
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
    """Of the key that all processes seal with; none before the first one came."""
    return connection.scalar(sa.select(sealing_key.c.key_id))


def agree_on_key(connection: sa.Connection, keyring: Keyring) -> None:
    """See that this process seals with the key of all others; the first one's counts, until one that has it brings a
    newer one. Raises `SecretKeyChanged`.
    """
    agreed = agreed_key_id(connection)
    if agreed is None:
        connection.execute(sa.insert(sealing_key).values(number=1, key_id=keyring.key_ids[0]))
    elif agreed not in keyring.key_ids:
        raise SecretKeyChanged(
            "This process has another BATCHSCRIBE_SECRET_KEY than those that used this database before; give all of "
            "them the same. To change the key, put the new one in front: new,old."
        )
    elif agreed != keyring.key_ids[0]:
        connection.execute(sa.update(sealing_key).values(key_id=keyring.key_ids[0]))


def store_secret(connection: sa.Connection, keyring: Keyring, *, job: Job, name: str, plain: bytes) -> None:
    key_id, sealed = keyring.seal(plain, bound_to=_row_name(job, name))
    connection.execute(sa.insert(secret).values(job=job.number, name=name, key_id=key_id, sealed=sealed))


def read_secret(connection: sa.Connection, keyring: Keyring, *, job: Job, name: str) -> bytes | None:
    """The opened secret, or None when the job has none of that name. Raises `SecretKeyChanged`."""
    row = connection.execute(
        sa.select(secret.c.key_id, secret.c.sealed).where(secret.c.job == job.number, secret.c.name == name)
    ).first()
    return None if row is None else keyring.open(row.key_id, row.sealed, bound_to=_row_name(job, name))


def has_secret(connection: sa.Connection, job: Job, name: str) -> bool:
    found = sa.select(secret.c.job).where(secret.c.job == job.number, secret.c.name == name)
    return connection.scalar(found) is not None


def destroy_secrets(connection: sa.Connection, job: Job, names: Collection[str]) -> None:
    connection.execute(sa.delete(secret).where(secret.c.job == job.number, secret.c.name.in_(names)))


def _row_name(job: Job, name: str) -> str:
    return f"{job.tenant}/{job.job_id}/{name}"
