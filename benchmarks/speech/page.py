"""docs/accuracy.md, made from the results."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import fill

from benchmarks.recordings import ROOT
from benchmarks.speech import rival
from benchmarks.speech.bare import BATCH_SIZE, BEAM_SIZE, THREADS
from benchmarks.speech.contenders import COMPUTE_TYPE
from benchmarks.speech.cost import ROUNDS
from benchmarks.speech.intervals import DRAWS, MIN_GROUPS
from benchmarks.speech.recordings import CATEGORIES
from benchmarks.speech.results import Measured, Results
from benchmarks.speech.scoring import LOOP_MAX_WORDS, LOOP_MIN_TIMES
from benchmarks.speech.starts import RECORDINGS, SILENCE_SEC
from benchmarks.speech.tables import cost_table, goals_table, oddities_table, starts_table, table, words_table

PAGE = ROOT / "docs" / "accuracy.md"
PLOT = ROOT / "docs" / "accuracy.svg"
WIDTH = 120

ABSTRACT = """\
How many words come out wrong, by model and by kind of recording, and what transcription costs in CPU time, wall time
and memory. The same engine used directly stands beside each figure of batchscribe."""

COMMANDS = """\
```sh
make bench-speech                     # all models at hand; writes this page, its plot and the table in README.md
.venv/bin/python -m benchmarks.speech --model base --part words   # a part of it, only printed
```
"""

METHOD = (
    """\
**Recordings.** A corpus of about 200 recordings from public collections, or made from such, each with a reference
transcript or known to hold no speech. It is not part of this repository. The examples of this repository are measured
too; without the corpus `make bench-speech` prints figures of the examples alone and leaves this page as it is. Left out
are recordings without a confirmed reference, broken files, single digits of half a second, and recordings in several
languages. The language is given, as the reference names it.""",
    f"""\
**batchscribe** is the whole product: the job, the search for speech, the engine, the transcript. **The bare engine** is
faster-whisper called directly on the file, one file after the other, as its users call it: with beam size {BEAM_SIZE}
and `vad_filter`, its other options as they are by default. Of two-channel recordings it gets each channel. Both run the
same model as {COMPUTE_TYPE} on the CPU, without word times.""",
    """\
**Word error rate** is the number of wrong, missing and added words for each word that was said, after Whisper's
normalization of English (spelling, numbers, punctuation, fillers); other languages lose only case and punctuation. In
Chinese and Japanese characters are counted. "All English" and "all" leave out the examples, which are synthetic.""",
    f"""\
**Intervals** in brackets hold with 95 % confidence: recordings are drawn anew {DRAWS:,} times, with replacement.
Recordings made from the same original are drawn together. The difference is a paired one, since both sides hear the
same recordings: below zero batchscribe makes fewer mistakes, and an interval that includes zero means that no
difference was found. With fewer than {MIN_GROUPS} originals no interval is given.""",
    f"""\
**Loops** are phrases of up to {LOOP_MAX_WORDS} words that come {LOOP_MIN_TIMES} times or more in a row, which is how
Whisper models get stuck.""",
    f"""\
**Costs** are of whole commands with all their processes, from start to end, the loading of libraries and model
included: `batchscribe transcribe` as it comes; faster-whisper with {THREADS} thread, where it needs the least CPU time,
"batched" with `BatchedInferencePipeline` and batches of {BATCH_SIZE}; and {rival.NAME} {rival.VERSION} with
`--batched True` on all cores, in an environment of its own with the same versions of faster-whisper and ctranslate2.
Each figure is the best of {ROUNDS} runs, in which the programs took turns. Memory is the greatest sum over all
processes, with shared pages counted once.""",
    f"""\
**Shifts of word starts**: {len(RECORDINGS)} examples are transcribed as they are and after {SILENCE_SEC:.0f} s of
digital silence. A word that is recognized both times should begin {SILENCE_SEC:.0f} s later.""",
)


def page(results: Results) -> str:
    return "\n".join(_parts(results))


def section(measured: Measured) -> str:
    """One model."""
    return "\n".join(_section(measured))


def _parts(results: Results) -> Iterator[str]:
    yield "# Accuracy and cost\n"
    yield f"{_wrapped(ABSTRACT)}\n"
    yield COMMANDS
    titles = ", ".join(measured.title for measured in results.models)
    yield f"![Word error rate by category, batchscribe against the bare engine: {titles}]({PLOT.name})\n"
    for measured in results.models:
        yield section(measured)
    yield "## How it was measured\n"
    yield from (f"{_wrapped(paragraph)}\n" for paragraph in METHOD)
    yield "## Categories\n"
    yield table(("category", "what is in it"), list(CATEGORIES.items())).replace("---:", "---")


def _section(measured: Measured) -> Iterator[str]:
    yield f"## {measured.title}\n"
    yield f"{_wrapped(f'Measured on {measured.date}, on {measured.machine}, with {measured.versions}.')}\n"
    if measured.words:
        yield "Words that are wrong:\n"
        yield words_table(measured.words)
        yield oddities_table(measured.words)
    if measured.workloads or measured.flow_starts:
        yield goals_table(measured)
    if measured.workloads:
        yield cost_table(measured.workloads)
    if measured.flow_starts and measured.bare_starts:
        yield starts_table(measured.flow_starts, measured.bare_starts)


def _wrapped(paragraph: str) -> str:
    return fill(" ".join(paragraph.split()), WIDTH, break_long_words=False, break_on_hyphens=False)
