"""Queries on stored vocabularies. Each belongs to a tenant and never changes; jobs have copies."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from batchscribe.database.tables import idempotency, vocabulary
from batchscribe.errors import TooManyVocabularies, VocabularyNotFound
from batchscribe.wire.vocabulary import Vocabulary, VocabularyAnswer

MAX_PAGE_CHARS = 4 * 2**20  #: as for a page of jobs


@dataclass(frozen=True, slots=True)
class StoredVocabulary:
    """One vocabulary; `created_at` in Unix seconds."""

    vocabulary_id: str
    name: str | None
    content: Vocabulary
    created_at: float

    def answer(self) -> VocabularyAnswer:
        return VocabularyAnswer(
            vocabulary_id=self.vocabulary_id,
            name=self.name,
            created_at=datetime.fromtimestamp(self.created_at, UTC),
            phrases=self.content.phrases,
            aliases=self.content.aliases,
        )


def insert_vocabulary(
    connection: sa.Connection, tenant: str, vocabulary_id: str, content: Vocabulary, *, name: str | None, limit: int
) -> None:
    """Store a vocabulary. Raises `TooManyVocabularies` if the tenant has `limit` of them.

    Simultaneous requests do not count each other.
    """
    count = sa.select(sa.func.count()).select_from(vocabulary).where(vocabulary.c.tenant == tenant)
    if (connection.scalar(count) or 0) >= limit:
        raise TooManyVocabularies(f"You have {limit} vocabularies, which is the limit; delete some first.")
    values = {
        "vocabulary_id": vocabulary_id,
        "tenant": tenant,
        "name": name,
        "content": content.echo(),
        "created_at": time.time(),
    }
    connection.execute(sa.insert(vocabulary).values(values))


def find_vocabulary(connection: sa.Connection, tenant: str, vocabulary_id: str) -> StoredVocabulary | None:
    """Return a vocabulary of the tenant. None if it does not exist or belongs to another tenant."""
    if "\0" in vocabulary_id:  # PostgreSQL does not accept NUL in text
        return None
    query = sa.select(vocabulary).where(vocabulary.c.vocabulary_id == vocabulary_id, vocabulary.c.tenant == tenant)
    row = connection.execute(query).first()
    return None if row is None else _vocabulary(row)


def get_vocabulary_of(connection: sa.Connection, tenant: str, vocabulary_id: str) -> StoredVocabulary:
    """Return a vocabulary of the tenant. Raises `VocabularyNotFound`, also for those of other tenants."""
    found = find_vocabulary(connection, tenant, vocabulary_id)
    if found is None:
        raise VocabularyNotFound(f"There is no vocabulary {vocabulary_id}.")
    return found


def page_of_vocabularies(
    connection: sa.Connection, tenant: str, *, before: tuple[float, str] | None, limit: int
) -> tuple[list[StoredVocabulary], bool]:
    """Return the tenant's vocabularies, newest first, and whether there are more.

    `before` is the creation time and the ID of the last one seen, which may have been deleted since. A page ends early
    if its contents would have more than `MAX_PAGE_CHARS`. It is one statement, so that a vocabulary that is deleted
    meanwhile is either counted and returned, or neither.
    """
    place = sa.tuple_(vocabulary.c.created_at, vocabulary.c.vocabulary_id)
    newest_first = (vocabulary.c.created_at.desc(), vocabulary.c.vocabulary_id.desc())
    chars = sa.func.length(sa.cast(vocabulary.c.content, sa.Text)).label("chars")
    newest = sa.select(vocabulary.c.vocabulary_id, vocabulary.c.created_at, chars).where(vocabulary.c.tenant == tenant)
    if before is not None:
        newest = newest.where(place < before)
    listed = newest.order_by(*newest_first).limit(limit + 1).cte("listed")
    in_order = (listed.c.created_at.desc(), listed.c.vocabulary_id.desc())
    page = sa.select(
        listed.c.vocabulary_id,
        sa.func.row_number().over(order_by=in_order).label("number"),
        sa.func.sum(listed.c.chars).over(order_by=in_order).label("chars"),
        sa.func.count().over().label("listed"),
    ).cte("page")
    rows = connection.execute(
        sa.select(vocabulary, page.c.listed)
        .join(page, page.c.vocabulary_id == vocabulary.c.vocabulary_id)
        .where(page.c.number <= limit, (page.c.chars <= MAX_PAGE_CHARS) | (page.c.number == 1))
        .order_by(page.c.number)
    ).all()
    return [_vocabulary(row) for row in rows], bool(rows) and rows[0].listed > len(rows)


def delete_vocabulary(connection: sa.Connection, tenant: str, vocabulary_id: str) -> None:
    """Delete a vocabulary and its idempotency key; jobs keep their copies. Raises `VocabularyNotFound`."""
    get_vocabulary_of(connection, tenant, vocabulary_id)
    keys = sa.delete(idempotency).where(idempotency.c.tenant == tenant, idempotency.c.job_id == vocabulary_id)
    connection.execute(keys)
    connection.execute(sa.delete(vocabulary).where(vocabulary.c.vocabulary_id == vocabulary_id))


def _vocabulary(row: sa.Row[Any]) -> StoredVocabulary:
    return StoredVocabulary(
        vocabulary_id=row.vocabulary_id,
        name=row.name,
        content=Vocabulary.model_validate(row.content),
        created_at=row.created_at,
    )
