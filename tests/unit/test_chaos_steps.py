"""The steps at which chaos tests kill processes."""

from __future__ import annotations

from pkgutil import resolve_name

import pytest

from tests.chaos.steps import STEPS, Step


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.name)
def test_every_step_is_a_function_that_exists(step: Step) -> None:
    assert callable(resolve_name(f"batchscribe.{step.place}"))
