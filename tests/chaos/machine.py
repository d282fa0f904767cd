"""What each worker has for itself, as if it ran on a machine of its own: temporary files, a model and a GPU.

Kept free of heavy imports: the processes under test import it.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from tests.chaos.disk import Disk

#: Of a model. A real one is larger, but no engine looks at more of it than this one does.
MODEL = hashlib.sha256(b"numbers").digest() * 512
VARIABLE = "CHAOS_MACHINE"


@dataclass(frozen=True, slots=True)
class Machine:
    """`folder` is where it keeps everything. Its path is short, as there is a socket in the temporary folder.

    `disk` is what the temporary folder lies on, where it has a disk of its own.
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
        """Stands for the device's file."""
        return self.folder / "gpu0"

    @property
    def environment(self) -> dict[str, str]:
        return {"TMPDIR": str(self.temporary), VARIABLE: str(self.folder)}

    def install(self) -> None:
        self.temporary.mkdir(parents=True, exist_ok=True)
        self.store_model(MODEL)
        self.gpu.touch()

    def store_model(self, content: bytes) -> None:
        """All at once: no engine that loads meanwhile finds half of it."""
        draft = self.model.with_suffix(".part")
        draft.write_bytes(content)
        draft.replace(self.model)

    def load(self) -> None:
        """What the engine does first. Raises `RuntimeError` in the words of CTranslate2."""
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
        """The one on which this process runs."""
        return cls(Path(os.environ[VARIABLE]))
