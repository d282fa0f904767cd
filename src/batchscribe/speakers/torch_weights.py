"""The weights in a PyTorch file, read without PyTorch.

Such a file is a zip archive with a pickle, and unpickling may call anything. So only the names in `ALLOWED` can be
loaded: they build tensors, or stand for values that are not weights and are ignored.
"""

from __future__ import annotations

import io
import pickle
import struct
import zipfile
from collections import OrderedDict
from collections.abc import Mapping
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from batchscribe.errors import ModelDamaged

Weights = Mapping[str, npt.NDArray[Any]]

PICKLE = "data.pkl"
#: What `zipfile`, `pickle` and NumPy raise for truncated, altered or malicious files.
DAMAGES = (
    zipfile.BadZipFile, pickle.UnpicklingError, struct.error, AttributeError, EOFError, LookupError, MemoryError,
    NotImplementedError, OverflowError, RecursionError, TypeError, ValueError, OSError,
)  # fmt: skip


def read_weights(path: Path) -> Weights:
    """Return the tensors of a file by their names. Raises `ModelDamaged`."""
    try:
        with zipfile.ZipFile(path) as archive:
            found = _TensorUnpickler(archive).load()
    except DAMAGES as error:
        reason = str(error) if isinstance(error, pickle.UnpicklingError) else type(error).__name__
        raise ModelDamaged(f"{path.name} cannot be read as PyTorch weights: {reason}.") from error
    tensors = found.get("state_dict", found) if isinstance(found, dict) else {}
    if not tensors or not all(isinstance(each, np.ndarray) for each in tensors.values()):
        raise ModelDamaged(f"{path.name} contains something other than named tensors.")
    return dict(tensors)


class _Ignored:
    """A value that is not a weight, such as the version of PyTorch. A pickle can build it; it has no content."""

    __slots__ = ()

    def __new__(cls, *_: object) -> _Ignored:
        return super().__new__(cls)

    def __setstate__(self, _: object) -> None:
        pass


class _TensorCall:
    """The function that builds a tensor from its storage. A pickle can call it, but cannot change it."""

    __slots__ = ()

    def __call__(
        self, storage: npt.NDArray[Any], offset: int, size: tuple[int, ...], stride: tuple[int, ...], *_: object
    ) -> npt.NDArray[Any]:
        if len(size) != len(stride) or not all(type(each) is int and each >= 0 for each in (offset, *size, *stride)):
            raise pickle.UnpicklingError("a tensor has an impossible shape")
        last = offset + sum((count - 1) * step for count, step in zip(size, stride, strict=True))
        if not prod(size) or prod(size) > len(storage) or last >= len(storage):
            raise pickle.UnpicklingError("a tensor is larger than its storage")
        strides = [step * storage.itemsize for step in stride]
        return np.lib.stride_tricks.as_strided(storage[offset:], size, strides).copy()

    def __setstate__(self, _: object) -> None:
        raise pickle.UnpicklingError("it changes a function")


#: All names that the pickles of the two models use. A storage type maps to the type of its numbers.
ALLOWED: Mapping[tuple[str, str], object] = {
    ("collections", "OrderedDict"): OrderedDict,
    ("torch._utils", "_rebuild_tensor_v2"): _TensorCall(),
    ("torch", "FloatStorage"): np.dtype("<f4"),
    ("torch", "LongStorage"): np.dtype("<i8"),
    ("torch.torch_version", "TorchVersion"): _Ignored,
    ("pyannote.audio.core.task", "Specifications"): _Ignored,
    ("pyannote.audio.core.task", "Problem"): _Ignored,
    ("pyannote.audio.core.task", "Resolution"): _Ignored,
}


class _TensorUnpickler(pickle.Unpickler):
    """Reads the pickle of an archive. Raises `UnpicklingError` for every name that is not allowed."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        pickles = [name for name in archive.namelist() if name.rpartition("/")[2] == PICKLE]
        if len(pickles) != 1:
            raise pickle.UnpicklingError(f"it has {len(pickles)} files named {PICKLE} instead of one")
        self._archive = archive
        self._root = pickles[0].removesuffix(PICKLE)
        super().__init__(io.BytesIO(self._read(pickles[0])))

    def find_class(self, module: str, name: str) -> Any:
        try:
            return ALLOWED[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"it would load {module}.{name}, which is not a tensor") from None

    def persistent_load(self, reference: Any) -> npt.NDArray[Any]:
        """Return the numbers of a storage: `("storage", type, key, device, count)`."""
        kind, number_type, key, _, count = reference
        if kind != "storage" or not isinstance(number_type, np.dtype) or not isinstance(key, str):
            raise pickle.UnpicklingError("it has an unknown kind of storage")
        numbers = np.frombuffer(self._read(f"{self._root}data/{key}"), dtype=number_type)
        if len(numbers) != count:
            raise pickle.UnpicklingError(f"storage {key} has {len(numbers)} numbers instead of {count}")
        return numbers

    def _read(self, name: str) -> bytes:
        """Return a member. PyTorch never compresses them, so none is larger than the file."""
        if self._archive.getinfo(name).compress_type != zipfile.ZIP_STORED:
            raise pickle.UnpicklingError(f"{name} is compressed")
        return self._archive.read(name)
