"""Fields of a request that have no effect because its model does not have them, such as misspelled ones."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from itertools import islice, takewhile
from typing import Any, get_args

from batchscribe.wire.base import WireModel

MOST_NAMED = 10  #: the most that one response or log line names
MOST_CHARS = 40  #: of a name
_LIKE_A_FIELD = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*", re.ASCII)


@dataclass(frozen=True, slots=True)
class UnknownField:
    """A field without effect: the path of the object that has it, its name there, and the paths of similar fields."""

    place: str
    name: str
    similar: tuple[str, ...]

    @property
    def path(self) -> str:
        """The path for a log."""
        return _join(self.place, loggable_name(self.name))

    @property
    def warning(self) -> str:
        """A sentence for the sender of the request."""
        name = self.name if len(self.name) <= MOST_CHARS else f"{self.name[:MOST_CHARS]}..."
        shown = _join(self.place, name if _LIKE_A_FIELD.fullmatch(self.name) else json.dumps(name))
        advice = f"Did you mean {' or '.join(self.similar)}?" if self.similar else "docs/api.md lists all fields."
        return f"{shown} is not a known field, so it has no effect. {advice}"


@dataclass(frozen=True, slots=True)
class UnknownFields:
    """The first unknown fields of a request, and the number of all."""

    first: tuple[UnknownField, ...] = ()
    total: int = 0

    @property
    def warnings(self) -> tuple[str, ...]:
        named = tuple(field.warning for field in self.first)
        left = self.total - len(self.first)
        more = "1 more field is unknown and has" if left == 1 else f"{left} more fields are unknown and have"
        return (*named, f"{more} no effect.") if left else named


def loggable_name(name: str) -> str:
    """Return the name, or `?` if it may be anything else than a name, such as a signed URL."""
    return name if len(name) <= MOST_CHARS and _LIKE_A_FIELD.fullmatch(name) else "?"


def find_unknown_fields(model: type[WireModel], body: Any) -> UnknownFields:
    """Compare a valid body with its model. Null counts as absent, as in the model."""
    found = _walk(model, body, "")
    first = tuple(
        UnknownField(place, name, _find_similar(model, kind, place, name))
        for kind, place, name in islice(found, MOST_NAMED)
    )
    return UnknownFields(first, len(first) + sum(1 for _ in found))


def _walk(model: type[WireModel], value: Any, place: str) -> Iterator[tuple[type[WireModel], str, str]]:
    """Yield the model, the path and the name of each unknown field."""
    if isinstance(value, list):
        for position, item in enumerate(value):
            yield from _walk(model, item, _join(place, str(position)))
    if not isinstance(value, dict):
        return
    known = _fields(model)
    for name, inner in value.items():
        if inner is None or name in model.ignored_fields:
            continue
        if name not in known:
            yield model, place, name
        elif (of_field := known[name]) is not None:
            yield from _walk(of_field, inner, _join(place, name))


@cache
def _fields(model: type[WireModel]) -> dict[str, type[WireModel] | None]:
    """Return the names of the fields in JSON, with the models of those that are objects or lists of objects."""
    return {field.alias or name: _model_in(field.annotation) for name, field in model.model_fields.items()}


def _model_in(annotation: Any) -> type[WireModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, WireModel):
        return annotation
    return next(filter(None, map(_model_in, get_args(annotation))), None)


def _find_similar(root: type[WireModel], model: type[WireModel], place: str, name: str) -> tuple[str, ...]:
    """Return the same name elsewhere, else a similar name in the same object, else a similar name elsewhere."""
    name, paths = name[: 2 * MOST_CHARS].strip(), _paths(root)
    if name in paths:
        return _nearest(paths[name], place)
    if here := get_close_matches(name, _fields(model), n=1):
        return (_join(place, here[0]),)
    elsewhere = get_close_matches(name, paths, n=1)
    return _nearest(paths[elsewhere[0]], place) if elsewhere else ()


def _nearest(paths: tuple[str, ...], place: str) -> tuple[str, ...]:
    """Return those that share the most with the place; none if there are more than two."""
    shared = [_count_shared(path.split("."), place.split(".")) for path in paths]
    nearest = tuple(path for path, length in zip(paths, shared, strict=True) if length == max(shared))
    return nearest if len(nearest) <= 2 else ()


def _count_shared(parts: list[str], others: list[str]) -> int:
    """Count the equal parts at the start."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(parts, others, strict=False)))


@cache
def _paths(root: type[WireModel]) -> dict[str, tuple[str, ...]]:
    """Return the paths by the name of the field."""
    paths: dict[str, tuple[str, ...]] = {}
    places = [("", root)]
    while places:
        place, model = places.pop(0)
        for name, inner in _fields(model).items():
            path = _join(place, name)
            paths[name] = (*paths.get(name, ()), path)
            if inner is not None:
                places.append((path, inner))
    return paths


def _join(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name
