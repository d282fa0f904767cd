"""The trial of an engine: a window that every working engine can transcribe."""

from __future__ import annotations

from batchscribe.errors import EngineError
from batchscribe.speech.engine import EngineSpec, RecognitionRequest
from batchscribe.speech.engine_child import OF_NO_RECORDING
from batchscribe.speech.engine_process import EngineProcess, cannot_load
from batchscribe.speech.languages import canonical_language
from batchscribe.window import SAMPLE_RATE, Window

SHORT_SEC = 0.5
IDLE_LIMIT_SEC = 60.0
CPU_LIMIT_SEC = 600.0


def trial_request(spec: EngineSpec, duration_sec: float = SHORT_SEC) -> RecognitionRequest:
    """Return a request with a quiet tone of 250 Hz. Engines may skip silence without processing it."""
    import numpy as np

    times_sec = np.arange(int(duration_sec * SAMPLE_RATE)) / SAMPLE_RATE
    samples = (0.01 * np.sin(2 * np.pi * 250 * times_sec)).astype(np.float32)
    return RecognitionRequest(
        Window(channel=0, start_sec=OF_NO_RECORDING, samples=samples), canonical_language(spec.languages[0])
    )


class EngineTrial:
    """The trial of a model: half a second of sound at first.

    After `lengthen`, it is as long as the longest window. Then an engine that passes has enough memory for any window.
    """

    def __init__(self) -> None:
        self._is_long = False

    def lengthen(self) -> None:
        """Call this when an engine has run out of memory on a single window."""
        self._is_long = True

    def load_and_run(self, process: EngineProcess, spec: EngineSpec) -> None:
        """Load the model in a new process and run the trial. Raises `MachineTrouble`."""
        try:
            process.load()
            self.run(process, spec)
        except EngineError as error:
            raise cannot_load(spec, error.reason or error.message.rstrip(".")) from error

    def run(self, process: EngineProcess, spec: EngineSpec) -> None:
        """Run the trial in a process with a loaded model. Raises the errors of `EngineProcess.transcribe`."""
        process.transcribe(
            [trial_request(spec, spec.longest_sec if self._is_long else SHORT_SEC)],
            idle_sec=IDLE_LIMIT_SEC,
            cpu_sec=max(CPU_LIMIT_SEC, spec.limit_cpu_sec(1)),
        )
