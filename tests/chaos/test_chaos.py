"""A short run of each kind, with fixed seeds: `make chaos` is the long one.

Together, the three plans kill at each step and cause each trouble once. Few kills are at random moments, and the jobs
are small.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from random import Random

import pytest

from tests.chaos.figures import Figures
from tests.chaos.houses import Shape, open_house
from tests.chaos.invariants import Evidence
from tests.chaos.run import Plan, run
from tests.chaos.steps import STEPS
from tests.chaos.troubles import ALL_SICK, SICK
from tests.chaos.workload import Call, Kind
from tests.servers.postgresql import missing_binaries

IS_ROOT = os.geteuid() == 0  #: only root may mount small disks
NAMES = tuple(step.name for step in STEPS)
MEAN_FILES = 12  #: of a job
PLANS = (
    Plan(
        Shape.EMBEDDED,
        11,
        kills=8,
        steps=NAMES[0::4],
        kill_every_sec=(1.0, 3.0),
        trouble_every_sec=(3.0, 6.0),
        troubles=(
            f"{SICK}: truncated model",
            "storage cuts",
            "receiver down",
            "disk full" if IS_ROOT else "worker terminated",
        ),
        mean_files=MEAN_FILES,
    ),
    Plan(
        Shape.SQLITE,
        12,
        kills=8,
        steps=NAMES[1::4],
        kill_every_sec=(1.0, 3.0),
        trouble_every_sec=(3.0, 6.0),
        troubles=("worker paused", "receiver cuts", "storage slow"),
        mean_files=MEAN_FILES,
    ),
    Plan(
        Shape.POSTGRESQL,
        13,
        kills=15,
        steps=NAMES[2::2],
        kill_every_sec=(1.0, 3.0),
        trouble_every_sec=(3.0, 6.0),
        troubles=(
            "storage refuses",
            ALL_SICK,
            "database restarted",
            "receiver refuses",
            f"{SICK}: no descriptors",
            f"{SICK}: no GPU",
        ),
        mean_files=MEAN_FILES,
    ),
)
#: One worker of two is sick, and there is no other fault.
SICK_PLAN = Plan(
    Shape.SQLITE,
    14,
    kills=0,
    steps=(),
    kill_every_sec=(0.0, 0.0),
    trouble_every_sec=(0.0, 0.0),
    troubles=(f"{SICK}: {'full temporary folder' if IS_ROOT else 'truncated model'}", f"{SICK}: no memory"),
    mean_files=MEAN_FILES,
)
END_SEC = 120.0


@pytest.mark.timeout(400)
@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: plan.shape)
def test_after_any_kill_no_file_is_lost_or_done_twice(plan: Plan, tmp_path: Path) -> None:
    skip_without_database(plan.shape)
    told: list[str] = []
    result = run(plan, tmp_path / "run", told.append)
    broken = {name: sentences for name, sentences in result.violations.items() if sentences}
    assert not broken, (plan, broken, told)
    assert result.not_reached == [], plan
    assert result.figures.kills.total() == plan.kills


@pytest.mark.timeout(300)
def test_a_sick_worker_says_so_fails_no_file_and_comes_back(tmp_path: Path) -> None:
    told: list[str] = []
    result = run(SICK_PLAN, tmp_path / "run", told.append)
    broken = {name: sentences for name, sentences in result.violations.items() if sentences}
    assert not broken, (broken, told)
    sick = result.figures.fitness.sick
    assert len(sick) == 2
    assert result.figures.fitness.unfit_times
    assert any(each.told_sec is not None for each in sick)
    assert not any(each.is_own_end for each in sick)


def skip_without_database(shape: Shape) -> None:
    missing = missing_binaries() if shape is Shape.POSTGRESQL else []
    if missing:
        pytest.skip(f"no PostgreSQL here ({', '.join(missing)} missing): apt-get install postgresql")


@pytest.mark.timeout(200)
def test_a_recording_under_which_each_worker_dies_fails_alone(tmp_path: Path) -> None:
    skip_without_database(Shape.POSTGRESQL)
    settings = {"CHAOS_DEADLY": "6", "BATCHSCRIBE_MAX_ATTEMPTS": "3"}
    with open_house(Shape.POSTGRESQL, tmp_path / "run", seed=1, **settings) as house:
        workload = house.client("job", Random(1), mean_files=12)  # noqa: S311 - no secret
        kinds = {6: Kind.DEADLY}
        calls = [
            Call(house.bucket, f"calls/job-0000/{number}.wav", number, kinds.get(number, Kind.SHORT))
            for number in range(1, 13)
        ]
        job = workload.submit(calls)
        deadline = time.monotonic() + END_SEC
        while not job.is_final:
            assert time.monotonic() < deadline, house.logs()[-5000:]
            workload.look(job)
            time.sleep(0.2)
        evidence = Evidence(house)
        assert [
            *evidence.check_jobs(),
            *evidence.check_files(),
            *evidence.check_counters(),
            *evidence.check_outputs(),
        ] == []
        ends = {Path(row.input_uri).name: row.error_code for row in evidence.files_of(job)}
        assert {name: code for name, code in ends.items() if code} == {"6.wav": "FILE_CRASHED_WORKER"}
        deaths = [entry for entry in house.ledger.entries("end") if entry.facts["status"] == -9]
        assert len(deaths) == 3
        assert Figures(house).starts <= 12 - 1 + 3 * 4
