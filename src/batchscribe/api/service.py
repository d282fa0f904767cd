"""What every route works with."""

from __future__ import annotations

from dataclasses import dataclass

from batchscribe.api.limits import RateLimit
from batchscribe.api.slow_requests import SlowRequests
from batchscribe.api.turns import BODIES_OF_TENANT, BodyRoom, Turns
from batchscribe.settings import Settings
from batchscribe.wire.limits import Limits
from batchscribe.work.fitness import Fitness
from batchscribe.work.records import Records


@dataclass(frozen=True, slots=True)
class Service:
    """One server process: what is on record, and what the operator allows."""

    records: Records
    settings: Settings
    rate_limit: RateLimit
    limits: Limits
    slow_requests: SlowRequests
    turns: Turns
    body_room: BodyRoom
    fitness: Fitness | None = None  #: of the worker in this process

    @classmethod
    def of(cls, records: Records, settings: Settings, *, fitness: Fitness | None = None) -> Service:
        """Raises `InvalidSetting`."""
        limits = Limits(
            manifest=settings.max_manifest,
            globs=settings.max_globs,
            reference_chars=settings.max_reference_chars,
            plain_webhooks=settings.webhook_allow_http,
        )
        return cls(
            records,
            settings,
            rate_limit=RateLimit(settings.rate_limit),
            limits=limits,
            slow_requests=SlowRequests(),
            turns=Turns(),
            body_room=BodyRoom(BODIES_OF_TENANT * settings.max_body_bytes),
            fitness=fitness,
        )
