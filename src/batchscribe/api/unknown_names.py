"""Log records about fields and query parameters that have no effect, such as misspelled ones."""

from __future__ import annotations

from typing import Any

import structlog
from starlette.datastructures import QueryParams
from starlette.types import Scope

from batchscribe.wire.base import JsonObject, WireModel
from batchscribe.wire.unknown_fields import MOST_NAMED, UnknownFields, find_unknown_fields, loggable_name

log = structlog.get_logger()


def report_unknown_fields(model: type[WireModel], body: JsonObject, **about: str) -> UnknownFields:
    """Return the unknown fields of a valid body. If there are any, log their paths with `about`, but no values."""
    unknown = find_unknown_fields(model, body)
    if unknown.total:
        paths = [field.path for field in unknown.first]
        log.warning("request.unknown_fields", fields=paths, total=unknown.total, **about)
    return unknown


def unknown_parameters(scope: Scope) -> JsonObject:
    """Return the query parameters that the route of an answered request does not have, for its log line.

    The routes of pages do not declare all of theirs.
    """
    dependant = getattr(scope.get("route"), "dependant", None)
    if dependant is None or not scope["query_string"] or scope.get("state", {}).get("is_page", False):
        return {}
    known = _parameters(dependant)
    unknown = [name for name in dict.fromkeys(QueryParams(scope["query_string"])) if name not in known]
    return {"unknown_parameters": [loggable_name(name) for name in unknown[:MOST_NAMED]]} if unknown else {}


def _parameters(dependant: Any) -> set[str]:
    """Return the names of a route's query parameters, including those of its dependencies."""
    return {each.alias for each in dependant.query_params}.union(*map(_parameters, dependant.dependencies))
