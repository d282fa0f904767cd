"""A tiny recording, made in memory: an engine that cannot hear it can hear nothing."""

from __future__ import annotations

import numpy as np

from batchscribe.errors import EngineError
from batchscribe.speech.engine import EngineSpec, Request
from batchscribe.speech.languages import canonical_language
from batchscribe.speech.process import EngineProcess, cannot_load
from batchscribe.window import SAMPLE_RATE, Window

DURATION_SEC = 0.5
OF_NO_RECORDING = -1.0  #: where its window begins
IDLE_LIMIT_SEC = 60.0
CPU_LIMIT_SEC = 600.0


def trial_request(spec: EngineSpec) -> Request:
    """Not silence, which engines may pass over without a look at it: a quiet tone of 250 Hz."""
    times_sec = np.arange(int(DURATION_SEC * SAMPLE_RATE)) / SAMPLE_RATE
    samples = (0.01 * np.sin(2 * np.pi * 250 * times_sec)).astype(np.float32)
    return Request(Window(channel=0, start_sec=OF_NO_RECORDING, samples=samples), canonical_language(spec.languages[0]))


def hear_trial(process: EngineProcess, spec: EngineSpec) -> None:
    """Have a new process load its model and hear the recording. Raises `MachineTrouble`."""
    try:
        process.load()
        process.transcribe([trial_request(spec)], idle_sec=IDLE_LIMIT_SEC, cpu_sec=CPU_LIMIT_SEC)
    except EngineError as error:
        raise cannot_load(spec, error.reason or error.message.rstrip(".")) from error
