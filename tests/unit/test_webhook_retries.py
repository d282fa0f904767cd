"""The retries of a webhook over days, with the twins of the queue, the sender and the clock."""

from __future__ import annotations

from itertools import pairwise

import pytest
import sqlalchemy as sa

from batchscribe.database.job_rows import end_job, get_job
from batchscribe.database.sealed import Keyring, has_secret
from batchscribe.jobs.webhook_delivery import DeliveryState
from batchscribe.queue.records import Records
from batchscribe.queue.task_queue import Handler
from batchscribe.queue.tasks import DELIVER
from batchscribe.stages.deliver import WEBHOOK, Schedule, Webhook, announce, deliver, seal_webhook
from batchscribe.webhooks.payload import MAX_DELAY_SEC
from batchscribe.wire.choices import JobState
from tests.deliveries import deliveries_of
from tests.jobs_on_record import stored_job
from tests.twins.clock import Clock
from tests.twins.queue import QueueTwin
from tests.twins.sender import Answer, SenderTwin

SCHEDULE = Schedule(first_retry_sec=5.0, give_up_sec=259_200.0)
HOUR_SEC = 3600.0
STARTED_AT = 1_800_000_000.0
DOWN, BUSY, OK = Answer(None), Answer(503, retry_after="3600"), Answer(200)


class Webhooks:
    """An ended job with a webhook, and time that passes as fast as deliveries are due."""

    def __init__(self, engine: sa.Engine, *answers: Answer) -> None:
        self.clock, self.sender = Clock(STARTED_AT), SenderTwin(list(answers))
        self.queue = QueueTwin(engine, self.clock)
        self.records = Records(engine, self.queue, Keyring((b"k" * 32,)))
        with engine.begin() as connection:
            self.job = stored_job(connection)
            seal_webhook(connection, self.records, self.job, Webhook("https://example.org/hook", "shared secret"))
            end_job(connection, self.job, JobState.SUCCEEDED)
            announce(connection, self.records, get_job(connection, self.job.job_id), clock=self.clock)
        handlers: dict[str, Handler] = {DELIVER: self._deliver}
        self.queue.run(handlers, executor_id="me", lanes=[self.job.lane], engines=[], slots=1)

    def _deliver(self, _job_id: str, number: int) -> None:
        deliver(number, self.records, self.sender, SCHEDULE, clock=self.clock)

    def run_until_over(self) -> None:
        while (due_at := self.queue.next_due_at()) is not None:
            self.clock.advance(max(0.0, due_at - self.clock()))
            self.queue.work()

    @property
    def state(self) -> DeliveryState:
        with self.records.transaction() as connection:
            [delivery] = deliveries_of(connection, self.job.number)
            return delivery.state

    @property
    def keeps_secret(self) -> bool:
        with self.records.transaction() as connection:
            return has_secret(connection, self.job, WEBHOOK)

    def pauses_sec(self) -> list[float]:
        return [after.moment - before.moment for before, after in pairwise(self.sender.sent)]


def test_an_event_that_is_never_accepted_is_retried_for_three_days_and_then_given_up(engine: sa.Engine) -> None:
    webhooks = Webhooks(engine, DOWN)
    webhooks.run_until_over()
    assert webhooks.state is DeliveryState.GAVE_UP
    assert 72 * HOUR_SEC - MAX_DELAY_SEC <= webhooks.sender.sent[-1].moment - STARTED_AT <= 72 * HOUR_SEC
    assert not webhooks.keeps_secret


def test_pauses_double_from_a_few_seconds_to_six_hours(engine: sa.Engine) -> None:
    webhooks = Webhooks(engine, DOWN)
    webhooks.run_until_over()
    for number, pause_sec in enumerate(webhooks.pauses_sec()):
        longest_sec = min(5.0 * 2**number, 6 * HOUR_SEC)
        assert longest_sec / 2 <= pause_sec <= longest_sec + 0.001


def test_a_receiver_that_is_back_after_a_day_gets_the_same_event(engine: sa.Engine) -> None:
    webhooks = Webhooks(engine, *[DOWN] * 15, OK)
    webhooks.run_until_over()
    assert webhooks.state is DeliveryState.DELIVERED
    assert len(webhooks.sender.sent) == 16
    assert len({sent.body for sent in webhooks.sender.sent}) == 1
    assert {(sent.url, sent.secret) for sent in webhooks.sender.sent} == {("https://example.org/hook", "shared secret")}


def test_a_busy_receiver_is_not_asked_again_before_the_time_that_it_names(engine: sa.Engine) -> None:
    webhooks = Webhooks(engine, BUSY, OK)
    webhooks.run_until_over()
    assert webhooks.pauses_sec() == [pytest.approx(HOUR_SEC)]


@pytest.mark.parametrize("status", [302, 400, 404, 410])
def test_an_event_that_the_receiver_refuses_is_sent_once(engine: sa.Engine, status: int) -> None:
    webhooks = Webhooks(engine, Answer(status))
    webhooks.run_until_over()
    assert (webhooks.state, len(webhooks.sender.sent)) == (DeliveryState.REFUSED, 1)
    assert not webhooks.keeps_secret
