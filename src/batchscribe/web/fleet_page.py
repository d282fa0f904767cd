"""The page of the workers, and of the tenant's own queue.

A tenant sees what the operator's machines can do, and how much of its own work waits. It sees nothing of other tenants:
neither their names, nor their jobs, nor how many there are.
"""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter, Request
from starlette.responses import Response

from batchscribe.database.backlog import TenantBacklog, backlog_of_tenant
from batchscribe.database.worker_rows import live_workers
from batchscribe.jobs.worker_record import WorkerRecord
from batchscribe.queue.tasks import SERVER_LANE
from batchscribe.speech.capability import Capability
from batchscribe.web.sessions import VisitorInTurn
from batchscribe.web.site import Site


@dataclass(frozen=True, slots=True)
class EngineOfFleet:
    """An engine and model, and how many workers can use it now."""

    engine: Capability
    workers: int


def engines_of_fleet(workers: list[WorkerRecord]) -> list[EngineOfFleet]:
    """Return the engines of all workers, the best first."""
    by_key = {engine.key: engine for worker in workers for engine in worker.fit_engines}
    counted = [
        EngineOfFleet(engine, sum(key in {each.key for each in worker.fit_engines} for worker in workers))
        for key, engine in by_key.items()
    ]
    return sorted(counted, key=lambda each: (each.engine.rank, each.engine.name, each.engine.model))


def fleet_router(site: Site) -> APIRouter:
    router = APIRouter()

    @router.get("/workers")
    def show_workers(request: Request, visitor: VisitorInTurn) -> Response:
        with site.service.records.transaction() as connection:
            found = live_workers(connection, silent_sec=site.service.settings.silent_sec)
            backlog: TenantBacklog | None = backlog_of_tenant(connection, visitor.tenant)
        workers = [worker for worker in found if SERVER_LANE in worker.lanes]
        return site.page(request, "workers.html", workers=workers, engines=engines_of_fleet(workers), backlog=backlog)

    return router
