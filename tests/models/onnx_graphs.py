"""Tiny ONNX models in the layouts that onnx-asr loads, built by hand: they name the tones that they get.

Each tone stands for a token; see `tone_hz`. NeMo's features are normalized over time, so a tone that begins or ends
stands out from the rest of a window. The weights only compare the band of each tone with a threshold.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from batchscribe.window import SAMPLE_RATE, Samples

Floats = NDArray[np.float32]

#: Tokens of the vocabulary, as SentencePiece writes them: a low line begins a word.
TOKENS = ("▁hello", "▁wor", "ld", ",", "▁good", "▁day", ".")
BLANK = "<blk>"
MELS = 80
FRAMES = 8  #: features per step of the encoder
STEP_SEC = 0.08
THRESHOLD = 1.0  #: standard deviations; a band above it has a tone
DURATIONS = 5  #: of TDT: 0 to 4 steps
SKIPPED = 3  #: steps that TDT skips after a token
OPSET = 17
F32, I64, I32 = TensorProto.FLOAT, TensorProto.INT64, TensorProto.INT32


def tone_hz(token: int) -> float:
    """Return a frequency in a mel band of its own, for a token."""
    return 300.0 * 1.45**token


def band_of(hz: float) -> int:
    """Return the mel band of NeMo's features with the highest response to a frequency."""
    from onnx_asr.preprocessors.numpy_preprocessor import NemoPreprocessorNumpy

    quiet, loud = np.zeros(SAMPLE_RATE, np.float32), tone(hz, 1.0)
    samples = np.concatenate([quiet, loud, quiet])[None]
    features, _ = NemoPreprocessorNumpy("nemo80")(samples, np.array([samples.shape[1]], np.int64))
    return int(features[0, :, 150].argmax())


def tone(hz: float, sec: float) -> Samples:
    times = np.arange(round(sec * SAMPLE_RATE)) / SAMPLE_RATE
    return (0.3 * np.sin(2 * np.pi * hz * times)).astype(np.float32)


def melody(parts: Sequence[int | None], sec: float = 0.5) -> Samples:
    """Return tones for tokens, with faint noise for None, each of this length."""
    noise = np.random.default_rng(0)
    found = [
        tone(tone_hz(part), sec) if part is not None else np.zeros(round(sec * SAMPLE_RATE), np.float32)
        for part in parts
    ]
    samples = np.concatenate(found)
    return (samples + 1e-4 * noise.standard_normal(len(samples))).astype(np.float32)


def scores() -> Floats:
    """Return float32[MELS, tokens + 1]: the score of each token from its band. The last one is the blank's, zero."""
    weights = np.zeros((MELS, len(TOKENS) + 1), np.float32)
    for token in range(len(TOKENS)):
        weights[band_of(tone_hz(token)), token] = 4.0
    return weights


def bias() -> Floats:
    found = np.full(len(TOKENS) + 1, -4.0 * THRESHOLD, np.float32)
    found[-1] = 0.0
    return found


def write_common(folder: Path, model_type: str, tokens: Sequence[str] = (*TOKENS, BLANK)) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.txt").write_text("".join(f"{token} {at}\n" for at, token in enumerate(tokens)))
    (folder / "config.json").write_text(json.dumps({"model_type": model_type, "features_size": MELS}))
    return folder


#: Name, type and shape of an input or output.
Value = tuple[str, int, list[Any]]


def save(
    folder: Path, name: str, nodes: Sequence[Any], inputs: Sequence[Value], outputs: Sequence[Value], **values: Any
) -> None:
    """Save a graph. `values` are its constants."""
    ins, outs = ([helper.make_tensor_value_info(*each) for each in some] for some in (inputs, outputs))
    constants = [numpy_helper.from_array(np.asarray(value), each) for each, value in values.items()]
    graph = helper.make_graph(list(nodes), name, ins, outs, initializer=constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)])
    model.ir_version = 9
    onnx.checker.check_model(model)
    onnx.save(model, folder / f"{name}.onnx")


FEATURES: list[Value] = [("audio_signal", F32, ["batch", MELS, "frames"]), ("length", I64, ["batch"])]


def encode(output: str, *, quantized: bool = False) -> list[Any]:
    """Return nodes from features to `output`, float32[batch, steps, tokens + 1]."""
    pool: dict[str, Any] = {"kernel_shape": [FRAMES], "strides": [FRAMES], "ceil_mode": 1}
    before = [
        helper.make_node("AveragePool", ["audio_signal"], ["pooled"], **pool),
        helper.make_node("Transpose", ["pooled"], ["steps"], perm=[0, 2, 1]),
    ]
    if not quantized:
        return [
            *before,
            helper.make_node("MatMul", ["steps", "weights"], ["product"]),
            helper.make_node("Add", ["product", "bias"], [output]),
        ]
    return [
        *before,
        helper.make_node("DynamicQuantizeLinear", ["steps"], ["codes", "scale", "zero"]),
        helper.make_node("DequantizeLinear", ["codes", "scale", "zero"], ["coarse"]),
        helper.make_node("MatMul", ["coarse", "weights"], ["product"]),
        helper.make_node("Add", ["product", "bias"], [output]),
    ]


def tone_ctc(folder: Path, *, quantized: bool = False) -> Path:
    """Build a `nemo-conformer-ctc` model in `folder`, which it makes; returns the folder."""
    write_common(folder, "nemo-conformer-ctc")
    nodes = [*encode("logits", quantized=quantized), helper.make_node("LogSoftmax", ["logits"], ["logprobs"], axis=-1)]
    outputs = [("logprobs", F32, ["batch", "steps", len(TOKENS) + 1])]
    save(folder, "model", nodes, FEATURES, outputs, weights=scores(), bias=bias())
    return folder


def tone_transducer(folder: Path, *, durations: bool = True) -> Path:
    """Build a `nemo-conformer-tdt` model, or without `durations` a `nemo-conformer-rnnt` model.

    The decoder never repeats the token before, so a long tone is one token. Without durations, it does not go back to
    earlier tokens of the vocabulary either: where two tones meet, it would alternate.
    """
    write_common(folder, "nemo-conformer-tdt" if durations else "nemo-conformer-rnnt")
    size = len(TOKENS) + 1
    encoder = [
        *encode("logits"),
        helper.make_node("Transpose", ["logits"], ["outputs"], perm=[0, 2, 1]),
        helper.make_node("Sub", ["length", "one"], ["before"]),
        helper.make_node("Div", ["before", "frames_of_step"], ["whole"]),
        helper.make_node("Add", ["whole", "one"], ["encoded_lengths"]),
    ]
    outputs: list[Value] = [("outputs", F32, ["batch", size, "steps"]), ("encoded_lengths", I64, ["batch"])]
    constants = {"one": np.array([1], np.int64), "frames_of_step": np.array([FRAMES], np.int64)}
    save(folder, "encoder-model", encoder, FEATURES, outputs, weights=scores(), bias=bias(), **constants)
    repeated = np.zeros((size, size), np.float32)
    for token in range(len(TOKENS)):
        repeated[token, token if durations else slice(0, token + 1)] = -20.0
    joint = [
        helper.make_node("Squeeze", ["encoder_outputs", "last"], ["step"]),
        helper.make_node("Gather", ["repeated", "targets"], ["penalty_of"]),
        helper.make_node("Squeeze", ["penalty_of", "middle"], ["penalty"]),
        helper.make_node("Add", ["step", "penalty"], ["logits"]),
        helper.make_node("Identity", ["input_states_1"], ["output_states_1"]),
        helper.make_node("Identity", ["input_states_2"], ["output_states_2"]),
    ]
    if durations:  # of one step for a blank, and of `SKIPPED` for a token: for scores above the blank's
        joint += [
            helper.make_node("Slice", ["logits", "first", "count", "along"], ["token_scores"]),
            helper.make_node("ReduceMax", ["token_scores"], ["best"], axes=[1], keepdims=1),
            helper.make_node("MatMul", ["best", "when_token"], ["skips"]),
            helper.make_node("Concat", ["logits", "skips"], ["outputs"], axis=1),
        ]
    else:
        joint.append(helper.make_node("Identity", ["logits"], ["outputs"]))
    when_token = np.zeros((1, DURATIONS), np.float32)
    when_token[0, SKIPPED], when_token[0, 1] = 1.0, -1.0
    state: list[Any] = [1, 1, 4]
    save(
        folder, "decoder_joint-model", joint,
        [
            ("encoder_outputs", F32, [1, size, 1]), ("targets", I32, [1, 1]), ("target_length", I32, [1]),
            ("input_states_1", F32, state), ("input_states_2", F32, state),
        ],
        [
            ("outputs", F32, [1, size + (DURATIONS if durations else 0)]),
            ("output_states_1", F32, state), ("output_states_2", F32, state),
        ],
        repeated=repeated, last=np.array([2], np.int64), middle=np.array([1], np.int64),
        **({"first": np.array([0], np.int64), "count": np.array([len(TOKENS)], np.int64),
            "along": np.array([1], np.int64), "when_token": when_token} if durations else {}),
    )  # fmt: skip
    return folder


#: What the tiny Canary says in each language.
CANARY_TEXTS = {"en": ("▁good", "▁day", "."), "de": ("▁guten", "▁Tag", ".")}


def fixed_canary(folder: Path) -> Path:
    """Build a `nemo-conformer-aed` model that always says the same, in the language that it is asked for."""
    special = (
        "<|endoftext|>", "▁", "<|startofcontext|>", "<|startoftranscript|>", "<|emo:undefined|>", "<|pnc|>",
        "<|noitn|>", "<|notimestamp|>", "<|nodiarize|>", *(f"<|{language}|>" for language in CANARY_TEXTS),
    )  # fmt: skip
    tokens = (*special, *dict.fromkeys(token for text in CANARY_TEXTS.values() for token in text))
    write_common(folder, "nemo-conformer-aed", tokens)
    ids = {token: at for at, token in enumerate(tokens)}
    following = np.zeros((len(tokens), len(tokens)), np.float32)
    for language, text in CANARY_TEXTS.items():
        following[ids[f"<|{language}|>"], ids[text[0]]] = 5.0
        for token, after in zip(text, (*text[1:], "<|endoftext|>"), strict=True):
            following[ids[token], ids[after]] = 9.0
    encoder = [
        *encode("encoder_embeddings"),
        helper.make_node("ReduceMax", ["encoder_embeddings"], ["highest"], axes=[2], keepdims=0),
        helper.make_node("Mul", ["highest", "nothing"], ["zeros"]),
        helper.make_node("Cast", ["zeros"], ["zeros_int"], to=I64),
        helper.make_node("Add", ["zeros_int", "one"], ["encoder_mask"]),
    ]
    shape: list[Any] = ["batch", "steps", len(TOKENS) + 1]
    outputs: list[Value] = [("encoder_embeddings", F32, shape), ("encoder_mask", I64, shape[:2])]
    save(folder, "encoder-model", encoder, FEATURES, outputs, weights=scores(), bias=bias(),
         nothing=np.float32(0), one=np.array([1], np.int64))  # fmt: skip
    hidden = 4
    decoder = [
        helper.make_node("Gather", ["following", "input_ids"], ["each"]),
        helper.make_node("ReduceSum", ["each", "time"], ["logits"], keepdims=1),
        helper.make_node("Gather", ["states", "input_ids"], ["of_tokens"]),
        helper.make_node("Unsqueeze", ["of_tokens", "front"], ["layer"]),
        helper.make_node("Concat", ["decoder_mems", "layer"], ["decoder_hidden_states"], axis=2),
    ]
    save(
        folder, "decoder-model", decoder,
        [
            ("input_ids", I64, ["batch", "tokens"]), ("encoder_embeddings", F32, ["batch", "steps", len(TOKENS) + 1]),
            ("encoder_mask", I64, ["batch", "steps"]), ("decoder_mems", F32, [1, "batch", "before", hidden]),
        ],
        [("logits", F32, ["batch", 1, len(tokens)]), ("decoder_hidden_states", F32, [1, "batch", "after", hidden])],
        following=following, time=np.array([1], np.int64), front=np.array([0], np.int64),
        states=np.ones((len(tokens), hidden), np.float32),
    )  # fmt: skip
    return folder


def name_languages(folder: Path, *languages: str) -> Path:
    """Write the file beside a model that names its languages."""
    (folder / "onnx.json").write_text(json.dumps({"languages": languages}))
    return folder
