"""The folders of pulled models: names, locking and removal."""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from batchscribe.errors import DataDirectoryBusy, ModelNotFound
from batchscribe.models.model_files import report_os_errors
from batchscribe.settings import Settings


def pulled_folders(settings: Settings) -> list[Path]:
    """List the folders, except those of unfinished pulls, whose names begin with a dot."""
    if not settings.models_dir.is_dir():
        return []
    return [path for path in settings.models_dir.absolute().iterdir() if path.is_dir() and path.name[0] != "."]


def folder_of(name: str, settings: Settings) -> Path:
    return settings.models_dir.absolute() / name.replace("/", "--")


def name_of(folder: Path) -> str:
    return folder.name.replace("--", "/")


def part_of(folder: Path) -> Path:
    """Return the folder for the files of an unfinished pull."""
    return folder.with_name(f".{folder.name}.part")


def remove_model(name: str, settings: Settings) -> None:
    """Delete a model and the files of an unfinished pull. Raises `ModelNotFound`, `DataDirectoryBusy`."""
    folder = folder_of(name, settings)
    part = part_of(folder)
    if folder not in pulled_folders(settings) and not part.is_dir():
        raise model_not_found(name)

    def raise_busy() -> None:
        raise DataDirectoryBusy(f"Model {name} is being pulled by another process; stop that process first.")

    with lock_model(folder, raise_busy), report_os_errors(folder):
        remove_folder(part)
        remove_folder(folder)


def model_not_found(name: str) -> ModelNotFound:
    return ModelNotFound(f"Model {name!r} is not installed; `batchscribe models list` shows the installed models.")


def remove_folder(folder: Path) -> None:
    """Delete a folder; of a symbolic link, only the link. Raises `OSError`."""
    if folder.is_symlink():
        folder.unlink()
    elif folder.is_dir():
        shutil.rmtree(folder)


@contextmanager
def lock_model(folder: Path, on_busy: Callable[[], None]) -> Iterator[None]:
    """Hold the lock of a model. The system releases it when the process ends, even after a crash.

    If another process holds the lock, `on_busy` is called; unless it raises, this process waits.
    """
    with report_os_errors(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        lock = folder.with_name(f".{folder.name}.lock").open("a", encoding="ascii")
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            on_busy()
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
