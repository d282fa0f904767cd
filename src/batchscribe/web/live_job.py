"""The part of a job's page that follows the job: its progress, its files and its webhook deliveries."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any, Self

from batchscribe.database.connect import Connection
from batchscribe.database.delivery_rows import deliveries_of
from batchscribe.database.job_changes import changes_of_deliveries
from batchscribe.database.sealed import names_of_secrets
from batchscribe.jobs.model import Job
from batchscribe.stages.delivery_log import WEBHOOK
from batchscribe.stages.sealed_credentials import needed_secrets
from batchscribe.web.asked_credentials import AskedSide, asked_sides
from batchscribe.web.file_list import Wanted, read_files
from batchscribe.web.job_view import JobView
from batchscribe.wire.choices import FileState

CHANGES_CHARS = 16


@dataclass(frozen=True, slots=True)
class LiveJob:
    """A job as it is now."""

    job: Job
    view: JobView
    changes: str  #: equal as long as nothing changes in the job, its files and its deliveries
    sides: tuple[AskedSide, ...]  #: whose credentials can be sent again
    missing: frozenset[str]  #: names of the secrets without which an ended job cannot be retried
    can_replay: bool

    @classmethod
    def of(cls, connection: Connection, job: Job) -> Self:
        view, needed, stored = JobView.of(job), needed_secrets(job), names_of_secrets(connection, job)
        missing = needed - stored if view.can_be_retried else frozenset()
        body = view.answer.body()
        shown = {name: body.get(name) for name in ("state", "summary", "error", "waiting_for", "usage")}
        shown |= {
            "position": view.answer.progress.queue_position,
            "missing": sorted(missing),
            "deliveries": changes_of_deliveries(connection, job.number),
            "can_replay": WEBHOOK in stored,
        }
        digest = hashlib.sha256(json.dumps(shown, sort_keys=True).encode()).hexdigest()
        return cls(job, view, digest[:CHANGES_CHARS], asked_sides(job, needed), missing, WEBHOOK in stored)

    def context(self, connection: Connection, wanted: Wanted, *, shown: str | None = None) -> dict[str, Any]:
        """Return what the template needs. `shown` are the changes that an open page had when it was loaded.

        A search for a name takes long, so an open page keeps what it has found, and says whether it is outdated.
        """
        is_kept = shown is not None and bool(wanted.name)
        return {
            "live": self,
            "job": self.view,
            "wanted": wanted,
            "files": None if is_kept else read_files(connection, self.job, wanted),
            "is_outdated": is_kept and shown != self.changes,
            "file_states": list(FileState),
            "deliveries": [each.answer() for each in reversed(deliveries_of(connection, self.job.number))],
            "can_replay": self.can_replay,
        }
