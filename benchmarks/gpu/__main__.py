"""`make bench-gpu`: all workloads, or those named: `python -m benchmarks.gpu "5 s" --device cuda:1`.

`--device cpu --small` tries it out without a GPU, with tiny models and few recordings. `--model scripted` measures how
well this machine feeds an engine that is as fast as a GPU, also without one.
"""

from __future__ import annotations

import argparse
import logging
import shlex
import sys
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory

import onnxruntime
import structlog

from batchscribe.errors import BatchscribeError
from batchscribe.speech.devices import CPU, kind_of, number_of
from benchmarks import machine
from benchmarks.gpu.card import Card, open_card
from benchmarks.gpu.models import MODELS, Model
from benchmarks.gpu.throughput import Rig, measure
from benchmarks.gpu.workload import SMALL_WORKLOADS, WORKLOADS, Workload
from benchmarks.report import show_table

USUAL = ("whisper", "parakeet")


def main() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    given = _arguments()
    models = [MODELS[name] for name in given.model or USUAL]
    needs_card = given.device != CPU and any(model.needs_device for model in models)
    card = open_card(number_of(given.device)) if needs_card else None
    command = shlex.join(["python", "-m", "benchmarks.gpu", *sys.argv[1:]])
    where = f"{card.name}, {machine.description()}" if card else machine.description()
    packages = machine.versions("batchscribe", "ctranslate2", f"onnxruntime {onnxruntime.__version__}")
    circumstances = f"`{command}` on {where}, {machine.today()}, with {packages}."
    for model, workload in product(models, given.chosen):
        try:
            _show(workload, model, card, circumstances, given)
        except BatchscribeError as error:
            sys.exit(f"The measurement failed: {error.message}")


def _show(workload: Workload, model: Model, card: Card | None, circumstances: str, given: argparse.Namespace) -> None:
    """Build the model, measure and print the table."""
    with TemporaryDirectory() as folder:
        settings = {"engine": model.engine, **model.build(Path(folder) / "model", workload.tokens, given.small)}
        if model.needs_device:
            settings["device"] = given.device
        tokens = workload.tokens if model.has_tokens else None
        rig = Rig(model.engine, tokens, settings, card, engine_processes=len(machine.cores()))
        size = ", tiny" if given.small and model.has_tokens else ""
        show_table(f"{model.title}{size}: recordings of {workload.name}", circumstances, measure(workload, rig))


def _arguments() -> argparse.Namespace:
    options = argparse.ArgumentParser(prog="python -m benchmarks.gpu")
    options.add_argument("--device", default="cuda:0", help="a GPU, such as cuda:0, or cpu")
    options.add_argument(
        "--model", choices=MODELS, action="append", help=f"repeatable; by default {' and '.join(USUAL)}"
    )
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
