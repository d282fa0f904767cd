"""The engines of other packages, found by their entry points. An unusable one is logged and does not affect others."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points

import structlog

from batchscribe.speech.engine_child import describe
from batchscribe.speech.engine_record import ENTRY_POINTS, EngineRecord

log = structlog.get_logger()

#: Valid names. The name is part of the names of queues.
NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")
#: Names with another meaning where an engine's name is expected.
RESERVED = frozenset({"auto", "decoder"})


@dataclass(frozen=True, slots=True)
class PluginProblem:
    """Why the engine of a package cannot be used. `package` is its name and version."""

    engine: str
    package: str
    reason: str

    @property
    def message(self) -> str:
        return f"Engine {self.engine} of package {self.package} cannot be used: {self.reason}."


@dataclass(frozen=True, slots=True)
class Plugins:
    records: tuple[EngineRecord, ...] = ()
    problems: tuple[PluginProblem, ...] = ()


class UnusablePlugin(ValueError):
    """An entry point does not give an engine. The message is the reason, as part of a sentence."""


def find_plugins(taken: Collection[str]) -> Plugins:
    """Load the engines of other packages, once per process. `taken` has the names of the built-in engines."""
    return _find_plugins(frozenset(taken))


@cache
def _find_plugins(taken: frozenset[str]) -> Plugins:
    records: dict[str, EngineRecord] = {}
    problems: list[PluginProblem] = []
    for entry in sorted(entry_points(group=ENTRY_POINTS), key=lambda entry: (entry.name, package_of(entry))):
        try:
            records[entry.name] = load_record(entry, {*taken, *records})
        except UnusablePlugin as error:
            problem = PluginProblem(entry.name, package_of(entry), str(error))
            log.warning("engine.plugin_unusable", engine=problem.engine, package=problem.package, reason=problem.reason)
            problems.append(problem)
    return Plugins(tuple(records.values()), tuple(problems))


def load_record(entry: EntryPoint, taken: Collection[str]) -> EngineRecord:
    """Import the record of an entry point. Raises `UnusablePlugin`."""
    if not NAME.fullmatch(entry.name) or entry.name in RESERVED:
        raise UnusablePlugin("its name is not valid; use lower-case letters, digits and hyphens")
    if entry.name in taken:
        raise UnusablePlugin("another engine has this name; uninstall one of the packages")
    try:
        record = entry.load()
    except (Exception, SystemExit) as error:  # it runs code of others, which may raise anything
        raise UnusablePlugin(f"{entry.value} cannot be imported ({describe(error)})") from error
    if not isinstance(record, EngineRecord):
        raise UnusablePlugin(f"{entry.value} is not an EngineRecord")
    if record.name != entry.name:
        raise UnusablePlugin(f"its record has another name, {record.name!r}, than its entry point")
    if not isinstance(record.rank, int):
        raise UnusablePlugin(f"its rank is not a whole number but {type(record.rank).__name__}")
    return record


def package_of(entry: EntryPoint) -> str:
    """Return the name and version of the package that has the entry point."""
    return f"{entry.dist.name} {entry.dist.version}" if entry.dist else "unknown"
