"""The speaker embedding model CAM++ as ONNX: from features to a vector that is similar for the same voice.

Input `feature`: float32[batch, frames, 80], logarithmic mel energies minus their mean over time. Output `embedding`:
float32[batch, 192]. The layers are those of 3D-Speaker's `CAMPPlus`. Batch normalization is part of the convolution
before it, if there is one.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from batchscribe.speakers.onnx_graph import OnnxGraph
from batchscribe.speakers.torch_weights import Weights

FEATURES, EMBEDDING = 80, 192
EPSILON = 1e-5
SAME = {"pads": [1, 1, 1, 1]}
HEAD_CHANNELS = 320
#: Layers and dilation of each dense block.
BLOCKS = ((12, 1), (24, 2), (16, 2))
CONTEXT_FRAMES = 100  #: number of frames over which a layer averages its context


def write_embedding(weights: Weights, path: Path) -> None:
    """Raises `KeyError` and `ValueError` if these are not the weights of this model."""
    network = EmbeddingNetwork(weights)
    graph = network.graph
    value = network.add_head()
    value = network.convolve_normalized(
        value, "xvector.tdnn.linear", "xvector.tdnn.nonlinear.batchnorm", strides=[2], pads=[2, 2]
    )
    value = graph.relu(value)
    for number, (layers, dilation) in enumerate(BLOCKS, start=1):
        for layer in range(1, layers + 1):
            value = network.add_dense_layer(value, f"xvector.block{number}.tdnnd{layer}", dilation)
        name = f"xvector.transit{number}"
        value = network.convolve(network.normalize_relu(value, f"{name}.nonlinear.batchnorm"), f"{name}.linear")
    value = network.normalize_relu(value, "xvector.out_nonlinear.batchnorm")
    network.add_output(network.add_statistics(value))
    graph.write(
        path,
        {"feature": ("batch", "frames", FEATURES)},
        {"embedding": ("batch", EMBEDDING)},
        {"model": "iic/speech_campplus_sv_zh_en_16k-common_advanced"},
    )


class EmbeddingNetwork:
    """The layers of the model, which it adds to its graph."""

    def __init__(self, weights: Weights) -> None:
        self.graph = OnnxGraph()
        self._weights = weights

    def add_head(self) -> str:
        """Add two-dimensional convolutions over time and frequency, with residual blocks."""
        graph = self.graph
        value = graph.add("Transpose", "feature", perm=[0, 2, 1])
        value = graph.add("Unsqueeze", value, graph.integers(1))
        value = graph.relu(self.convolve_normalized(value, "head.conv1", "head.bn1", **SAME))
        for layer in ("head.layer1", "head.layer2"):
            value = self._add_residual(value, f"{layer}.0", strides=[2, 1])
            value = self._add_residual(value, f"{layer}.1", strides=[1, 1])
        value = graph.relu(self.convolve_normalized(value, "head.conv2", "head.bn2", strides=[2, 1], **SAME))
        return graph.add("Reshape", value, graph.integers(0, HEAD_CHANNELS, -1))

    def _add_residual(self, value: str, name: str, strides: list[int]) -> str:
        inner = self.convolve_normalized(value, f"{name}.conv1", f"{name}.bn1", strides=strides, **SAME)
        inner = self.convolve_normalized(self.graph.relu(inner), f"{name}.conv2", f"{name}.bn2", **SAME)
        if f"{name}.shortcut.0.weight" in self._weights:
            value = self.convolve_normalized(value, f"{name}.shortcut.0", f"{name}.shortcut.1", strides=strides)
        return self.graph.relu(self.graph.add("Add", inner, value))

    def add_dense_layer(self, value: str, name: str, dilation: int) -> str:
        """Add a layer whose channels are appended to its input, scaled by a mask from their context."""
        graph = self.graph
        inner = self.normalize_relu(value, f"{name}.nonlinear1.batchnorm")
        inner = graph.relu(self.convolve_normalized(inner, f"{name}.linear1", f"{name}.nonlinear2.batchnorm"))
        local = self.convolve(inner, f"{name}.cam_layer.linear_local", dilations=[dilation], pads=[dilation, dilation])
        mask = self._add_mask(inner, f"{name}.cam_layer")
        return graph.add("Concat", value, graph.add("Mul", local, mask), axis=1)

    def _add_mask(self, value: str, name: str) -> str:
        """Add a mask from the mean of all frames plus that of each group of `CONTEXT_FRAMES`.

        It is the same for all frames of a group, so it is computed once for each group, and then repeated.
        """
        graph = self.graph
        mean = graph.add("ReduceMean", value, axes=[-1], keepdims=1)
        size = [CONTEXT_FRAMES]
        groups = graph.add("AveragePool", value, kernel_shape=size, strides=size, ceil_mode=1, count_include_pad=0)
        context = graph.relu(self.convolve(graph.add("Add", mean, groups), f"{name}.linear1"))
        mask = graph.add("Sigmoid", self.convolve(context, f"{name}.linear2"))
        mask = graph.add("Unsqueeze", mask, graph.integers(-1))
        mask = graph.add("Expand", mask, graph.integers(1, 1, 1, CONTEXT_FRAMES))
        mask = graph.add("Reshape", mask, graph.integers(0, 0, -1))
        frames = graph.add("Shape", value, start=2, end=3)
        return graph.add("Slice", mask, graph.integers(0), frames, graph.integers(2))

    def add_statistics(self, value: str) -> str:
        """Add mean and standard deviation over time."""
        graph = self.graph
        last = graph.integers(-1)
        mean = graph.add("ReduceMean", value, axes=[-1], keepdims=1)
        deviation = graph.add("Sub", value, mean)
        squares = graph.add("ReduceSum", graph.add("Mul", deviation, deviation), last, keepdims=0)
        frames = graph.add("Cast", graph.add("Shape", value, start=2, end=3), to=1)  # float32
        degrees = graph.add("Sub", frames, graph.constant(np.array([1.0])))
        deviation = graph.add("Sqrt", graph.add("Div", squares, degrees))
        return graph.add("Concat", graph.add("Squeeze", mean, last), deviation, axis=1)

    def add_output(self, value: str) -> None:
        scale, bias = self._normalization("xvector.dense.nonlinear.batchnorm", is_affine=False)
        kernel = self._read("xvector.dense.linear.weight")[:, :, 0] * scale[:, None]
        constants = self.graph.constant(kernel.T), self.graph.constant(bias)
        self.graph.add("Gemm", value, *constants, output="embedding")

    def convolve(self, value: str, name: str, **attributes: Any) -> str:
        constants = [self._read(f"{name}.weight")]
        if f"{name}.bias" in self._weights:
            constants.append(self._read(f"{name}.bias"))
        return self.graph.add("Conv", value, *map(self.graph.constant, constants), **attributes)

    def convolve_normalized(self, value: str, name: str, normalization: str, **attributes: Any) -> str:
        """Add a convolution without bias and the batch normalization after it, as one operator."""
        scale, bias = self._normalization(normalization)
        kernel = self._read(f"{name}.weight")
        kernel = kernel * scale.reshape(-1, *[1] * (kernel.ndim - 1))
        return self.graph.add("Conv", value, self.graph.constant(kernel), self.graph.constant(bias), **attributes)

    def normalize_relu(self, value: str, normalization: str) -> str:
        scale, bias = (self.graph.constant(each[None, :, None]) for each in self._normalization(normalization))
        return self.graph.relu(self.graph.add("Add", self.graph.add("Mul", value, scale), bias))

    def _normalization(self, name: str, *, is_affine: bool = True) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
        """Return the scale and bias of a batch normalization for each channel."""
        scale = 1 / np.sqrt(self._read(f"{name}.running_var") + EPSILON)
        if is_affine:
            scale = scale * self._read(f"{name}.weight")
        bias = -self._read(f"{name}.running_mean") * scale
        return scale, bias + self._read(f"{name}.bias") if is_affine else bias

    def _read(self, name: str) -> npt.NDArray[Any]:
        return self._weights[name].astype(np.float64)
