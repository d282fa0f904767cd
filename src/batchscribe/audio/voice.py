"""Voice activity: Silero v6, the ONNX copy that faster-whisper carries, as a stream."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from batchscribe.window import Samples

WINDOW_SAMPLES = 512  #: what the network judges at once, 32 ms
_CONTEXT_SAMPLES = 64  #: and how much it wants to see of the window before
_STATE_SHAPE = (1, 1, 128)


class VoiceStream:
    """Speech probabilities of one channel, in order.

    The network's state travels from call to call, so the numbers are bit for bit those of one call over everything.
    """

    def __init__(self) -> None:
        self._hidden = np.zeros(_STATE_SHAPE, dtype=np.float32)
        self._cell = np.zeros(_STATE_SHAPE, dtype=np.float32)
        self._context = np.zeros(_CONTEXT_SAMPLES, dtype=np.float32)

    def probabilities(self, samples: Samples) -> NDArray[np.float32]:
        """float32[n_windows] for float32[n_windows * 512] at 16 kHz."""
        joined = np.concatenate((self._context, samples))
        windows = np.lib.stride_tricks.sliding_window_view(joined, _CONTEXT_SAMPLES + WINDOW_SAMPLES)
        inputs = {"input": windows[::WINDOW_SAMPLES], "h": self._hidden, "c": self._cell}
        speech, self._hidden, self._cell = _session().run(None, inputs)
        self._context = joined[-_CONTEXT_SAMPLES:]
        return np.asarray(speech, dtype=np.float32).reshape(-1)


@cache
def _session() -> onnxruntime.InferenceSession:
    """One single-threaded session for all channels; about 20 ms to make."""
    options = onnxruntime.SessionOptions()
    options.inter_op_num_threads = 1
    options.intra_op_num_threads = 1
    options.enable_cpu_mem_arena = False  # it would keep the largest block's memory for ever
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(str(_model_path()), sess_options=options, providers=["CPUExecutionProvider"])


def _model_path() -> Path:
    """Found without importing faster-whisper, which would bring CTranslate2 into the decoder."""
    spec = find_spec("faster_whisper")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("faster-whisper, which carries the voice activity model, is not installed")
    return Path(spec.origin).parent / "assets" / "silero_vad_v6.onnx"
