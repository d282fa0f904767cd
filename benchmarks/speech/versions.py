"""The software of a measurement of speech."""

from __future__ import annotations

from benchmarks import machine
from benchmarks.speech import rival
from benchmarks.speech.contenders import POCKETSPHINX, Model


def versions(model: Model) -> str:
    engine = [POCKETSPHINX] if model.folder is None else ["faster-whisper", "ctranslate2"]
    rivals = [] if model.folder is None else [f"{rival.NAME} {rival.VERSION}"]
    return machine.versions("batchscribe", *engine, "onnxruntime", *rivals)
