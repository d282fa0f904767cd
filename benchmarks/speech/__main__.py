"""`make bench-speech`: all models and parts, or those named: `python -m benchmarks.speech --model base --part words`.

A complete measurement of a model is kept in docs/accuracy.json, and the page, its plot and the README are written anew.
Of a partial one the figures are only printed.
"""

from __future__ import annotations

import argparse
import logging
from dataclasses import replace

import structlog

from benchmarks import machine
from benchmarks.speech import plot, readme
from benchmarks.speech.contenders import Model, models_at_hand
from benchmarks.speech.cost import measure_cost
from benchmarks.speech.page import PAGE, PLOT, page, section
from benchmarks.speech.progress import tell
from benchmarks.speech.recordings import all_recordings, has_corpus
from benchmarks.speech.results import Measured, Results, load, save
from benchmarks.speech.starts import measure_starts
from benchmarks.speech.versions import versions
from benchmarks.speech.words import measure_words

PARTS = ("words", "cost", "starts")


def main() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    models = models_at_hand()
    asked = _arguments([model.name for model in models])
    if not has_corpus():
        tell("there is no corpus beside the checkout: only the examples are measured, and nothing is written")
    if not asked.render:
        for model in [each for each in models if each.name in asked.model]:
            _keep(_measure(model, asked.part), is_complete=has_corpus() and set(asked.part) == set(PARTS))
    else:
        write(load())


def write(results: Results) -> None:
    """All that is made from the results."""
    PAGE.write_text(page(results))
    plot.write(results, PLOT)
    readme.write(results)
    tell(f"wrote {PAGE.name}, {PLOT.name} and the table of {readme.README.name}")


def _arguments(names: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speech", description=__doc__)
    parser.add_argument("--model", action="append", choices=names, help="repeatable; by default all at hand")
    parser.add_argument("--part", action="append", choices=PARTS, help="repeatable; by default all")
    parser.add_argument("--render", action="store_true", help="measure nothing, write the page anew")
    asked = parser.parse_args()
    asked.model, asked.part = asked.model or names, asked.part or list(PARTS)
    return asked


def _measure(model: Model, parts: list[str]) -> Measured:
    """pocketsphinx has no rival here, so its words are all there is."""
    found = Measured(model.name, machine.today(), machine.description(), versions(model))
    if "words" in parts:
        found = replace(found, words=measure_words(model, all_recordings()))
    if "cost" in parts and model.folder is not None:
        found = replace(found, workloads=measure_cost(model))
    if "starts" in parts and model.folder is not None:
        flow_starts, bare_starts = measure_starts(model)
        found = replace(found, flow_starts=flow_starts, bare_starts=bare_starts)
    return found


def _keep(measured: Measured, *, is_complete: bool) -> None:
    print(section(measured), flush=True)
    if is_complete:
        results = load().with_model(measured)
        save(results)
        write(results)


if __name__ == "__main__":
    main()
