"""Language detection for a recording, by a vote of several windows of speech."""

from __future__ import annotations

from collections.abc import Mapping

from batchscribe.speech.languages import primary_subtag
from batchscribe.window import Recognition, Window

#: The weight of a window's vote is its speech in seconds, up to this limit: one long window must not decide alone.
MOST_WEIGHT_SEC = 10.0
#: With less speech in total, no language is certain.
LEAST_SPEECH_SEC = 2.0
#: Another language is certain if it has at least the first share of the votes, and the requested language at most the
#: second. On 185 recordings in nine languages, the right language always won; its lowest share was 0.3 (spoken digits).
CERTAIN, UNLIKELY = 0.8, 0.1
#: The requested language is chosen if it has at least this fraction of the winner's votes.
NEARLY = 0.5


class LanguageVote:
    """Collects the languages that an engine detects in the windows of one recording."""

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

    def winner(self, requested: str) -> str:
        """Return the chosen language as a tag without region. `requested`, a canonical tag, wins in case of doubt."""
        return choose_language(self._votes, requested)

    def contradicts(self, requested: str) -> str | None:
        """Return the language of the recording if it is certainly not `requested`, a canonical tag."""
        winner, own = self.winner(requested), primary_subtag(requested)
        if winner == own or self._speech_sec < LEAST_SPEECH_SEC:
            return None
        is_certain = self._votes[winner] >= CERTAIN * self._weight
        return winner if is_certain and self._votes.get(own, 0.0) <= UNLIKELY * self._weight else None


def choose_language(votes: Mapping[str, float], requested: str) -> str:
    """Return the tag without region with the most votes, unless the requested language has nearly as many."""
    own = primary_subtag(requested)
    if not votes:
        return own
    winner = min(votes, key=lambda language: (-votes[language], language))
    return own if votes.get(own, 0.0) >= NEARLY * votes[winner] else winner


def speech_sec(window: Window) -> float:
    """Return the seconds of speech in a window; its whole duration if the voice detector was not used."""
    if window.speech is None:
        return window.duration_sec
    return sum(end - start for start, end in window.speech)
