"""`make bench-long`: all measurements of long recordings, or those named: `python -m benchmarks.long resume cancel`.

The scripted engine shows what the flow itself needs. For `speedup`, `resume` and `cancel` it uses CPU time as a model
would. With `--engine whisper` all of them run with a real model.
"""

from __future__ import annotations

import argparse
import shlex
import sys

from benchmarks import machine
from benchmarks.long import cancel, growth, resume, speedup
from benchmarks.long.subject import Subject, find_model
from benchmarks.report import show_table

MEASUREMENTS = {
    "growth": ("A long recording against ten minutes", growth.measure),
    "speedup": ("One recording on two cores", speedup.measure),
    "resume": ("A command is killed and repeated", resume.measure),
    "cancel": ("A job is canceled", cancel.measure),
}


def main() -> None:
    given = _arguments()
    model = find_model(given.model) if given.engine == "whisper" else None
    subject = Subject(given.engine, model, given.form, given.hours, given.minutes)
    command = shlex.join(["python", "-m", "benchmarks.long", *sys.argv[1:]])
    circumstances = f"`{command}` with the {_engine(given)}, {machine.today()}, {machine.description()}."
    for name in given.measurements or MEASUREMENTS:
        title, measure = MEASUREMENTS[name]
        show_table(title, circumstances, measure(subject))


def _engine(given: argparse.Namespace) -> str:
    return f"model {given.model}" if given.engine == "whisper" else "scripted engine, which invents its text"


def _arguments() -> argparse.Namespace:
    options = argparse.ArgumentParser(prog="python -m benchmarks.long")
    options.add_argument("measurements", nargs="*", help=f"by default all: {', '.join(MEASUREMENTS)}")
    options.add_argument("--engine", choices=("scripted", "whisper"), default="scripted")
    options.add_argument("--model", default="base", help="of Whisper: pulled, or kept for the tests")
    options.add_argument("--hours", type=float, default=10.0, help="length of the long recording, for growth")
    options.add_argument("--minutes", type=float, default=60.0, help="length of the others' recording")
    options.add_argument("--form", choices=("mp3", "wav"), default="mp3")
    given = options.parse_args()
    if unknown := set(given.measurements) - set(MEASUREMENTS):
        options.error(f"unknown: {', '.join(sorted(unknown))}; choose from {', '.join(MEASUREMENTS)}")
    return given


if __name__ == "__main__":
    main()
