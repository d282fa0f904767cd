"""The full-text index of segments: SQLite's FTS5 or PostgreSQL's tsvector, with the same terms and the same result.

The databases would split text by rules of their own. So each gets terms that `split_terms` has made, and only stores
and finds them. Every term begins with a mark of its tenant. So the index of a small tenant is small, even where the
words are common in the transcripts of a large one.

A tsvector has no positions after 16,383, and at most 255 of a term. In a segment that needs more, a phrase matches if
all its terms occur; `SearchQuery.occurs_in` decides.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import TSQUERY

from batchscribe.database.tables import transcript_segment
from batchscribe.jobs.search_query import QueryPhrase, SearchQuery
from batchscribe.transcript.search_terms import split_terms

MARK_CHARS = 6  #: tenants with the same mark share a part of the index; queries name the tenant as well
MAX_POSITION, MAX_POSITIONS = 16_383, 255  #: of a term in a tsvector
MAX_BYTES = 1_000_000  #: of a tsvector; further terms are not indexed
#: With the mark, the term of segments that need more. No query has it, because its terms have letters or digits.
LONG = "_"


@lru_cache(maxsize=1024)
def mark_of(tenant: str) -> str:
    return hashlib.sha256(tenant.encode()).hexdigest()[:MARK_CHARS]


def index_terms(connection: sa.Connection, tenant: str, text: str) -> str:
    """Return the value of the column `terms`."""
    mark = mark_of(tenant)
    terms = [mark + term.text for term in split_terms(text)]
    if connection.dialect.name == "sqlite":
        return " ".join(terms)
    return _tsvector(mark, terms)


def _tsvector(mark: str, terms: list[str]) -> str:
    """Return a tsvector, in which every term occurs once: its limit of 1 MiB applies before repetitions are joined."""
    positions: dict[str, list[int]] = {}
    is_long = len(terms) > MAX_POSITION
    for at, term in enumerate(terms, 1):
        found = positions.setdefault(term, [])
        if len(found) < MAX_POSITIONS:
            found.append(min(at, MAX_POSITION))
        else:
            is_long = True
    parts = [f"'{mark}{LONG}'"] if is_long else []
    size = 0
    for term, found in positions.items():
        size += len(term.encode()) + 2 * len(found) + 4
        if size > MAX_BYTES:
            break
        parts.append(f"'{term}':{','.join(map(str, found))}")
    return " ".join(parts)


def matches(connection: sa.Connection, tenant: str, query: SearchQuery) -> sa.ColumnElement[bool]:
    """Return the condition that a segment contains all phrases of the query, or may contain them if it is long."""
    mark = mark_of(tenant)
    if connection.dialect.name == "sqlite":
        expression = " AND ".join(_fts5(mark, phrase) for phrase in query.phrases)
        return sa.literal_column("segment_index").op("MATCH", is_comparison=True)(expression)
    expression = " & ".join(_tsquery(mark, phrase) for phrase in query.phrases)
    return transcript_segment.c.terms.op("@@", is_comparison=True)(sa.cast(expression, TSQUERY()))


def _fts5(mark: str, phrase: QueryPhrase) -> str:
    terms = " ".join(mark + term for term in phrase.terms)
    return f'"{terms}"{"*" if phrase.is_prefix else ""}'


def _tsquery(mark: str, phrase: QueryPhrase) -> str:
    terms = [f"'{mark}{term}'" for term in phrase.terms]
    if phrase.is_prefix:
        terms[-1] += ":*"
    phrase_of_terms = f"({' <-> '.join(terms)})"
    if len(terms) == 1:
        return phrase_of_terms
    return f"({phrase_of_terms} | ('{mark}{LONG}' & {' & '.join(terms)}))"
