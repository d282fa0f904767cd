"""A transducer of the size of Parakeet TDT with random weights that writes the same number of tokens for any window.

It is in the layout that onnx-asr reads. As in `fixed_whisper`, all layers compute, but do not decide: the first two
channels of the encoder's output say which frames write a token, and how many frames to skip after it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from string import ascii_lowercase
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from batchscribe.speech.onnx_models import FACTS_FILE

OPSET = 17
TYPE = "nemo-conformer-tdt"
SUBSAMPLING, MAX_SKIP = 8, 4
BLANK, WORD_START = "<blk>", "\u2581"
WEIGHT_STD = 0.02


@dataclass(frozen=True)
class TransducerShape:
    """Of a FastConformer encoder and an LSTM decoder. `n_tokens` includes the blank."""

    mels: int = 128
    width: int = 1024
    layers: int = 24
    heads: int = 8
    kernel: int = 9
    decoder_width: int = 640
    decoder_layers: int = 2
    n_tokens: int = 8193


#: Source: the publisher's model_config.yaml of Parakeet TDT 0.6B v3.
PARAKEET = TransducerShape()
SMALL = TransducerShape(width=64, layers=2, heads=2, decoder_width=32, n_tokens=200)


def fixed_transducer(folder: Path, shape: TransducerShape, tokens_per_text: int) -> Path:
    """Build a model in `folder`, which it makes; returns the folder."""
    folder.mkdir(parents=True)
    _save(_encoder(shape, tokens_per_text), folder / "encoder-model.onnx")
    _save(_decoder(shape), folder / "decoder_joint-model.onnx")
    lines = [f"{token} {number}" for number, token in enumerate(_tokens(shape))]
    (folder / "vocab.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / FACTS_FILE).write_text(json.dumps({"type": TYPE, "languages": ["en"]}))
    config = {"model_type": TYPE, "features_size": shape.mels, "subsampling_factor": SUBSAMPLING}
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def _tokens(shape: TransducerShape) -> list[str]:
    """Letters, the starts of words, tokens that are never written, and the blank."""
    written = [*(WORD_START + letter for letter in ascii_lowercase), *ascii_lowercase]
    unused = [f"unused{number}" for number in range(shape.n_tokens - len(written) - 1)]
    return [*written, *unused, BLANK]


@dataclass
class _Graph:
    """A graph under construction. Each method adds an operation and returns the name of its output."""

    random: np.random.Generator = field(default_factory=lambda: np.random.default_rng(0))
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    weights: list[onnx.TensorProto] = field(default_factory=list)

    def op(self, kind: str, *inputs: str, outputs: Sequence[str] = (), **attributes: Any) -> str:
        names = list(outputs) or [f"{kind}_{len(self.nodes)}"]
        self.nodes.append(helper.make_node(kind, list(inputs), names, **attributes))
        return names[0]

    def value(self, content: NDArray[Any]) -> str:
        name = f"value_{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(content, name))
        return name

    def ints(self, *numbers: int) -> str:
        return self.value(np.array(numbers, np.int64))

    def weight(self, *size: int) -> str:
        return self.value(self.random.standard_normal(size, dtype=np.float32) * np.float32(WEIGHT_STD))

    def linear(self, value: str, inputs: int, outputs: int) -> str:
        return self.op("MatMul", value, self.weight(inputs, outputs))

    def swish(self, value: str) -> str:
        return self.op("Mul", value, self.op("Sigmoid", value))

    def norm(self, value: str, width: int) -> str:
        scale, bias = self.value(np.ones(width, np.float32)), self.value(np.zeros(width, np.float32))
        return self.op("LayerNormalization", value, scale, bias, axis=-1)

    def nothing(self, value: str) -> str:
        """Zero, for the price of the value: runtimes must not remove a product that could be NaN."""
        return self.op("Mul", value, self.value(np.zeros(1, np.float32)))


def _encoder(shape: TransducerShape, tokens_per_text: int) -> onnx.ModelProto:
    """audio_signal float32[n, mels, frames], length int64[n] -> outputs float32[n, width, steps], encoded_lengths."""
    graph, width = _Graph(), shape.width
    sound = "audio_signal"
    for inputs in (shape.mels, width // 4, width // 4):  # each halves the number of frames
        sound = graph.swish(
            graph.op("Conv", sound, graph.weight(width // 4, inputs, 3), strides=[2], pads=[1, 1], kernel_shape=[3])
        )
    value = graph.linear(graph.op("Transpose", sound, perm=[0, 2, 1]), width // 4, width)
    for _ in range(shape.layers):
        value = _conformer(graph, value, shape)
    lengths = graph.op("Div", graph.op("Add", "length", graph.ints(SUBSAMPLING - 1)), graph.ints(SUBSAMPLING))
    graph.op("Identity", lengths, outputs=["encoded_lengths"])
    schedule = _schedule(graph, value, lengths, tokens_per_text)
    rest = graph.op(
        "Slice", graph.nothing(value), graph.ints(2), graph.value(np.array([width], np.int64)), graph.ints(2)
    )
    joined = graph.op("Concat", schedule, rest, axis=2)
    graph.op("Transpose", joined, perm=[0, 2, 1], outputs=["outputs"])
    return _model(
        graph,
        [("audio_signal", TensorProto.FLOAT, ["n", shape.mels, "frames"]), ("length", TensorProto.INT64, ["n"])],
        [
            ("outputs", TensorProto.FLOAT, ["n", width, "steps"]),
            ("encoded_lengths", TensorProto.INT64, ["n"]),
        ],
    )


def _conformer(graph: _Graph, value: str, shape: TransducerShape) -> str:
    """Feed forward, attention, convolution, feed forward, each beside a direct path."""
    value = graph.op("Add", value, _feed_forward(graph, value, shape.width))
    value = graph.op("Add", value, _attention(graph, value, shape))
    value = graph.op("Add", value, _convolution(graph, value, shape))
    value = graph.op("Add", value, _feed_forward(graph, value, shape.width))
    return graph.norm(value, shape.width)


def _feed_forward(graph: _Graph, value: str, width: int) -> str:
    wide = graph.swish(graph.linear(graph.norm(value, width), width, 4 * width))
    return graph.linear(wide, 4 * width, width)


def _attention(graph: _Graph, value: str, shape: TransducerShape) -> str:
    normal, per_head = graph.norm(value, shape.width), shape.width // shape.heads
    split = graph.ints(0, 0, shape.heads, per_head)

    def heads(permutation: Sequence[int]) -> str:
        projected = graph.linear(normal, shape.width, shape.width)
        return graph.op("Transpose", graph.op("Reshape", projected, split), perm=permutation)

    query, key, content = heads([0, 2, 1, 3]), heads([0, 2, 3, 1]), heads([0, 2, 1, 3])
    scale = graph.value(np.array(per_head**-0.5, np.float32))
    scores = graph.op("Softmax", graph.op("Mul", graph.op("MatMul", query, key), scale), axis=-1)
    mixed = graph.op("Transpose", graph.op("MatMul", scores, content), perm=[0, 2, 1, 3])
    return graph.linear(graph.op("Reshape", mixed, graph.ints(0, 0, shape.width)), shape.width, shape.width)


def _convolution(graph: _Graph, value: str, shape: TransducerShape) -> str:
    width, pad = shape.width, shape.kernel // 2
    normal = graph.norm(value, width)
    gated = graph.op("Mul", graph.linear(normal, width, width), graph.op("Sigmoid", graph.linear(normal, width, width)))
    by_time = graph.op("Transpose", gated, perm=[0, 2, 1])
    deep = graph.op("Conv", by_time, graph.weight(width, 1, shape.kernel), group=width, pads=[pad, pad])
    return graph.linear(graph.swish(graph.op("Transpose", deep, perm=[0, 2, 1])), width, width)


def _schedule(graph: _Graph, value: str, lengths: str, tokens_per_text: int) -> str:
    """float32[n, steps, 2]: 1 where step t of a window with l steps writes a token, and the steps to skip after it.

    There is a token where floor(t * tokens / l) grows, so exactly as many as wanted if the window has as many steps.
    """
    steps = graph.op("Gather", graph.op("Shape", value), graph.value(np.array(1, np.int64)))
    zero, one = (graph.value(np.array(number, np.int64)) for number in (0, 1))
    at = graph.op("Unsqueeze", graph.op("Range", zero, steps, one), graph.ints(0))
    length = graph.op("Unsqueeze", lengths, graph.ints(1))

    def written_before(offset: int) -> str:
        later = graph.op("Add", at, graph.ints(offset))
        return graph.op("Div", graph.op("Mul", later, graph.ints(tokens_per_text)), length)

    before = [written_before(offset) for offset in range(MAX_SKIP + 1)]
    writes = graph.op("Cast", graph.op("Sub", before[1], before[0]), to=TensorProto.FLOAT)
    # One step, and one more for each of the following steps before the next token.
    skips = [graph.op("Equal", before[offset], before[1]) for offset in range(2, MAX_SKIP + 1)]
    further = graph.op("Sum", *(graph.op("Cast", skip, to=TensorProto.FLOAT) for skip in skips))
    skip = graph.op("Add", further, graph.value(np.ones(1, np.float32)))
    columns = (graph.op("Unsqueeze", column, graph.ints(2)) for column in (writes, skip))
    return graph.op("Concat", *columns, axis=2)


def _decoder(shape: TransducerShape) -> onnx.ModelProto:
    """One step: the encoder's output of a frame and the last token to scores of all tokens and of 0 to 4 skips."""
    graph, width = _Graph(), shape.decoder_width
    embedded = graph.op("Gather", graph.weight(shape.n_tokens, width), "targets")
    value = graph.op("Transpose", embedded, perm=[1, 0, 2])
    states: list[tuple[str, str]] = []
    for layer in range(shape.decoder_layers):
        begin, end = graph.ints(layer), graph.ints(layer + 1)
        old = [graph.op("Slice", f"input_states_{number}", begin, end, graph.ints(0)) for number in (1, 2)]
        names = [f"lstm_{layer}", f"hidden_{layer}", f"cell_{layer}"]
        kernels = [graph.weight(1, 4 * width, width), graph.weight(1, 4 * width, width)]
        graph.op("LSTM", value, *kernels, "", "", *old, outputs=names, hidden_size=width)
        value = graph.op("Squeeze", names[0], graph.ints(1))
        states.append((names[1], names[2]))
    for number in (1, 2):
        graph.op("Concat", *(state[number - 1] for state in states), axis=0, outputs=[f"output_states_{number}"])
    frame = graph.op("Transpose", "encoder_outputs", perm=[0, 2, 1])
    both = graph.op(
        "Add",
        graph.linear(frame, shape.width, width),
        graph.op("Transpose", graph.linear(value, width, width), perm=[1, 0, 2]),
    )
    scores = graph.linear(graph.op("Relu", both), width, shape.n_tokens + MAX_SKIP + 1)
    fixed = graph.op("Add", graph.nothing(scores), _fixed_scores(graph, frame, shape))
    graph.op("Unsqueeze", fixed, graph.ints(2), outputs=["outputs"])
    graph.op("Identity", "target_length", outputs=["prednet_lengths"])
    state = [shape.decoder_layers, "n", width]
    return _model(
        graph,
        [
            ("encoder_outputs", TensorProto.FLOAT, ["n", shape.width, 1]),
            ("targets", TensorProto.INT32, ["n", 1]),
            ("target_length", TensorProto.INT32, ["n"]),
            ("input_states_1", TensorProto.FLOAT, state),
            ("input_states_2", TensorProto.FLOAT, state),
        ],
        [
            ("outputs", TensorProto.FLOAT, ["n", 1, 1, shape.n_tokens + MAX_SKIP + 1]),
            ("prednet_lengths", TensorProto.INT32, ["n"]),
            ("output_states_1", TensorProto.FLOAT, state),
            ("output_states_2", TensorProto.FLOAT, state),
        ],
    )


def _fixed_scores(graph: _Graph, frame: str, shape: TransducerShape) -> str:
    """float32[n, 1, tokens + skips]: the next token or the blank, and the skip, as the first two channels say."""
    writes = graph.op("Slice", frame, graph.ints(0), graph.ints(1), graph.ints(2))
    skip = graph.op("Slice", frame, graph.ints(1), graph.ints(2), graph.ints(2))
    following = graph.op("Gather", graph.value(_following(shape)), "targets")
    token = graph.op("OneHot", following, graph.ints(shape.n_tokens), graph.value(np.array([0, 20], np.float32)))
    blank = np.zeros(shape.n_tokens, np.float32)
    blank[-1] = 10
    tokens = graph.op("Add", graph.op("Mul", token, writes), graph.value(blank))
    skips = graph.op("Cast", graph.op("Squeeze", skip, graph.ints(2)), to=TensorProto.INT64)
    chosen = graph.op("OneHot", skips, graph.ints(MAX_SKIP + 1), graph.value(np.array([0, 10], np.float32)))
    return graph.op("Concat", tokens, chosen, axis=2)


def _following(shape: TransducerShape) -> NDArray[np.int64]:
    """int64[n_tokens]: for each token the next one. The words are all 26 letters, but each begins with another one."""
    n_letters = len(ascii_lowercase)
    following = np.zeros(shape.n_tokens, np.int64)
    for number in range(n_letters):
        following[number] = n_letters + (number + 1) % n_letters  # after the start of a word
        following[n_letters + number] = n_letters + (number + 1) % n_letters
    following[2 * n_letters - 1] = 1
    return following


def _model(
    graph: _Graph, inputs: Sequence[tuple[str, int, list[Any]]], outputs: Sequence[tuple[str, int, list[Any]]]
) -> onnx.ModelProto:
    begin, end = ([helper.make_tensor_value_info(*each) for each in side] for side in (inputs, outputs))
    made = helper.make_graph(graph.nodes, "fixed", begin, end, initializer=graph.weights)
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=9)


def _save(model: onnx.ModelProto, path: Path) -> None:
    """Write the weights beside the graph, as exporters do for models of more than 2 GB."""
    onnx.save_model(model, path, save_as_external_data=True, location=f"{path.name}.data", size_threshold=1024)
