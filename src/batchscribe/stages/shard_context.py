"""What the files of a shard share."""

from __future__ import annotations

from dataclasses import dataclass, field

from batchscribe.errors import CredentialsAwaited
from batchscribe.jobs.model import Job
from batchscribe.queue.records import Records
from batchscribe.stages.job_context import JobContext
from batchscribe.stages.slots import Slots


@dataclass(frozen=True, slots=True)
class ShardContext:
    """The resources and limits for the files of a shard."""

    job: Job
    context: JobContext
    records: Records
    slots: Slots
    max_deaths: int  #: of workers while they processed the same file
    max_tries: int  #: for a file whose storage does not answer
    run: int = 0  #: number of the shard's run
    expired: list[int] = field(default_factory=list)  #: versions of credentials that have expired

    @property
    def engine(self) -> str:
        return self.context.choice.spec.name

    def check_start(self) -> None:
        """Check before a file starts. Raises `WorkInterrupted`, `CredentialsAwaited`, `MachineTrouble`."""
        self.context.watch.check_start(self.job.number)
        if self.expired:
            raise CredentialsAwaited(self.expired[0])
        self.context.health.check(self.job.queue_key)
