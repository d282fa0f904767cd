"""The separate machine of each worker: temporary files, a model and a GPU.

It has no heavy imports, because the processes under test import it.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from tests.chaos.disk import Disk

#: Size of a model. A real one is larger, but this engine reads no more than this.
MODEL = hashlib.sha256(b"numbers").digest() * 512
VARIABLE = "CHAOS_MACHINE"


@dataclass(frozen=True, slots=True)
class Machine:
    """`folder` contains everything. Its path is short, because the temporary folder contains a socket.

    `disk` is the disk of the temporary folder, if it has a separate one.
    """

    folder: Path
    disk: Disk | None = None

    @property
    def temporary(self) -> Path:
        return self.folder / "tmp"

    @property
    def model(self) -> Path:
        return self.folder / "model.bin"

    @property
    def gpu(self) -> Path:
        """The file that represents the device."""
        return self.folder / "gpu0"

    @property
    def environment(self) -> dict[str, str]:
        return {"TMPDIR": str(self.temporary), VARIABLE: str(self.folder)}

    def install(self) -> None:
        self.temporary.mkdir(parents=True, exist_ok=True)
        self.store_model(MODEL)
        self.gpu.touch()

    def store_model(self, content: bytes) -> None:
        """Store the model atomically, so that no engine loads half of it."""
        draft = self.model.with_suffix(".part")
        draft.write_bytes(content)
        draft.replace(self.model)

    def load(self) -> None:
        """Load the model as the engine does. Raises `RuntimeError` with CTranslate2's messages."""
        if not self.gpu.exists():
            raise RuntimeError("CUDA failed with error no CUDA-capable device is detected")
        try:
            content = self.model.read_bytes()
        except FileNotFoundError:
            raise RuntimeError(f"Unable to open file 'model.bin' in model '{self.folder}'") from None
        if len(content) < len(MODEL):
            missing = len(MODEL) - len(content)
            sentence = f"File model.bin is incomplete: failed to read a buffer of size {missing} at position "
            raise RuntimeError(f"{sentence}{len(content)}")
        if content != MODEL:
            raise RuntimeError("Unsupported model binary version")

    @classmethod
    def here(cls) -> Machine:
        """Return the machine of this process."""
        return cls(Path(os.environ[VARIABLE]))
