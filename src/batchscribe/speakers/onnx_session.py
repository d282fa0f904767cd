"""ONNX Runtime sessions that give the same bits on every run."""

from __future__ import annotations

from functools import lru_cache

import onnxruntime


@lru_cache(maxsize=2)
def open_session(model: bytes) -> onnxruntime.InferenceSession:
    """Load a model that computes on one CPU thread.

    Several threads within one call could add numbers in another order. So each call has one thread, and `Diarizer` runs
    several calls at the same time. Loading takes 0.2 s of CPU, so a process keeps the sessions of its two models for
    its next recordings.
    """
    onnxruntime.disable_telemetry_events()
    options = onnxruntime.SessionOptions()
    options.inter_op_num_threads = 1
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model, sess_options=options, providers=["CPUExecutionProvider"])
