"""Credentials that a person enters in the reader: for which side of a job they are used, and what they replace."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from batchscribe.database.sealed import destroy_secrets
from batchscribe.jobs.model import Job
from batchscribe.settings import load_settings
from batchscribe.stages.reading_credentials import credentials_for_reading
from batchscribe.stages.sealed_credentials import INPUT, OUTPUT, SIDES, open_credentials, seal_credentials
from batchscribe.storage.s3.s3_credentials import AwsCredentials
from batchscribe.web.reading import Reading
from batchscribe.wire.choices import JobState, OutputLayout
from batchscribe.wire.output import Output
from tests.jobs_on_record import stored_job
from tests.twins.queue import records_of

IN_S3: dict[str, Any] = {
    "input": {"mode": "PREFIX", "source": "S3", "uri": "s3://in/"},
    "output": Output(uri="s3://out/", layout=OutputLayout.PREFIX),
}


class World:
    """A job from one bucket to another, with separate keys, and what its reader reads with."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine
        self.records = records_of(engine)
        self.reading = Reading(self.records, load_settings())
        with engine.begin() as connection:
            self.job = stored_job(connection, **IN_S3)
            for side in SIDES:
                seal_credentials(connection, self.records, self.job, side, AwsCredentials(f"{side}-key", "secret"))

    def end(self) -> None:
        """End the job, as if its credentials were deleted with its end."""
        with self.engine.begin() as connection:
            destroy_secrets(connection, self.job, SIDES)
            connection.execute(sa.text("UPDATE job SET state = 'SUCCEEDED', completed_at = 1.0"))
        self.job = replace(self.job, state=JobState.SUCCEEDED)

    def enter(self, side: str, key: str) -> None:
        form = {f"{side}.aws.access_key_id": key, f"{side}.aws.secret_access_key": "secret"}
        self.reading.give_access(self.job.tenant, self.job.job_id, "", form)

    def keys(self) -> tuple[str | None, str | None]:
        """Of input and output, for the reader."""
        return self._key_of(self.job, INPUT), self._key_of(self.job, OUTPUT)

    def _key_of(self, job: Job, side: str) -> str | None:
        found = credentials_for_reading(self.records, job, side)
        assert found is None or isinstance(found, AwsCredentials)
        return None if found is None else found.access_key_id


@pytest.fixture
def world(engine: sa.Engine) -> World:
    return World(engine)


@pytest.mark.parametrize(("side", "other"), [(INPUT, OUTPUT), (OUTPUT, INPUT)])
def test_in_a_live_job_only_the_named_side_is_replaced(world: World, side: str, other: str) -> None:
    world.enter(side, "fresh")
    kept = {name: open_credentials(world.records, world.job, name) for name in SIDES}
    assert kept == {side: AwsCredentials("fresh", "secret"), other: AwsCredentials(f"{other}-key", "secret")}


def test_both_sides_of_an_ended_job_can_be_read_with_separate_keys(world: World) -> None:
    world.end()
    assert world.keys() == (None, None)
    world.enter(OUTPUT, "out")
    assert world.keys() == ("out", "out")
    world.enter(INPUT, "in")
    assert world.keys() == ("in", "out")
    world.enter(OUTPUT, "newer")
    assert world.keys() == ("in", "newer")


def test_a_mistyped_key_is_replaced_on_both_sides(world: World) -> None:
    world.end()
    world.enter(INPUT, "mistyped")
    world.enter(INPUT, "right")
    assert world.keys() == ("right", "right")


def test_a_job_that_is_retried_is_read_with_its_own_fresh_keys(world: World) -> None:
    world.end()
    world.enter(INPUT, "denied")
    live = replace(world.job, state=JobState.PROCESSING)
    with world.engine.begin() as connection:
        seal_credentials(connection, world.records, live, INPUT, AwsCredentials("fresh", "secret"))
    world.job = live
    assert world.keys() == ("fresh", "denied")


def test_keys_of_one_cloud_are_not_used_for_another(engine: sa.Engine) -> None:
    world = World(engine)
    world.end()
    world.enter(INPUT, "in")
    world.job = replace(world.job, output=Output(uri="gs://out/", layout=OutputLayout.PREFIX))
    assert world.keys() == ("in", None)
