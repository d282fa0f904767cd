"""Settings that earlier releases had under another name. They are still read."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any, TypeVar

from pydantic import Field
from pydantic_settings import BaseSettings

from batchscribe.errors import InvalidSetting
from batchscribe.input_formats import WIRE_NAMES, canonical_names
from batchscribe.setting_types import MOST_ENGINE_PROCESSES, READING, InputFormats

Current = TypeVar("Current", bound=BaseSettings)


class OldSettings(BaseSettings):
    """The old names; `renamed` has the new ones."""

    model_config = READING

    workers: int | None = Field(default=None, ge=1, le=MOST_ENGINE_PROCESSES)
    extra_formats: InputFormats | None = None  #: accepted besides those of `WIRE_NAMES`

    def renamed(self) -> dict[str, tuple[str, Any]]:
        """Return the name and the value of today by the old name, for each old name that is set."""
        found: dict[str, tuple[str, Any]] = {}
        if self.workers is not None:
            found["workers"] = "engine_processes", self.workers
        if self.extra_formats is not None:
            found["extra_formats"] = "input_formats", canonical_names((*WIRE_NAMES, *self.extra_formats))
        return found


def accept_old(settings: Current, old: OldSettings, given: Collection[str]) -> Current:
    """Return the settings with those that have their old name, except those that were `given` as options.

    Raises `InvalidSetting` if both names are set and disagree.
    """
    changed: dict[str, Any] = {}
    for old_name, (name, value) in old.renamed().items():
        if name in given:
            continue
        if name in settings.model_fields_set and getattr(settings, name) != value:
            raise InvalidSetting(
                f"{_variable(name)} is {_written(getattr(settings, name))}, but {_variable(old_name)}, its old name, "
                f"means {_written(value)}; remove {_variable(old_name)}."
            )
        changed[name] = value
    return settings.model_copy(update=changed) if changed else settings


def find_old_names() -> Iterator[str]:
    """Yield a notice for each setting that still has its old name in the environment or in `.env`."""
    for old_name, (name, value) in OldSettings().renamed().items():
        yield (
            f"{_variable(old_name)} is now {_variable(name)}; set {_variable(name)}={_written(value)} instead, because "
            "the old name will go."
        )


def _variable(name: str) -> str:
    return f"{READING['env_prefix']}{name.upper()}"


def _written(value: Any) -> str:
    return ",".join(value) if isinstance(value, tuple) else str(value)
