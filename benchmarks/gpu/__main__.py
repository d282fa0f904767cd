"""`make bench-gpu`: all workloads, or those named: `python -m benchmarks.gpu "5 s" --device cuda:1`.

`--device cpu --small` tries it out without a GPU, with tiny models and few recordings.
"""

from __future__ import annotations

import argparse
import logging
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import structlog

from batchscribe.errors import BatchscribeError
from batchscribe.speech.devices import CPU, kind_of, number_of
from benchmarks import machine
from benchmarks.gpu import fixed_whisper
from benchmarks.gpu.card import open_card
from benchmarks.gpu.throughput import Rig, measure
from benchmarks.gpu.workload import SMALL_WORKLOADS, WORKLOADS, Workload
from benchmarks.report import show_table


def main() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    given = _arguments()
    card = None if given.device == CPU else open_card(number_of(given.device))
    command = shlex.join(["python", "-m", "benchmarks.gpu", *sys.argv[1:]])
    packages = machine.versions("batchscribe", "ctranslate2")
    where = f"on {card.name}, {machine.description()}" if card else f"on {machine.description()}"
    circumstances = f"`{command}` {where}, {machine.today()}, with {packages}."
    for workload in given.chosen:
        with _whisper(workload, is_small=given.small) as (model, shape):
            settings = {"engine": "whisper", "whisper_model": f"{model}", "device": given.device}
            rig = Rig("whisper", settings, card, engine_processes=len(machine.cores()))
            try:
                show_table(f"{shape}, recordings of {workload.name}", circumstances, measure(workload, rig))
            except BatchscribeError as error:
                sys.exit(f"The measurement failed: {error.message}")


@contextmanager
def _whisper(workload: Workload, *, is_small: bool) -> Iterator[tuple[Path, str]]:
    """Build a model; yield its folder and a name for its shape."""
    shape, n_tokens, name = (
        (fixed_whisper.SMALL, fixed_whisper.SMALL_TOKENS, "a tiny Whisper")
        if is_small
        else (fixed_whisper.TURBO, fixed_whisper.TURBO_TOKENS, "Whisper large-v3-turbo")
    )
    with TemporaryDirectory() as folder:
        model = Path(folder) / "model"
        fixed_whisper.fixed_whisper(model, shape, n_tokens, tokens_per_text=workload.tokens, stored_as="float16")
        yield model, f"{name}, random weights"


def _arguments() -> argparse.Namespace:
    options = argparse.ArgumentParser(prog="python -m benchmarks.gpu")
    options.add_argument("--device", default="cuda:0", help="a GPU, such as cuda:0, or cpu")
    options.add_argument("--small", action="store_true", help="tiny models and few recordings")
    options.add_argument("workloads", nargs="*", help='by default all: "5 s", "60 s" and the longest')
    given = options.parse_args()
    if kind_of(given.device) not in (CPU, "cuda"):
        options.error("--device is cpu, or one GPU such as cuda:0")
    known = {workload.name: workload for workload in (SMALL_WORKLOADS if given.small else WORKLOADS)}
    if unknown := set(given.workloads) - set(known):
        options.error(f"unknown: {', '.join(sorted(unknown))}; choose from {', '.join(known)}")
    given.chosen = [known[name] for name in given.workloads or known]
    return given


if __name__ == "__main__":
    main()
