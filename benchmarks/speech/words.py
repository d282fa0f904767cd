"""Word error rates, loops and invented words: through the flow and by the bare engine, on the same recordings."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.recordings import ROOT
from benchmarks.speech import bare, flow
from benchmarks.speech.contenders import COMPUTE_TYPE, CORES, Model
from benchmarks.speech.intervals import Score, estimate
from benchmarks.speech.progress import tell
from benchmarks.speech.recordings import CATEGORIES, EXAMPLES, NO_SPEECH, Recording
from benchmarks.speech.results import Category, Words
from benchmarks.speech.scoring import count_loops, count_words, count_wrong

ENGLISH, ALL = "all English", "all"
Texts = Mapping[Recording, str]


def measure_words(model: Model, recordings: Sequence[Recording]) -> Words:
    understood = [each for each in recordings if each.language in model.languages]
    heard = flow.texts_of(understood, model)
    return score(understood, heard, None if model.folder is None else _bare_texts(understood, model))


def score(recordings: Sequence[Recording], heard: Texts, bare_texts: Texts | None) -> Words:
    """`bare_texts` is None for an engine that is only measured through the flow."""
    silent = [each for each in recordings if each.category == NO_SPEECH]
    return Words(
        categories=tuple(_category(name, some, heard, bare_texts) for name, some in _by_category(recordings)),
        silent_recordings=len(silent),
        flow_invented=sum(count_words(heard[each]) for each in silent),
        bare_invented=None if bare_texts is None else sum(count_words(bare_texts[each]) for each in silent),
    )


def _by_category(recordings: Sequence[Recording]) -> Iterator[tuple[str, list[Recording]]]:
    """Those that have any; the totals are of the corpus alone, since the examples are synthetic speech."""
    corpus = [each for each in recordings if each.category not in (NO_SPEECH, EXAMPLES)]
    sets = {name: [each for each in recordings if each.category == name] for name in CATEGORIES}
    sets[ENGLISH] = [each for each in corpus if each.language == "en"]
    sets[ALL] = corpus if len(corpus) > len(sets[ENGLISH]) else []
    return ((name, some) for name, some in sets.items() if some)


def _category(name: str, some: Sequence[Recording], heard: Texts, bare_texts: Texts | None) -> Category:
    scores = [_score(each, heard, bare_texts) for each in some]
    rates = estimate(scores)
    return Category(
        name=name,
        recordings=len({each.path for each in some}),
        words=sum(each.words for each in scores),
        flow=rates.flow,
        bare=None if bare_texts is None else rates.bare,
        difference=None if bare_texts is None else rates.difference,
        flow_loops=sum(count_loops(heard[each]) for each in some),
        bare_loops=0 if bare_texts is None else sum(count_loops(bare_texts[each]) for each in some),
    )


def _score(recording: Recording, heard: Texts, bare_texts: Texts | None) -> Score:
    wrong, words = count_wrong(recording.text, heard[recording], recording.language)
    bare_text = "" if bare_texts is None else bare_texts[recording]
    bare_wrong, _ = count_wrong(recording.text, bare_text, recording.language)
    return Score(recording.group, wrong, bare_wrong, words)


def _bare_texts(recordings: Sequence[Recording], model: Model) -> dict[Recording, str]:
    """A process for each core, since only the texts matter here."""
    tell(f"{model.name}, bare engine: {len(recordings)} recordings")
    ordered = sorted(recordings, key=lambda each: -each.path.stat().st_size)
    shares = [share for share in (ordered[start::CORES] for start in range(CORES)) if share]
    with TemporaryDirectory() as name:
        folders = [Path(name) / f"{number}" for number in range(len(shares))]
        processes = [
            subprocess.Popen(bare.command(_order(share, model), folder), cwd=ROOT)
            for share, folder in zip(shares, folders, strict=True)
        ]
        assert [process.wait() for process in processes] == [0] * len(processes)
        texts = [heard.text for folder in folders for heard in bare.answer_of(folder)]
    return dict(zip((each for share in shares for each in share), texts, strict=True))


def _order(recordings: Sequence[Recording], model: Model) -> bare.Order:
    items = tuple(bare.Item(f"{each.path}", each.language, each.channel) for each in recordings)
    return bare.Order(f"{model.folder}", COMPUTE_TYPE, items)
