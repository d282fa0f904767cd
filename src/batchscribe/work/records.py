"""What is on record: the database, the durable engine in it, and the keys of its sealed secrets."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass

import sqlalchemy as sa

from batchscribe.database.engine import open_engine
from batchscribe.database.schema import migrate
from batchscribe.database.sealed import Keyring, load_keyring
from batchscribe.settings import Settings
from batchscribe.work.flow import Flow


@dataclass(frozen=True, slots=True)
class Records:
    engine: sa.Engine
    flow: Flow
    keyring: Keyring

    def transaction(self) -> AbstractContextManager[sa.Connection]:
        """All or nothing: commits at the end of the block, rolls back when it raises."""
        return self.engine.begin()


def open_records(settings: Settings) -> Records:
    """Open the database of the settings, and bring its schema up to date."""
    engine = open_engine(settings.sqlalchemy_url)
    migrate(engine)
    return Records(engine=engine, flow=Flow(engine), keyring=load_keyring(settings))
