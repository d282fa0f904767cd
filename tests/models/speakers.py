"""Files of PyTorch with random weights of the two speaker models, written without PyTorch.

The real layers have more channels; nothing else differs.
"""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from batchscribe.models.known import index_by_name
from batchscribe.models.model_format import ModelFormat
from batchscribe.speakers.embedding_graph import BLOCKS, EMBEDDING
from batchscribe.speakers.segmentation_graph import CLASSES, LSTM_LAYERS, LSTM_SIZE
from batchscribe.speakers.speaker_format import PUBLISHED, SPEAKER_FORMAT, SPEAKER_MODEL
from tests.models.carriers import pinned

Shape = tuple[int, ...]
#: Channels of the small embedding model: those that each dense layer adds, and those inside it.
GROWTH, INNER = 2, 4
SINCNET, LSTM_INPUT = (80, 60), 60
FILTER_HALF = 125
ONE_SPEAKER = 1  #: the class that these weights find in any sound: the first local speaker, alone


def random_speakers(folder: Path, seed: int = 0) -> ModelFormat:
    """Write both files into the folder, and return the format of models that expects exactly these files."""
    folder.mkdir(parents=True)
    chance = np.random.default_rng(seed)
    for file, shapes in zip(PUBLISHED, (segmentation_shapes(), embedding_shapes()), strict=True):
        weights = {name: random_weight(name, shape, chance) for name, shape in shapes}
        (folder / file.name).write_bytes(torch_file(weights))
    known = replace(SPEAKER_MODEL, files=tuple(pinned(folder / file.name) for file in PUBLISHED))
    return replace(SPEAKER_FORMAT, known=index_by_name(known))


def random_weight(name: str, shape: Shape, chance: np.random.Generator) -> NDArray[np.float32]:
    values: NDArray[np.float64] = chance.standard_normal(shape) / np.sqrt(np.prod(shape[1:]) or 1)
    if name.endswith("running_var"):
        values = np.abs(values) + 1
    elif name.endswith("filterbank.n_"):
        values = 2 * np.pi * np.arange(-FILTER_HALF, 0).reshape(shape) / 16_000
    elif name.endswith("filterbank.low_hz_"):
        values = np.linspace(30, 7_000, shape[0]).reshape(shape)
    elif name == "classifier.bias":
        values[ONE_SPEAKER] += 5
    return values.astype(np.float32)


def segmentation_shapes() -> Iterator[tuple[str, Shape]]:
    wide, narrow = SINCNET
    filters = "sincnet.conv1d.0.filterbank"
    yield from {f"{filters}.low_hz_": (wide // 2, 1), f"{filters}.band_hz_": (wide // 2, 1)}.items()
    yield from {f"{filters}.window_": (FILTER_HALF,), f"{filters}.n_": (1, FILTER_HALF)}.items()
    yield from layer("sincnet.conv1d.1", (narrow, wide, 5))
    yield from layer("sincnet.conv1d.2", (narrow, narrow, 5))
    for name, channels in {"wav_norm1d": 1, "norm1d.0": wide, "norm1d.1": narrow, "norm1d.2": narrow}.items():
        yield from layer(f"sincnet.{name}", (channels,))
    for number in range(LSTM_LAYERS):
        inputs = 2 * LSTM_SIZE if number else LSTM_INPUT
        for direction in (f"l{number}", f"l{number}_reverse"):
            shapes = {"weight_ih": (inputs,), "weight_hh": (LSTM_SIZE,), "bias_ih": (), "bias_hh": ()}
            for part, shape in shapes.items():
                yield f"lstm.{part}_{direction}", (4 * LSTM_SIZE, *shape)
    for name, outputs, inputs in (("linear.0", 32, 2 * LSTM_SIZE), ("linear.1", 32, 32), ("classifier", CLASSES, 32)):
        yield from layer(name, (outputs, inputs))


def embedding_shapes() -> Iterator[tuple[str, Shape]]:
    channels = 32
    yield from normalized("head.conv1", "head.bn1", (channels, 1, 3, 3))
    square = (channels, channels, 3, 3)
    for block in ("layer1.0", "layer1.1", "layer2.0", "layer2.1"):
        for number in (1, 2):
            yield from normalized(f"head.{block}.conv{number}", f"head.{block}.bn{number}", square)
        if block.endswith("0"):
            shortcut = f"head.{block}.shortcut"
            yield from normalized(f"{shortcut}.0", f"{shortcut}.1", (channels, channels, 1, 1))
    yield from normalized("head.conv2", "head.bn2", square)
    width = 8
    yield from normalized("xvector.tdnn.linear", "xvector.tdnn.nonlinear.batchnorm", (width, 10 * channels, 5))
    for number, (layers, _) in enumerate(BLOCKS, start=1):
        for each in range(1, layers + 1):
            yield from dense_layer(f"xvector.block{number}.tdnnd{each}", width)
            width += GROWTH
        yield from batch_norm(f"xvector.transit{number}.nonlinear.batchnorm", width)
        yield f"xvector.transit{number}.linear.weight", (width // 2, width, 1)
        width //= 2
    yield from batch_norm("xvector.out_nonlinear.batchnorm", width)
    yield from normalized("xvector.dense.linear", "xvector.dense.nonlinear.batchnorm", (EMBEDDING, 2 * width, 1))


def dense_layer(name: str, width: int) -> Iterator[tuple[str, Shape]]:
    yield from batch_norm(f"{name}.nonlinear1.batchnorm", width)
    yield from normalized(f"{name}.linear1", f"{name}.nonlinear2.batchnorm", (INNER, width, 1))
    yield f"{name}.cam_layer.linear_local.weight", (GROWTH, INNER, 3)
    yield from layer(f"{name}.cam_layer.linear1", (INNER, INNER, 1))
    yield from layer(f"{name}.cam_layer.linear2", (GROWTH, INNER, 1))


def layer(name: str, shape: Shape) -> Iterator[tuple[str, Shape]]:
    yield f"{name}.weight", shape
    yield f"{name}.bias", shape[:1]


def normalized(name: str, normalization: str, shape: Shape) -> Iterator[tuple[str, Shape]]:
    yield f"{name}.weight", shape
    yield from batch_norm(normalization, shape[0])


def batch_norm(name: str, channels: int) -> Iterator[tuple[str, Shape]]:
    for part in ("weight", "bias", "running_mean", "running_var"):
        yield f"{name}.{part}", (channels,)


# --- files of PyTorch ---------------------------------------------------------------------------------------------


def torch_file(weights: Mapping[str, NDArray[np.float32]]) -> bytes:
    """Return a file as `torch.save` writes it: the pickle of a dict of tensors, and one member for each storage."""
    contents = [weight.tobytes() for weight in weights.values()]
    pickled = (tensor_opcodes(str(key), weight.shape) for key, weight in enumerate(weights.values()))
    items = b"".join(text(name) + opcodes for name, opcodes in zip(weights, pickled, strict=True))
    return torch_archive(b"\x80\x02}(" + items + b"u.", contents)


def torch_archive(pickled: bytes, storages: list[bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", compression) as archive:
        archive.writestr("archive/data.pkl", pickled)
        for key, storage in enumerate(storages):
            archive.writestr(f"archive/data/{key}", storage)
    return content.getvalue()


def tensor_opcodes(
    key: str, size: Shape, *, offset: int = 0, stride: Shape | None = None, count: int | None = None
) -> bytes:
    """Return the opcodes that push a tensor: a call of `_rebuild_tensor_v2` with a reference to its storage."""
    steps = [int(np.prod(size[axis + 1 :])) for axis in range(len(size))] if stride is None else stride
    number = int(np.prod(size)) if count is None else count
    storage = b"(" + text("storage") + name_of("torch", "FloatStorage") + text(key) + text("cpu") + integer(number)
    arguments = (integer(offset), *(b"(" + b"".join(map(integer, each)) + b"t" for each in (size, steps)))
    called = name_of("torch._utils", "_rebuild_tensor_v2")
    return called + b"(" + storage + b"tQ" + b"".join(arguments) + b"\x89" + b"tR"


def name_of(module: str, name: str) -> bytes:
    return f"c{module}\n{name}\n".encode()


def text(value: str) -> bytes:
    return b"X" + struct.pack("<I", len(value.encode())) + value.encode()


def integer(value: int) -> bytes:
    return b"J" + struct.pack("<i", value)
