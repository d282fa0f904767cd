"""The bounds on the number of speakers."""

from __future__ import annotations

import pytest

from batchscribe.speakers.speaker_count import SpeakerCount


@pytest.mark.parametrize(("at_least", "at_most"), [(0, None), (-1, 3), (3, 2), (1, 0)])
def test_impossible_bounds_are_rejected(at_least: int, at_most: int | None) -> None:
    with pytest.raises(ValueError, match="at least"):
        SpeakerCount(at_least, at_most)


@pytest.mark.parametrize(
    ("count", "found", "permitted"),
    [
        (SpeakerCount(), 7, 7),
        (SpeakerCount(2, 5), 1, 2),
        (SpeakerCount(2, 5), 4, 4),
        (SpeakerCount(2, 5), 9, 5),
        (SpeakerCount(3, 3), 8, 3),
        (SpeakerCount(3), 1, 3),
    ],
)
def test_a_number_is_moved_to_the_nearest_bound(count: SpeakerCount, found: int, permitted: int) -> None:
    assert count.nearest(found) == permitted
