"""A short run with fixed seeds: `make fuzz` is the long one."""

from __future__ import annotations

from collections import Counter

import pytest

from batchscribe.errors import MediaError
from tests.fuzz.bases import bases
from tests.fuzz.mutations import MUTATIONS, mutated
from tests.fuzz.run import DEATH, DECODED, HANG, WITH_WARNINGS, fuzz

CASES = 500
SEED = 20


@pytest.mark.timeout(600)
def test_mutated_recordings_end_in_sound_or_in_a_named_error_and_never_kill_or_hang_a_decoder() -> None:
    cases = list(fuzz(SEED, range(CASES)))
    codes = {kind.code for kind in MediaError.__subclasses__()} - {DEATH, HANG}
    wrong = [case for case in cases if case.outcome not in codes | {DECODED, WITH_WARNINGS}]
    assert wrong == []
    assert {case.kind for case in cases} == set(MUTATIONS)
    assert {case.base for case in cases} == set(bases())
    outcomes = Counter(case.outcome for case in cases)
    assert min(outcomes[DECODED], outcomes[WITH_WARNINGS], outcomes["CORRUPT_MEDIA"]) > CASES / 25


def test_a_number_always_means_the_same_mutation() -> None:
    first = [mutated(1, number, bases()) for number in range(60)]
    assert [mutated(1, number, bases()) for number in range(60)] == first
    assert [mutated(2, number, bases()) for number in range(60)] != first
