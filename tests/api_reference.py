"""`python -m tests.api_reference`: writes docs/api.md from the OpenAPI document of the server."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from batchscribe.api.app import create_api
from batchscribe.api.service import Service
from batchscribe.queue.records import open_records
from batchscribe.settings import load_settings
from tests.documents import ROOT

API = ROOT / "docs" / "api.md"
HEAD = """# API reference

Every route of [the HTTP interface](http.md) with its parameters, bodies and responses. At `/docs` of a server
you can try them. `/openapi.json` is the OpenAPI document from which `python -m tests.api_reference` writes this page.

The same routes exist without `/v2`. Requests need [a key](http.md#authentication), except those for health.
"""
COMMON = """## Errors of every route

| Status | When |
|---|---|
"""
#: The section that explains the fields of a body, by the end of the route.
MEANINGS = {
    "/jobs": "fields-of-a-job",
    "/credentials": "fresh-credentials",
    "/retry": "retry",
    "/vocabularies": "vocabularies",
}
#: What any route may answer is listed once. The server never answers 422: an invalid parameter is 400, as declared.
COMMON_STATUSES = ("400", "401", "429", "500", "503")
HIDDEN_STATUSES = (*COMMON_STATUSES, "422")

Schema = Mapping[str, Any]


def openapi_document() -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        settings = load_settings(data_dir=Path(folder))
        records = open_records(settings)
        document: dict[str, Any] = create_api(Service.of(records, settings)).openapi()
        records.database.dispose()
    return document


def render(document: dict[str, Any]) -> str:
    operations = [
        (method.upper(), path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    routes = "\n".join(_route(*each) for each in operations)
    schemas = document["components"]["schemas"]
    shown = [name for name in sorted(schemas) if name not in ("HTTPValidationError", "ValidationError")]
    objects = "\n".join(_object(name, schemas[name]) for name in shown)
    return f"{HEAD}\n{_common(operations[0][2])}\n## Routes\n\n{routes}\n## Objects\n\n{objects}".rstrip() + "\n"


def _common(operation: Schema) -> str:
    rows = (f"| {status} | {operation['responses'][status]['description']} |\n" for status in COMMON_STATUSES)
    return f"{COMMON}{''.join(rows)}\nTheir body is an [ErrorBody](#errorbody).\n"


def _route(method: str, path: str, operation: Schema) -> str:
    parts = [f"### {operation['summary']}\n\n`{method} {path}`\n"]
    if operation.get("description"):
        parts.append(f"{operation['description']}\n")
    parameters = [_row(each["name"], each["in"], _type(each["schema"]), _meaning(each)) for each in _shown(operation)]
    if parameters:
        parts.append("| Parameter | In | Type | Meaning |\n|---|---|---|---|\n" + "".join(parameters))
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    if body:
        fields = [_row(f"`{name}`", kind, default) for name, kind, default in _fields(body, body.get("$defs", {}))]
        section = MEANINGS[path[path.rindex("/") :]]
        parts.append(f"| Field of the [body](http.md#{section}) | Type | Default |\n|---|---|---|\n" + "".join(fields))
    parts.append("| Status | Body | Meaning |\n|---|---|---|\n" + "".join(_responses(operation)))
    return "\n".join(parts)


def _shown(operation: Schema) -> list[Schema]:
    return [each for each in operation.get("parameters", []) if each["name"] != "next_cursor"]


def _responses(operation: Schema) -> Iterator[str]:
    for status, response in sorted(operation["responses"].items()):
        if status not in HIDDEN_STATUSES or len(operation["responses"]) <= len(COMMON_STATUSES):
            content = response.get("content", {})
            kinds = (_type(each["schema"]) for each in content.values() if each.get("schema"))
            meaning = response["description"].replace("Successful Response", "The request succeeded.")
            yield _row(status, ", ".join(kinds) or "none", meaning)


def _fields(schema: Schema, named: Mapping[str, Schema], prefix: str = "") -> Iterator[tuple[str, str, str]]:
    """Yield the fields of a request body, those of inner objects by their dotted names."""
    for name, field in schema.get("properties", {}).items():
        inner = _resolved(field, named)
        yield f"{prefix}{name}", _type({"type": "object"} if "properties" in inner else field), _default(field)
        yield from _fields(inner, named, f"{prefix}{name}.")


def _resolved(field: Schema, named: Mapping[str, Schema]) -> Schema:
    """Return the object that a field may have, or an empty schema."""
    for each in (field, *field.get("anyOf", ())):
        found = named.get(each["$ref"].rsplit("/", 1)[1], {}) if "$ref" in each else each
        if "properties" in found:
            return found
    return {}


def _object(name: str, schema: Schema) -> str:
    text = f"### {name}\n\n"
    if schema.get("description"):
        text += f"{schema['description']}\n\n"
    if "enum" in schema:
        return f"{text}{_type(schema)}\n"
    required = schema.get("required", ())
    rows = (
        _row(f"`{field}`", _type(each), "yes" if field in required else "no", _meaning(each))
        for field, each in schema.get("properties", {}).items()
    )
    return f"{text}| Field | Type | Always | Meaning |\n|---|---|---|---|\n{''.join(rows)}"


def _type(schema: Schema) -> str:
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[1]
        return f"[{name}](#{name.lower()})"
    if "enum" in schema or "const" in schema:
        return ", ".join(f"`{value}`" for value in schema.get("enum", [schema.get("const")]))
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(_type(each) for each in schema["anyOf"]))
    if schema.get("type") == "array":
        return f"list of {_type(schema['items'])}" if schema.get("items") else "list"
    return {"date-time": "time", "date": "day"}.get(schema.get("format", ""), str(schema.get("type", "any")))


def _meaning(parameter: Schema) -> str:
    default = _default(parameter.get("schema", parameter))
    return f"{parameter.get('description', '')} Default: {default}." if default else parameter.get("description", "")


def _default(field: Schema) -> str:
    """Return a simple default as JSON."""
    default = field.get("default")
    return f"`{json.dumps(default)}`" if default not in (None, "") and not isinstance(default, dict | list) else ""


def _row(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ").strip() for cell in cells) + " |\n"


if __name__ == "__main__":
    API.write_text(render(openapi_document()))
