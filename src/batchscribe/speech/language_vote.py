"""Which language a recording is in, by a vote of several windows of speech."""

from __future__ import annotations

from collections.abc import Mapping

from batchscribe.speech.languages import primary_subtag
from batchscribe.window import Recognition, Window

#: A window's vote weighs as much as its speech, up to this many seconds: one long window is still one opinion.
MOST_WEIGHT_SEC = 10.0
#: With less speech in all, no language is certain.
LEAST_SPEECH_SEC = 2.0
#: Share of the votes that another language needs to be certain, and that the one asked for may have at most. On 185
#: recordings in nine languages the right language always had the most votes; the least it had was 0.3 (spoken digits).
CERTAIN, UNLIKELY = 0.8, 0.1
#: The language asked for is taken when it has at least this share of the votes of the likeliest one.
NEARLY = 0.5


class LanguageVote:
    """Collects what an engine detected in the windows of one recording."""

    def __init__(self) -> None:
        self._votes: dict[str, float] = {}
        self._weight = 0.0
        self._speech_sec = 0.0

    def add(self, window_speech_sec: float, recognition: Recognition) -> None:
        if not recognition.detected:
            return
        weight = min(window_speech_sec, MOST_WEIGHT_SEC)
        self._weight += weight
        self._speech_sec += window_speech_sec
        for language, probability in recognition.detected:
            self._votes[language] = self._votes.get(language, 0.0) + weight * probability

    def winner(self, asked: str) -> str:
        """A tag without region: in case of doubt that of `asked`, a canonical tag."""
        return likeliest(self._votes, asked)

    def contradicts(self, asked: str) -> str | None:
        """The language that the recording is certainly in instead of the one asked for, a canonical tag."""
        winner, own = self.winner(asked), primary_subtag(asked)
        if winner == own or self._speech_sec < LEAST_SPEECH_SEC:
            return None
        is_certain = self._votes[winner] >= CERTAIN * self._weight
        return winner if is_certain and self._votes.get(own, 0.0) <= UNLIKELY * self._weight else None


def likeliest(votes: Mapping[str, float], asked: str) -> str:
    """The tag without region that has the most votes, unless the language asked for has nearly as many."""
    own = primary_subtag(asked)
    if not votes:
        return own
    winner = min(votes, key=lambda language: (-votes[language], language))
    return own if votes.get(own, 0.0) >= NEARLY * votes[winner] else winner


def speech_sec(window: Window) -> float:
    """Seconds of speech in a window; all of it where the voice detector was not asked."""
    if window.speech is None:
        return window.duration_sec
    return sum(end - start for start, end in window.speech)
