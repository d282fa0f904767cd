"""The speaker models as ONNX, against the formulas of their layers, with random weights."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

from batchscribe.errors import ModelDamaged
from batchscribe.speakers.embedding_graph import EmbeddingNetwork
from batchscribe.speakers.segmentation_graph import sinc_filters, write_segmentation
from batchscribe.speakers.speaker_format import EMBEDDING, PUBLISHED, SEGMENTATION, convert
from batchscribe.speakers.torch_weights import read_weights
from tests.models.speakers import random_speakers, torch_file


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "published"
    random_speakers(folder)
    return folder


@pytest.fixture(scope="module")
def converted(published: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("converted")
    convert(published, folder)
    return folder


def run(path: Path, **inputs: Any) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(str(path), options).run(None, inputs)[0]


def test_a_frame_of_the_segmentation_has_probabilities_of_seven_classes(converted: Path) -> None:
    sound = np.random.default_rng(1).standard_normal((2, 1, 16_000)).astype(np.float32)
    logarithms = run(converted / SEGMENTATION, x=sound)
    assert logarithms.shape == (2, 56, 7)
    np.testing.assert_allclose(np.exp(logarithms).sum(axis=-1), 1, rtol=1e-5)


def test_windows_of_a_batch_do_not_affect_each_other(converted: Path) -> None:
    sound = np.random.default_rng(1).standard_normal((3, 1, 16_000)).astype(np.float32)
    alone = [run(converted / SEGMENTATION, x=sound[number : number + 1]) for number in range(3)]
    np.testing.assert_allclose(run(converted / SEGMENTATION, x=sound), np.concatenate(alone), atol=1e-5)


def test_the_lstm_has_the_gates_of_pytorch_in_both_directions(published: Path, tmp_path: Path) -> None:
    """The last layer is compared: with input weights of zero, its output depends only on biases and states."""
    weights = dict(read_weights(published / PUBLISHED[0].name))
    for name in ("weight_ih_l3", "weight_ih_l3_reverse"):
        weights[f"lstm.{name}"] = np.zeros_like(weights[f"lstm.{name}"])
    write_segmentation(weights, tmp_path / SEGMENTATION)
    frames = run(tmp_path / SEGMENTATION, x=np.ones((1, 1, 4_000), np.float32))
    forward = lstm_states(weights, "l3", len(frames[0]))
    backward = lstm_states(weights, "l3_reverse", len(frames[0]))[::-1]
    value = np.concatenate([forward, backward], axis=1)
    for name in ("linear.0", "linear.1"):
        value = value @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]
        value = np.where(value > 0, value, 0.01 * value)
    value = value @ weights["classifier.weight"].T + weights["classifier.bias"]
    np.testing.assert_allclose(frames[0], value - np.log(np.exp(value).sum(axis=1, keepdims=True)), atol=1e-5)


def lstm_states(weights: dict[str, Any], direction: str, steps: int) -> Any:
    """PyTorch's LSTM: gates are stored in the order input, forget, cell, output."""
    bias = weights[f"lstm.bias_ih_{direction}"] + weights[f"lstm.bias_hh_{direction}"]
    state = cell = np.zeros(len(bias) // 4)
    states = []
    for _ in range(steps):
        entry, forget, new, out = np.split(weights[f"lstm.weight_hh_{direction}"] @ state + bias, 4)
        cell = sigmoid(forget) * cell + sigmoid(entry) * np.tanh(new)
        state = sigmoid(out) * np.tanh(cell)
        states.append(state)
    return np.array(states)


def sigmoid(value: Any) -> Any:
    return 1 / (1 + np.exp(-value))


def test_the_filters_are_even_and_odd_and_pass_their_band(published: Path) -> None:
    weights = dict(read_weights(published / PUBLISHED[0].name))
    weights["sincnet.conv1d.0.filterbank.window_"] = np.hamming(251)[:125]
    even, odd = np.split(sinc_filters(weights)[:, 0, :], 2)
    assert (even == even[:, ::-1]).all()
    assert (odd == -odd[:, ::-1]).all()
    low_hz = 50 + np.abs(weights["sincnet.conv1d.0.filterbank.low_hz_"][:, 0])
    strongest_hz = np.abs(np.fft.rfft(even, 16_000)).argmax(axis=1)
    assert (np.abs(strongest_hz - low_hz - 25) < 60).all()


def test_an_embedding_does_not_depend_on_the_rest_of_its_batch(converted: Path) -> None:
    features = np.random.default_rng(1).standard_normal((2, 250, 80)).astype(np.float32)
    both = run(converted / EMBEDDING, feature=features)
    assert both.shape == (2, 192)
    np.testing.assert_allclose(both[1:], run(converted / EMBEDDING, feature=features[1:]), rtol=1e-3, atol=1e-4)


def test_a_folded_normalization_is_the_one_of_the_weights(published: Path, converted: Path, tmp_path: Path) -> None:
    """The last normalization has no factor: twice its deviation halves the embedding around its mean."""
    weights = dict(read_weights(published / PUBLISHED[1].name))
    name = "xvector.dense.nonlinear.batchnorm"
    weights[f"{name}.running_var"] = 4 * (weights[f"{name}.running_var"] + 1e-5) - 1e-5
    (tmp_path / "other").mkdir()
    (tmp_path / PUBLISHED[0].name).write_bytes((published / PUBLISHED[0].name).read_bytes())
    (tmp_path / PUBLISHED[1].name).write_bytes(torch_file(weights))
    convert(tmp_path, tmp_path / "other")
    features = np.random.default_rng(1).standard_normal((1, 120, 80)).astype(np.float32)
    before, after = (run(folder / EMBEDDING, feature=features) for folder in (converted, tmp_path / "other"))
    np.testing.assert_allclose(after, before / 2, rtol=1e-3, atol=1e-4)


def test_a_mask_comes_from_all_frames_and_from_each_hundred(published: Path, tmp_path: Path) -> None:
    """Two groups of a hundred frames, and half a group."""
    weights = read_weights(published / PUBLISHED[1].name)
    network = EmbeddingNetwork(weights)
    layer = network.add_dense_layer("value", "xvector.block1.tdnnd1", dilation=1)
    network.graph.add("Identity", layer, output="layer")
    shape = ("batch", "channels", "frames")
    network.graph.write(tmp_path / "layer.onnx", {"value": shape}, {"layer": shape}, {})
    channels = len(weights["xvector.block1.tdnnd1.nonlinear1.batchnorm.weight"])
    value = np.random.default_rng(1).standard_normal((1, channels, 250)).astype(np.float32)
    found = run(tmp_path / "layer.onnx", value=value)[0]
    np.testing.assert_allclose(found, dense_layer(weights, "xvector.block1.tdnnd1", value[0]), rtol=1e-3, atol=1e-5)


def dense_layer(weights: Mapping[str, Any], name: str, value: Any) -> Any:
    def normalized(value: Any, part: str) -> Any:
        scale, bias, mean, variance = (
            weights[f"{name}.{part}.batchnorm.{each}"][:, None]
            for each in ("weight", "bias", "running_mean", "running_var")
        )
        return np.maximum((value - mean) / np.sqrt(variance + 1e-5) * scale + bias, 0)

    def times(value: Any, part: str) -> Any:
        return weights[f"{name}.{part}.weight"][:, :, 0] @ value

    inner = normalized(times(normalized(value, "nonlinear1"), "linear1"), "nonlinear2")
    kernel, padded = weights[f"{name}.cam_layer.linear_local.weight"], np.pad(inner, ((0, 0), (1, 1)))
    local = sum(kernel[:, :, tap] @ padded[:, tap : tap + inner.shape[1]] for tap in range(3))
    groups = np.split(inner, range(100, inner.shape[1], 100), axis=1)
    means = [np.broadcast_to(group.mean(axis=1, keepdims=True), group.shape) for group in groups]
    context = inner.mean(axis=1, keepdims=True) + np.concatenate(means, axis=1)
    first, second = (weights[f"{name}.cam_layer.linear{number}.bias"][:, None] for number in (1, 2))
    context = np.maximum(times(context, "cam_layer.linear1") + first, 0)
    mask = 1 / (1 + np.exp(-times(context, "cam_layer.linear2") - second))
    return np.concatenate((value, local * mask))


def test_a_second_conversion_gives_the_same_bytes(published: Path, converted: Path, tmp_path: Path) -> None:
    convert(published, tmp_path)
    for name in (SEGMENTATION, EMBEDDING):
        assert (tmp_path / name).read_bytes() == (converted / name).read_bytes()


def test_weights_of_another_model_are_refused_by_the_name_of_the_file(tmp_path: Path) -> None:
    for file in PUBLISHED:
        (tmp_path / file.name).write_bytes(torch_file({"other": np.ones(3, np.float32)}))
    with pytest.raises(ModelDamaged, match=r"pytorch_model\.bin does not contain the weights of this model"):
        convert(tmp_path, tmp_path)
