"""A worker that lists jobs and processes no files, so that a test can kill it during a listing.

Usage: python -m tests.integration.listing_victim DATABASE_URL HOME. Other settings are those of the environment.
"""

from __future__ import annotations

import sys
import threading

from batchscribe.queue.records import open_records
from batchscribe.queue.tasks import SERVER_LANE
from batchscribe.settings import load_settings
from batchscribe.worker.worker import Worker


def main(database: str, home: str) -> None:
    settings = load_settings(database_url=database)
    Worker(open_records(settings), settings).start(lanes=[SERVER_LANE], engines=(), home=home)
    print("listing", flush=True)  # noqa: T201 - the test waits for this line
    threading.Event().wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
