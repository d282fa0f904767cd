"""A small separate disk for a folder, which can be filled to the last byte. Mounting it requires root."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

FILLER = "filler"
BLOCK = b"\0" * 65536


@dataclass(frozen=True, slots=True)
class Disk:
    folder: Path
    has_few_files: bool = False  #: small, so that the disk can also run out of file names

    def fill(self) -> None:
        """Fill the disk, and use up its file names if there are few."""
        with (self.folder / FILLER).open("ab", buffering=0) as filler:
            block = BLOCK
            while block:
                try:
                    filler.write(block)
                except OSError:
                    block = block[: len(block) // 2]
        if self.has_few_files:
            self._create_files()

    def free(self) -> None:
        for path in self.folder.glob(f"{FILLER}*"):
            path.unlink()

    def _create_files(self) -> None:
        for number in count():
            try:
                (self.folder / f"{FILLER}-{number}").touch()
            except OSError:
                return


@contextmanager
def small_disk(folder: Path, *, mebibytes: int, files: int | None = None) -> Iterator[Disk]:
    """Mount a disk. `files` is the maximum number of files and folders; by default it is never reached."""
    folder.mkdir(parents=True, exist_ok=True)
    options = f"size={mebibytes}m" + (f",nr_inodes={files}" if files else "")
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], check=True)
    try:
        yield Disk(folder, has_few_files=files is not None)
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)
