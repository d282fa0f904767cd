"""The check of an engine that takes a vocabulary. Phrases must not affect windows without a vocabulary."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from batchscribe.speech.engine import Engine, RecognitionRequest
from batchscribe.window import Recognition

#: As many phrases as a job may have, of all kinds: names, several words, digits, other scripts, a single character.
PHRASES = (
    *(
        "Wrzeszcz",
        "Saint-Exupéry",
        "Łódź Fabryczna",
        "O'Shaughnessy & Sons",
        "GPT-4o",
        "東京スカイツリー",
        "Δ9",
        "a",
        "-",
    ),
    *(f"Phrase number {number}" for number in range(91)),
)


def with_vocabularies(requests: Sequence[RecognitionRequest]) -> list[RecognitionRequest]:
    """Return the requests with a vocabulary that differs from one window to the next: all phrases, one, none."""
    kinds = (PHRASES, PHRASES[:1], ())
    return [replace(request, vocabulary=kinds[at % len(kinds)]) for at, request in enumerate(requests)]


def find_vocabulary_fault(
    engine: Engine, requests: Sequence[RecognitionRequest], plain: Sequence[Recognition], batch_size: int
) -> str | None:
    """Return the broken rule as a sentence. `plain` has the result of each request without a vocabulary."""
    if any(request.vocabulary for request in requests):
        raise ValueError("the requests must have no vocabulary")
    asked = with_vocabularies(requests)
    alone = [engine.transcribe([request])[0] for request in asked]
    if any(
        found != wanted for request, found, wanted in zip(asked, alone, plain, strict=True) if not request.vocabulary
    ):
        return "A window without a vocabulary gets a different result after windows with one."
    for at in range(0, len(asked), batch_size):
        if engine.transcribe(asked[at : at + batch_size]) != alone[at : at + batch_size]:
            return "The result of a window depends on the vocabularies of others in its batch."
    return None
