"""The `batchscribe` command with a ledger of what its engines do: `LEDGER CPU_PER_AUDIO_SEC ARGUMENTS...`.

The scripted engine uses the given CPU time, and takes windows and batches as Whisper does on a CPU.
"""

from __future__ import annotations

import itertools
import os
import sys
import time
from collections.abc import Sequence
from functools import partial
from typing import Any

import pytest
from tests.replaced_engine import replace_scripted

from batchscribe.cli.app import main
from batchscribe.speech.engine import WINDOW_SEC, RecognitionRequest
from batchscribe.speech.engine_process import EngineProcess
from batchscribe.speech.scripted import Script, ScriptedSpec
from batchscribe.speech.whisper_spec import CPU_BATCH
from batchscribe.window import Recognition
from benchmarks.long.ledger import ENTRY, Entry, Passage

permanently = pytest.MonkeyPatch()


def keep_ledger(path: str) -> None:
    """Write a line when a call begins and when it ends, with a single append that survives the death of the process."""
    ledger = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    transcribe, numbers = EngineProcess.transcribe, itertools.count()

    def write(call: int, passages: list[Passage] | None) -> None:
        os.write(ledger, ENTRY.dump_json(Entry(time.monotonic(), call, passages)) + b"\n")

    def on_record(process: EngineProcess, requests: Sequence[RecognitionRequest], **limits: Any) -> list[Recognition]:
        windows, call = [request.window for request in requests], next(numbers)
        write(call, [(each.channel, each.start_sec, each.duration_sec) for each in windows if each.start_sec >= 0])
        try:
            return transcribe(process, requests, **limits)
        finally:
            write(call, None)

    permanently.setattr(EngineProcess, "transcribe", on_record)


def use_cpu(cpu_per_audio_sec: float) -> None:
    """Replace the scripted engine by one that works as a model on a CPU does."""
    script = Script(cpu_per_audio_sec=cpu_per_audio_sec)
    replace_scripted(partial(ScriptedSpec, script=script, window_sec=WINDOW_SEC, batch_size=CPU_BATCH))


if __name__ == "__main__":
    keep_ledger(sys.argv[1])
    use_cpu(float(sys.argv[2]))
    sys.argv[1:] = sys.argv[3:]
    main()
