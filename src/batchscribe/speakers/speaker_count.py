"""What the caller knows about the number of speakers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SpeakerCount:
    """How many speakers a recording may have. If both bounds are equal, the number is exact; by default it is open.

    Raises `ValueError` if the bounds are impossible.
    """

    at_least: int = 1
    at_most: int | None = None

    def __post_init__(self) -> None:
        if self.at_least < 1:
            raise ValueError(f"A recording has at least 1 speaker, not {self.at_least}.")
        if self.at_most is not None and self.at_most < self.at_least:
            raise ValueError(f"At most {self.at_most} speakers is less than at least {self.at_least}.")

    def nearest(self, number: int) -> int:
        """Return the permitted number of speakers that is nearest to `number`."""
        return max(self.at_least, number if self.at_most is None else min(number, self.at_most))
