"""The models of the measurements: each is built for a number of tokens, and says how batchscribe finds it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.replaced_engine import replace_scripted

from batchscribe.speech.engine import WINDOW_SEC
from batchscribe.speech.scripted import Script, ScriptedSpec
from benchmarks.gpu import fixed_transducer, fixed_whisper

#: The scripted engine as a GPU: it takes this many windows in a call, and is this many times as fast as real time.
BATCH, SPEED = 64, 2000.0

#: Builds a model for a number of tokens in a folder that it makes. Returns settings by the names of their fields.
Build = Callable[[Path, int, bool], dict[str, str]]


@dataclass(frozen=True, slots=True)
class Model:
    """`has_tokens`: every window gets the number of tokens for which the model was built."""

    title: str
    engine: str
    build: Build
    needs_device: bool = True
    has_tokens: bool = True


def _whisper(folder: Path, tokens: int, is_small: bool) -> dict[str, str]:
    shape, n_tokens = (
        (fixed_whisper.SMALL, fixed_whisper.SMALL_TOKENS)
        if is_small
        else (fixed_whisper.TURBO, fixed_whisper.TURBO_TOKENS)
    )
    fixed_whisper.fixed_whisper(folder, shape, n_tokens, tokens_per_text=tokens, stored_as="float16")
    return {"whisper_model": f"{folder}"}


def _parakeet(folder: Path, tokens: int, is_small: bool) -> dict[str, str]:
    shape = fixed_transducer.SMALL if is_small else fixed_transducer.PARAKEET
    fixed_transducer.fixed_transducer(folder, shape, tokens)
    return {"onnx_model": f"{folder}"}


def _scripted(_folder: Path, _tokens: int, _is_small: bool) -> dict[str, str]:
    """Replace the scripted engine by one that sleeps as a GPU would compute. It works without a GPU."""
    script = Script(window_sec=WINDOW_SEC / SPEED)
    make_spec = partial(
        ScriptedSpec,
        device="cuda:0",
        devices=("cuda:0",),
        batch_size=BATCH,
        reads_ahead=True,
        window_sec=WINDOW_SEC,
        speed=SPEED,
        script=script,
    )
    replace_scripted(make_spec)
    return {}


MODELS = {
    "whisper": Model("Whisper large-v3-turbo, random weights", "whisper", _whisper),
    "parakeet": Model("A transducer of the size of Parakeet, random weights", "onnx", _parakeet),
    "scripted": Model(
        "A scripted engine as fast as a GPU", "scripted", _scripted, needs_device=False, has_tokens=False
    ),
}
