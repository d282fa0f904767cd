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
This page shows how many words are wrong, by model and kind of recording, and what transcription costs in CPU time, wall
time and memory. Each result of batchscribe is compared with that of the bare engine: the same engine, used directly. To
repeat the measurement:"""

COMMANDS = """\
```sh
make bench-speech                     # all installed models; writes this page, its plot and the table in README.md
.venv/bin/python -m benchmarks.speech --model base --part words   # one part, printed only
```
"""

METHOD = (
    """\
**Recordings.** The corpus has about 200 recordings from public collections, or derived from them. Each has a reference
transcript or is known to contain no speech. These are excluded: recordings without a confirmed reference, broken files,
single digits of half a second, and recordings in several languages. The corpus is not part of this repository, but the
examples of this repository are measured too. Without the corpus, `make bench-speech` prints only the figures of the
examples and does not change this page. Both programs get the language of each recording.""",
    f"""\
**batchscribe** is the whole product: the job, speech detection, the engine, the transcript. **The bare engine** is
faster-whisper, called directly for one file after the other, as its users do: with beam size {BEAM_SIZE}, `vad_filter`,
and otherwise default options. It gets each channel of a two-channel recording separately. Both run the same model as
{COMPUTE_TYPE} on the CPU, without word times.""",
    """\
**Word error rate** is the number of wrong, missing and added words per spoken word. Before the words are compared,
English is normalized as for Whisper: spelling, numbers, punctuation, fillers. In other languages, only case and
punctuation are normalized. In Chinese and Japanese, characters are counted instead of words. "All English" and "all"
exclude the examples, because their voices are synthetic.""",
    f"""\
**Intervals** in brackets are 95 % confidence intervals, computed by resampling the recordings {DRAWS:,} times with
replacement. Recordings derived from the same original are resampled together. With fewer than {MIN_GROUPS} originals
there is no interval. The difference is paired, because both programs process the same recordings. If it is below zero,
batchscribe makes fewer errors. If its interval includes zero, no difference was shown.""",
    f"""\
**Repeated phrases** have up to {LOOP_MAX_WORDS} words and occur {LOOP_MIN_TIMES} times or more in a row. Whisper models
produce them when they get stuck in a loop.""",
    f"""\
**Costs** are those of whole commands with all their processes, from start to end, including the time to load libraries
and the model. `batchscribe transcribe` runs with its defaults. faster-whisper runs with {THREADS} thread, with which it
needs the least CPU time; "batched" is `BatchedInferencePipeline` with batches of {BATCH_SIZE}. {rival.NAME}
{rival.VERSION} runs with `--batched True` on all cores, in a separate environment with the same versions of
faster-whisper and ctranslate2. Each figure is the best of {ROUNDS} runs, in which the programs alternated. Memory is
the maximum sum over all processes, with shared pages counted once.""",
    f"""\
**Shifts of word starts** show whether times depend on what comes before. {len(RECORDINGS)} examples are transcribed
twice: as they are, and after {SILENCE_SEC:.0f} s of digital silence. A word that is recognized both times should start
{SILENCE_SEC:.0f} s later.""",
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
    yield f"![Word error rate by category, batchscribe and the bare engine: {titles}]({PLOT.name})\n"
    for measured in results.models:
        yield section(measured)
    yield "## How it was measured\n"
    yield from (f"{_wrapped(paragraph)}\n" for paragraph in METHOD)
    yield "## Categories\n"
    yield table(("category", "content"), list(CATEGORIES.items())).replace("---:", "---")


def _section(measured: Measured) -> Iterator[str]:
    yield f"## {measured.title}\n"
    yield f"{_wrapped(f'Measured on {measured.date}, on {measured.machine}, with {measured.versions}.')}\n"
    if measured.words:
        yield "Word error rates:\n"
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
