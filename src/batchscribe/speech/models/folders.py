"""The folders of pulled models: what they are called, that one process at a time changes one, and removing one."""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from batchscribe.errors import DataDirectoryBusy, ModelNotFound
from batchscribe.settings import Settings
from batchscribe.speech.models.files import telling


def pulled_folders(settings: Settings) -> list[Path]:
    """Not what is still being pulled, whose names begin with a dot."""
    if not settings.models_dir.is_dir():
        return []
    return [path for path in settings.models_dir.absolute().iterdir() if path.is_dir() and path.name[0] != "."]


def folder_of(name: str, settings: Settings) -> Path:
    return settings.models_dir.absolute() / name.replace("/", "--")


def name_of(folder: Path) -> str:
    return folder.name.replace("--", "/")


def part_of(folder: Path) -> Path:
    """Where a pull keeps what it has so far."""
    return folder.with_name(f".{folder.name}.part")


def remove_model(name: str, settings: Settings) -> None:
    """Delete a model, or what an unfinished pull of it left. Raises `ModelNotFound`, `DataDirectoryBusy`."""
    folder = folder_of(name, settings)
    part = part_of(folder)
    if folder not in pulled_folders(settings) and not part.is_dir():
        raise not_at_hand(name)

    def busy() -> None:
        raise DataDirectoryBusy(f"Model {name} is being pulled by another process; stop that one first.")

    with only_one(folder, busy), telling(folder):
        remove_folder(part)
        remove_folder(folder)


def not_at_hand(name: str) -> ModelNotFound:
    return ModelNotFound(f"There is no model {name!r} here; `batchscribe models list` shows those there are.")


def remove_folder(folder: Path) -> None:
    """Of a link only the link. Raises `OSError`."""
    if folder.is_symlink():
        folder.unlink()
    elif folder.is_dir():
        shutil.rmtree(folder)


@contextmanager
def only_one(folder: Path, meet: Callable[[], None]) -> Iterator[None]:
    """Hold the lock of a model, which the system takes back however the process ends.

    While another process holds it, `meet` is called, which may raise; if it does not, this process waits.
    """
    with telling(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        lock = folder.with_name(f".{folder.name}.lock").open("a", encoding="ascii")
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            meet()
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
