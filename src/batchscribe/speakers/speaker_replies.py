"""Validation of a speaker process's answer. Hostile media may control the process, so nothing in it is trusted."""

from __future__ import annotations

from batchscribe.speakers.speaker_count import SpeakerCount
from batchscribe.window import SpeakerTurn

MOST_SPEAKERS = 1_000  #: in a recording; no meeting has that many
SLACK_SEC = 0.1  #: by which a turn may end after the sound: the last frame of the models is not full
_TURN_BYTES = 3 * 8  # float64


class InvalidSpeakerReply(ValueError):
    """An invalid answer. The error text is for developers and contains nothing from the process."""


def unpack_turns(payload: memoryview, duration_sec: float, count: SpeakerCount) -> tuple[SpeakerTurn, ...]:
    """Return the turns in `float64[n_turns, 3]`. Raises `InvalidSpeakerReply`.

    They must be inside the recording and sorted by their start. Speakers are numbered in the order of their first
    turns, and there are not more than permitted.
    """
    import numpy as np

    if len(payload) % _TURN_BYTES:
        raise InvalidSpeakerReply("an incomplete turn")
    rows = np.frombuffer(payload, dtype=np.float64).reshape(-1, 3)
    starts, ends, speakers = rows.T
    if not (np.isfinite(rows).all() and (starts >= 0).all() and (starts < np.minimum(ends, duration_sec)).all()):
        raise InvalidSpeakerReply("times out of range")
    if not (ends <= duration_sec + SLACK_SEC).all() or not (np.diff(starts) >= 0).all():
        raise InvalidSpeakerReply("turns outside of the recording or out of order")
    most = MOST_SPEAKERS if count.at_most is None else count.at_most
    if not ((speakers >= 0) & (speakers < most) & (speakers == np.floor(speakers))).all():
        raise InvalidSpeakerReply("an impossible speaker")
    _check_order(speakers.astype(int).tolist())
    return tuple(SpeakerTurn(start, min(end, duration_sec), int(speaker)) for start, end, speaker in rows.tolist())


def _check_order(speakers: list[int]) -> None:
    n_known = 0
    for speaker in speakers:
        if speaker > n_known:
            raise InvalidSpeakerReply("speakers that are not numbered by their first turns")
        n_known = max(n_known, speaker + 1)
