"""Files of PyTorch: only tensors are loaded, and everything else is refused."""

from __future__ import annotations

import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from batchscribe.errors import ModelDamaged
from batchscribe.speakers.torch_weights import read_weights
from tests.models.speakers import integer, name_of, tensor_opcodes, text, torch_archive, torch_file

NUMBERS = np.arange(6, dtype=np.float32)


class Harmful:
    """An object whose pickle calls a function when it is loaded."""

    def __init__(self, call: Callable[..., Any], *arguments: object) -> None:
        self._reduced = (call, arguments)

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[object, ...]]:
        return self._reduced


def stored(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "weights.pt"
    path.write_bytes(content)
    return path


def of_pickle(tmp_path: Path, pickled: bytes) -> Path:
    return stored(tmp_path, torch_archive(pickled, [NUMBERS.tobytes()]))


def of_tensor(tmp_path: Path, opcodes: bytes) -> Path:
    return of_pickle(tmp_path, b"\x80\x02}" + text("a") + opcodes + b"s.")


def test_tensors_keep_their_names_shapes_and_values(tmp_path: Path) -> None:
    weights = {"a": NUMBERS.reshape(2, 3), "b.c": NUMBERS[:1]}
    found = read_weights(stored(tmp_path, torch_file(weights)))
    assert {name: value.tolist() for name, value in found.items()} == {"a": [[0, 1, 2], [3, 4, 5]], "b.c": [0]}


def test_a_view_of_a_storage_is_read_with_its_offset_and_strides(tmp_path: Path) -> None:
    opcodes = tensor_opcodes("0", (2, 2), offset=1, stride=(1, 2), count=6)
    assert read_weights(of_tensor(tmp_path, opcodes))["a"].tolist() == [[1, 3], [2, 4]]


def test_weights_of_a_training_checkpoint_are_read_and_its_other_values_are_ignored(tmp_path: Path) -> None:
    version = name_of("torch.torch_version", "TorchVersion") + b"(" + text("2.0") + b"tR"
    state = b"}" + text("a") + tensor_opcodes("0", (6,)) + b"s"
    items = text("version") + version + text("state_dict") + state
    assert read_weights(of_pickle(tmp_path, b"\x80\x02}(" + items + b"u.")).keys() == {"a"}


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_that_runs_a_command_is_refused_before_it_runs(tmp_path: Path, protocol: int) -> None:
    from os import system

    witness = tmp_path / "witness"
    pickled = pickle.dumps({"a": Harmful(system, f"touch {witness}")}, protocol=protocol)
    with pytest.raises(ModelDamaged, match=r"would load posix\.system, which is not a tensor"):
        read_weights(of_pickle(tmp_path, pickled))
    assert not witness.exists()


@pytest.mark.parametrize(
    ("module", "name"),
    [("builtins", "eval"), ("builtins", "getattr"), ("torch", "load"), ("torch._utils", "_rebuild_parameter"),
     ("collections", "OrderedDict.fromkeys"), ("numpy", "load")],
)  # fmt: skip
def test_every_other_name_is_refused(tmp_path: Path, module: str, name: str) -> None:
    with pytest.raises(ModelDamaged, match=f"would load {module}"):
        read_weights(of_pickle(tmp_path, b"\x80\x02" + name_of(module, name) + b"."))


@pytest.mark.parametrize(
    "opcodes",
    [
        tensor_opcodes("0", (7,), count=6),
        tensor_opcodes("0", (6,), offset=1, count=6),
        tensor_opcodes("0", (2, 3), stride=(6, 1), count=6),
        tensor_opcodes("0", (1000, 1000), stride=(0, 0), count=6),
        tensor_opcodes("0", (6,), stride=(1, 1), count=6),
        tensor_opcodes("0", (-1,), count=6),
        tensor_opcodes("0", (2,), offset=-1, count=6),
        tensor_opcodes("0", (2,), offset=3, stride=(-1,), count=6),
        tensor_opcodes("0", (), offset=6, count=6),
        tensor_opcodes("0", (6,), count=5),
        tensor_opcodes("../../0", (6,), count=6),
        tensor_opcodes("1", (6,), count=6),
    ],
)
def test_a_tensor_never_reads_memory_outside_its_storage(tmp_path: Path, opcodes: bytes) -> None:
    with pytest.raises(ModelDamaged):
        read_weights(of_tensor(tmp_path, opcodes))


@pytest.mark.parametrize(
    "opcodes",
    [
        name_of("torch._utils", "_rebuild_tensor_v2") + b"}" + text("__call__") + integer(1) + b"sb",
        name_of("torch.torch_version", "TorchVersion") + b"}" + text("a") + integer(1) + b"sb",
        name_of("torch", "FloatStorage") + b"(tR",
        b"(" + text("module") + b"tQ",
        integer(1),
    ],
    ids=["change a function", "change a class", "call a type", "another reference", "no tensor"],
)
def test_a_pickle_that_does_anything_but_build_tensors_is_refused(tmp_path: Path, opcodes: bytes) -> None:
    with pytest.raises(ModelDamaged):
        read_weights(of_tensor(tmp_path, opcodes))


def test_a_truncated_file_is_refused_wherever_it_ends(tmp_path: Path) -> None:
    content = torch_file({"a": NUMBERS})
    for length in range(len(content)):
        with pytest.raises(ModelDamaged, match="cannot be read"):
            read_weights(stored(tmp_path, content[:length]))


def test_a_changed_storage_is_refused(tmp_path: Path) -> None:
    content = torch_file({"a": NUMBERS})
    place = content.index(NUMBERS.tobytes())
    with pytest.raises(ModelDamaged, match="BadZipFile"):
        read_weights(stored(tmp_path, content[:place] + b"\xff" + content[place + 1 :]))


def test_a_compressed_file_is_refused_because_it_could_expand_without_limit(tmp_path: Path) -> None:
    content = torch_archive(b"\x80\x02}.", [bytes(1 << 20)], zipfile.ZIP_DEFLATED)
    with pytest.raises(ModelDamaged, match="compressed"):
        read_weights(stored(tmp_path, content))


def test_an_archive_without_a_pickle_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "weights.pt"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("other", b"")
    with pytest.raises(ModelDamaged, match="0 files"):
        read_weights(path)
