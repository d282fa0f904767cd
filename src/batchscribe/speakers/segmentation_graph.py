"""pyannote's segmentation-3.0 as ONNX: from sound to the speakers who are active in each frame.

Input `x`: float32[windows, 1, samples] at 16 kHz. Output `y`: float32[windows, frames, 7], logarithms of the
probabilities of no speaker, each of three, and each pair of them. The layers are those of pyannote.audio's `PyanNet`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from batchscribe.speakers.onnx_graph import OnnxGraph
from batchscribe.speakers.torch_weights import Weights
from batchscribe.window import SAMPLE_RATE

LEAST_HZ, LEAST_BAND_HZ = 50, 50  #: of a filter: its lowest frequency, and its width
FIRST_STRIDE, POOL = 10, 3
SLOPE = 0.01  #: of LeakyRelu
LSTM_LAYERS, LSTM_SIZE = 4, 128
CLASSES = 7
#: Samples of the receptive field of a frame, and between frames.
FIELD, SHIFT = 991, 270


def write_segmentation(weights: Weights, path: Path) -> None:
    """Raises `KeyError` and `ValueError` if these are not the weights of this model."""
    graph = OnnxGraph()
    value = _add_filters(graph, weights)
    value = _add_lstm(graph, weights, value)
    for layer in ("linear.0", "linear.1"):
        value = graph.add("LeakyRelu", _add_linear(graph, weights, value, layer), alpha=SLOPE)
    value = _add_linear(graph, weights, value, "classifier")
    graph.add("LogSoftmax", value, output="y", axis=-1)
    facts = {"model": "pyannote/segmentation-3.0", "receptive_field_size": FIELD, "receptive_field_shift": SHIFT}
    graph.write(path, {"x": ("windows", 1, "samples")}, {"y": ("windows", "frames", CLASSES)}, facts)


def _add_filters(graph: OnnxGraph, weights: Weights) -> str:
    """Add SincNet: three convolutions, each with pooling and normalization."""
    value = _add_normalization(graph, weights, "x", "sincnet.wav_norm1d")
    for layer in range(3):
        if layer == 0:
            filters = graph.constant(sinc_filters(weights))
            value = graph.add("Abs", graph.add("Conv", value, filters, strides=[FIRST_STRIDE]))
        else:
            name = f"sincnet.conv1d.{layer}"
            kernel, bias = (graph.constant(weights[f"{name}.{part}"]) for part in ("weight", "bias"))
            value = graph.add("Conv", value, kernel, bias)
        value = graph.add("MaxPool", value, kernel_shape=[POOL], strides=[POOL])
        value = graph.add(
            "LeakyRelu", _add_normalization(graph, weights, value, f"sincnet.norm1d.{layer}"), alpha=SLOPE
        )
    return value


def sinc_filters(weights: Weights) -> npt.NDArray[Any]:
    """Return the band-pass filters as float64[80, 1, 251]: first 40 even ones, then 40 odd ones.

    Source: asteroid-filterbanks, `ParamSincFB`.
    """
    low_hz, band_hz, times, window = (
        weights[f"sincnet.conv1d.0.filterbank.{name}"].astype(np.float64)
        for name in ("low_hz_", "band_hz_", "n_", "window_")
    )
    low = LEAST_HZ + np.abs(low_hz)
    high = np.clip(low + LEAST_BAND_HZ + np.abs(band_hz), LEAST_HZ, SAMPLE_RATE / 2)
    times = times.reshape(1, -1)  # 2 pi n / rate, for the first half of a filter
    band = high - low
    shape = window.reshape(1, -1) / (times / 2)
    even = (np.sin(high @ times) - np.sin(low @ times)) * shape
    odd = (np.cos(low @ times) - np.cos(high @ times)) * shape
    filters = np.concatenate(
        [
            np.concatenate([even, 2 * band, even[:, ::-1]], axis=1),
            np.concatenate([odd, np.zeros_like(band), -odd[:, ::-1]], axis=1),
        ]
    )
    filters /= np.concatenate([2 * band, 2 * band])
    return filters[:, None, :]


def _add_normalization(graph: OnnxGraph, weights: Weights, value: str, name: str) -> str:
    scale, bias = (graph.constant(weights[f"{name}.{part}"]) for part in ("weight", "bias"))
    return graph.add("InstanceNormalization", value, scale, bias, epsilon=1e-5)


def _add_lstm(graph: OnnxGraph, weights: Weights, value: str) -> str:
    value = graph.add("Transpose", value, perm=[2, 0, 1])
    for layer in range(LSTM_LAYERS):
        directions = [f"l{layer}", f"l{layer}_reverse"]
        inputs, states = (
            graph.constant(np.stack([_reorder_gates(weights[f"lstm.{part}_{each}"]) for each in directions]))
            for part in ("weight_ih", "weight_hh")
        )
        biases = graph.constant(np.stack([_join_biases(weights, each) for each in directions]))
        both = graph.add("LSTM", value, inputs, states, biases, hidden_size=LSTM_SIZE, direction="bidirectional")
        side_by_side = graph.add("Transpose", both, perm=[0, 2, 1, 3])
        value = graph.add("Reshape", side_by_side, graph.integers(0, 0, 2 * LSTM_SIZE))
    return graph.add("Transpose", value, perm=[1, 0, 2])


def _join_biases(weights: Weights, direction: str) -> npt.NDArray[Any]:
    return np.concatenate([_reorder_gates(weights[f"lstm.{part}_{direction}"]) for part in ("bias_ih", "bias_hh")])


def _reorder_gates(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Change the order of gates from that of PyTorch (input, forget, cell, output) to that of ONNX."""
    of_input, of_forget, of_cell, of_output = np.split(values, 4)
    return np.concatenate([of_input, of_output, of_forget, of_cell])


def _add_linear(graph: OnnxGraph, weights: Weights, value: str, name: str) -> str:
    product = graph.add("MatMul", value, graph.constant(weights[f"{name}.weight"].T))
    return graph.add("Add", product, graph.constant(weights[f"{name}.bias"]))
