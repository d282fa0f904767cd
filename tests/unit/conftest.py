"""A fresh database with the schema."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from batchscribe.database.connect import open_database
from batchscribe.database.schema import migrate


@pytest.fixture
def engine(database: str) -> Iterator[sa.Engine]:
    opened = open_database(database)
    migrate(opened)
    yield opened
    opened.dispose()


@pytest.fixture
def connection(engine: sa.Engine) -> Iterator[sa.Connection]:
    """One open transaction."""
    with engine.begin() as opened:
        yield opened
