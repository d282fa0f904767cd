"""The retries of a webhook over days, with the twins of the queue, the sender and the clock."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import pytest
import sqlalchemy as sa

from batchscribe.database.job_rows import end_job, get_job
from batchscribe.database.purge_rows import hide_job
from batchscribe.database.sealed import KeepTimes, Keyring, has_secret
from batchscribe.database.tables import secret
from batchscribe.errors import WebhookAddressGone
from batchscribe.jobs.webhook_delivery import LoggedDelivery
from batchscribe.queue.records import Records
from batchscribe.queue.task_queue import Handler
from batchscribe.queue.tasks import DELIVER, Task
from batchscribe.stages.deliver import Schedule, Webhook, announce, deliver, replay, seal_webhook
from batchscribe.stages.delivery_log import WEBHOOK
from batchscribe.webhooks.payload import MAX_DELAY_SEC
from batchscribe.wire.choices import DeliveryState, JobState
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

    def __init__(self, engine: sa.Engine, *answers: Answer, keep_sec: float = 0.0) -> None:
        self.clock, self.sender = Clock(STARTED_AT), SenderTwin(list(answers))
        self.queue = QueueTwin(engine, self.clock)
        self.records = Records(engine, lambda _: self.queue, Keyring((b"k" * 32,)), KeepTimes(webhook_sec=keep_sec))
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

    def replay(self) -> LoggedDelivery:
        with self.records.transaction() as connection:
            [delivery] = deliveries_of(connection, self.job.number)
        return replay(self.job, delivery.event_id, self.records, clock=self.clock)

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


def test_a_replay_retries_for_three_more_days_from_the_first_pause_on(engine: sa.Engine) -> None:
    webhooks = Webhooks(engine, DOWN, keep_sec=HOUR_SEC)
    webhooks.run_until_over()
    n_before = len(webhooks.sender.sent)
    webhooks.clock.advance(60)
    webhooks.replay()
    replayed_at = webhooks.clock()
    webhooks.run_until_over()
    again = webhooks.sender.sent[n_before:]
    assert webhooks.state is DeliveryState.GAVE_UP
    assert again[0].moment == replayed_at
    assert again[1].moment - again[0].moment <= 5.0
    assert 72 * HOUR_SEC - MAX_DELAY_SEC <= again[-1].moment - replayed_at <= 72 * HOUR_SEC
    with webhooks.records.transaction() as connection:
        [delivery] = deliveries_of(connection, webhooks.job.number)
    assert delivery.attempts == len(webhooks.sender.sent)


def test_a_replay_of_an_event_that_waits_replaces_its_next_attempt(engine: sa.Engine) -> None:
    webhooks = Webhooks(engine, BUSY, OK, keep_sec=HOUR_SEC)
    webhooks.queue.work()
    webhooks.clock.advance(10)
    webhooks.replay()
    webhooks.replay()  # it is being sent already
    webhooks.run_until_over()
    assert webhooks.state is DeliveryState.DELIVERED
    assert webhooks.pauses_sec() == [10]


def test_a_secret_that_was_about_to_expire_is_kept_until_the_replay_is_over(engine: sa.Engine) -> None:
    webhooks = Webhooks(engine, OK, DOWN, OK, keep_sec=HOUR_SEC)
    webhooks.run_until_over()
    with webhooks.records.transaction() as connection:
        assert connection.scalar(sa.select(secret.c.expires_at)) is not None
    webhooks.replay()
    with webhooks.records.transaction() as connection:
        assert connection.scalar(sa.select(secret.c.expires_at)) is None
    webhooks.run_until_over()
    assert len(webhooks.sender.sent) == 3
    with webhooks.records.transaction() as connection:
        assert connection.scalar(sa.select(secret.c.expires_at)) is not None


def test_without_its_address_an_event_cannot_be_replayed(engine: sa.Engine) -> None:
    webhooks = Webhooks(engine, OK)
    webhooks.run_until_over()
    with pytest.raises(WebhookAddressGone):
        webhooks.replay()
    assert webhooks.state is DeliveryState.DELIVERED


def test_a_replay_is_answered_even_if_the_job_is_deleted_at_once(
    engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    webhooks = Webhooks(engine, OK, keep_sec=HOUR_SEC)
    webhooks.run_until_over()

    def delete_job(_tasks: Iterable[Task]) -> None:
        with webhooks.records.transaction() as connection:
            assert hide_job(connection, webhooks.job.number)

    monkeypatch.setattr(webhooks.queue, "cancel", delete_job)  # it is called once the replay is on record
    answer = webhooks.replay().answer().body()
    assert (answer["state"], len(answer["attempts"])) == ("PENDING", 1)
    assert "replayed_at" in answer
