"""Stored vocabularies, and how many are on a page."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from batchscribe.database import vocabulary_rows
from batchscribe.database.tables import vocabulary
from batchscribe.database.vocabulary_rows import find_vocabulary, insert_vocabulary, page_of_vocabularies
from batchscribe.errors import TooManyVocabularies
from batchscribe.wire.vocabulary import Alias, Vocabulary

CONTENT = Vocabulary(phrases=("Ada Lovelace",), aliases=(Alias(canonical="Zoë", variants=("zoe",)),))


def store(connection: sa.Connection, vocabulary_id: str, *, tenant: str = "a", limit: int = 10) -> None:
    insert_vocabulary(connection, tenant, vocabulary_id, CONTENT, name=None, limit=limit)


def found_by_id(connection: sa.Connection, vocabulary_id: str) -> vocabulary_rows.StoredVocabulary:
    found = find_vocabulary(connection, "a", vocabulary_id)
    assert found is not None
    return found


def test_a_vocabulary_is_found_by_its_tenant_only(connection: sa.Connection) -> None:
    store(connection, "vocab_1")
    assert found_by_id(connection, "vocab_1").content == CONTENT
    assert find_vocabulary(connection, "b", "vocab_1") is None


def test_the_limit_is_of_each_tenant(connection: sa.Connection) -> None:
    store(connection, "vocab_1", limit=1)
    store(connection, "vocab_2", tenant="b", limit=1)
    with pytest.raises(TooManyVocabularies, match="delete some"):
        store(connection, "vocab_3", limit=1)


def test_a_page_ends_early_if_it_is_too_long_but_never_without_one(
    connection: sa.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        store(connection, f"vocab_{number}")
    size = len('{"phrases": ["Ada Lovelace"], "aliases": [{"canonical": "Zo\\u00eb", "variants": ["zoe"]}]}')
    for limit, expected in ((1, ["vocab_2"]), (2 * size + 1, ["vocab_2", "vocab_1"])):
        monkeypatch.setattr(vocabulary_rows, "MAX_PAGE_CHARS", limit)
        found, more = page_of_vocabularies(connection, "a", before=None, limit=10)
        assert ([each.vocabulary_id for each in found], more) == (expected, True)
    last = found_by_id(connection, "vocab_1")
    rest, more = page_of_vocabularies(connection, "a", before=(last.created_at, last.vocabulary_id), limit=10)
    assert ([each.vocabulary_id for each in rest], more) == (["vocab_0"], False)


def test_a_vocabulary_that_is_deleted_meanwhile_does_not_break_the_page(connection: sa.Connection) -> None:
    """Another request may delete it between any two statements."""
    for number in range(2):
        store(connection, f"vocab_{number}")

    @sa.event.listens_for(connection, "after_cursor_execute", once=True)
    def delete_newest(*_: object) -> None:
        connection.execute(sa.delete(vocabulary).where(vocabulary.c.vocabulary_id == "vocab_1"))

    found, more = page_of_vocabularies(connection, "a", before=None, limit=1)
    assert found or not more
    assert found_ids(connection) == ["vocab_0"]


def found_ids(connection: sa.Connection) -> list[str]:
    return [each.vocabulary_id for each in page_of_vocabularies(connection, "a", before=None, limit=10)[0]]
