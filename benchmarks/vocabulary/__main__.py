"""`make bench-vocabulary`: prints what a vocabulary of 100 phrases changes with `base`, by half of the corpus.

Forty of the phrases are the rarest words of the corpus; the others are not said. Both runs go through the whole flow.
It also prints how often words are right by their confidence, which `--part confidence` does alone, for any engine.
"""

from __future__ import annotations

import argparse
import logging
from collections.abc import Sequence

import structlog

from batchscribe.wire.vocabulary import Vocabulary
from benchmarks.speech.contenders import Model, models_at_hand
from benchmarks.speech.flow import Documents, documents_of, text_of, words_with_confidence
from benchmarks.speech.progress import tell
from benchmarks.speech.recordings import Recording, all_recordings, has_corpus
from benchmarks.speech.tables import table
from benchmarks.vocabulary.comparison import Comparison, compare, is_for_tuning
from benchmarks.vocabulary.confidence import Level, SaidWord, levels
from benchmarks.vocabulary.rare_words import choose_words, fill

#: The same sentence in every format; and recordings joined from the others, up to 35 minutes.
LEFT_OUT = ("container-variant", "long")


def main() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    models = {model.name: model for model in models_at_hand()}
    parser = argparse.ArgumentParser(prog="python -m benchmarks.vocabulary", description=__doc__)
    parser.add_argument("--model", choices=models, default="base")
    parser.add_argument("--part", choices=("all", "confidence"), default="all")
    asked = parser.parse_args()
    model = models[asked.model]
    if not has_corpus():
        raise SystemExit("There is no corpus beside the checkout, and the examples have no rare words.")
    chosen = [each for each in all_recordings() if each.category not in LEFT_OUT and each.language in model.languages]
    plain = documents_of(chosen, model, word_confidence=True)
    print(confidence_table(levels((each, _said(plain, each)) for each in chosen)))
    if asked.part == "all":
        _measure_vocabulary(chosen, model, plain)


def _measure_vocabulary(chosen: Sequence[Recording], model: Model, plain: Documents) -> None:
    rare = choose_words(chosen)
    phrases = fill(rare)
    tell(f"vocabulary: {', '.join(phrases)}")
    given = documents_of(chosen, model, word_confidence=True, vocabulary=Vocabulary(phrases=phrases))
    print(vocabulary_table(_compare_halves(chosen, rare, phrases, plain, given)))
    print(f"CPU time with the vocabulary: {given.cpu_sec / plain.cpu_sec:.2f} of that without.\n")
    print("\n".join(_changes(chosen, plain, given)))


def _compare_halves(
    chosen: Sequence[Recording], rare: Sequence[str], phrases: Sequence[str], plain: Documents, given: Documents
) -> list[Comparison]:
    texts = [{each: text_of(some.by_recording[each], each.channel) for each in chosen} for some in (plain, given)]
    halves = {
        "for tuning": [each for each in chosen if is_for_tuning(each)],
        "for the report": [each for each in chosen if not is_for_tuning(each)],
        "all": list(chosen),
    }
    return [compare(name, some, rare, phrases, *texts) for name, some in halves.items()]


def vocabulary_table(comparisons: Sequence[Comparison]) -> str:
    """Return the figures without the vocabulary and with it."""
    head = ("recordings", "rare words said", "found", "recall", "phrases invented", "errors without rare words", "all")
    return table(
        head,
        [
            (
                each.name,
                f"{each.said}",
                f"{each.found[0]} → {each.found[1]}",
                f"{each.recalls[0]:.0%} → {each.recalls[1]:.0%}",
                f"{each.invented[0]} → {each.invented[1]}",
                f"{each.error_rates[0]:.2%} → {each.error_rates[1]:.2%} of {each.words}",
                f"{each.all_error_rates[0]:.2%} → {each.all_error_rates[1]:.2%} of {each.all_words}",
            )
            for each in comparisons
        ],
    )


def confidence_table(found: Sequence[Level]) -> str:
    rows = [(f"{each.least:g} or more", f"{each.words}", f"{each.right / max(1, each.words):.0%}") for each in found]
    return table(("confidence", "words", "right"), rows)


def _said(documents: Documents, recording: Recording) -> list[SaidWord]:
    return [SaidWord(*each) for each in words_with_confidence(documents.by_recording[recording], recording.channel)]


def _changes(chosen: Sequence[Recording], plain: Documents, given: Documents) -> list[str]:
    """Return each recording whose text changes, with its words that differ, to be read."""
    lines = []
    for each in chosen:
        before, after = (text_of(some.by_recording[each], each.channel).split() for some in (plain, given))
        if before != after:
            gone, new = (
                [word for word in one if word not in other] for one, other in ((before, after), (after, before))
            )
            lines.append(f"{each.path.name}: {' '.join(gone)} → {' '.join(new)}")
    return lines


if __name__ == "__main__":
    main()
