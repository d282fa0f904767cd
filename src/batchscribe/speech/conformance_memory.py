"""Runs an engine with hardly any memory, in a process of its own."""

from __future__ import annotations

import pickle
import resource
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from batchscribe.speech.engine import EngineSpec, RecognitionRequest
from batchscribe.speech.engine_child import describe
from batchscribe.speech.fitting_batches import is_out_of_memory

#: Address space that is left for a call, in bytes.
LEFT_BYTES = 8 * 2**20
LIMIT_SEC = 600.0
#: Exit statuses of the process.
DONE, RECOGNIZED, OTHER_ERROR = 0, 3, 4


@dataclass(frozen=True, slots=True)
class MemoryOutcome:
    """What happened with little memory. `is_done`: the call succeeded. `reason` is a sentence about another error."""

    is_done: bool = False
    is_recognized: bool = False  #: whether the error was recognized as lack of memory
    reason: str = ""


def run_short_of_memory(spec: EngineSpec, requests: Sequence[RecognitionRequest]) -> MemoryOutcome:
    """Load the model, transcribe one window, and then all of them with 8 MB more address space than before."""
    try:
        done = subprocess.run(  # noqa: S603 - this module
            [sys.executable, "-m", __name__], input=pickle.dumps((spec, list(requests))), capture_output=True,
            timeout=LIMIT_SEC, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return MemoryOutcome(reason="It hangs.")
    match done.returncode:
        case 0:
            return MemoryOutcome(is_done=True)
        case 3:
            return MemoryOutcome(is_recognized=True)
        case 4:
            return MemoryOutcome(reason=f"It raises another error ({done.stdout.decode(errors='replace').strip()}).")
        case status if status < 0:
            return MemoryOutcome(reason=f"It dies of {signal.Signals(-status).name}.")
    return MemoryOutcome(reason=f"It ends with status {done.returncode}.")


def transcribe_short_of_memory(spec: EngineSpec, requests: Sequence[RecognitionRequest]) -> int:
    """Return the exit status of the process."""
    engine = spec.build()
    engine.transcribe(requests[:1])
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    limit = pages * resource.getpagesize() + LEFT_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    try:
        for _ in range(2):
            engine.transcribe(requests)
    except Exception as error:  # noqa: BLE001 - code of others may raise anything
        resource.setrlimit(resource.RLIMIT_AS, (limit, resource.RLIM_INFINITY))
        if is_out_of_memory(error):
            return RECOGNIZED
        sys.stdout.write(describe(error))
        return OTHER_ERROR
    return DONE


if __name__ == "__main__":
    raise SystemExit(transcribe_short_of_memory(*pickle.load(sys.stdin.buffer)))  # noqa: S301 - from its parent
