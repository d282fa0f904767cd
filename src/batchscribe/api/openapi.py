"""The OpenAPI document: what routes say of their bodies, and the schemas, built when it is first requested."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.encoders import jsonable_encoder
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from batchscribe.api.answer_bodies import (
    DeliveriesBody,
    DryRunBody,
    ErrorBody,
    FilesBody,
    HealthBody,
    HitsBody,
    JobsBody,
    RetriedBody,
    SubmittedBody,
    TenantUsageBody,
    VocabulariesBody,
)
from batchscribe.wire.answers import FileAnswer, JobAnswer
from batchscribe.wire.base import JsonObject
from batchscribe.wire.credentials import CredentialsRequest
from batchscribe.wire.delivery_answers import DeliveryAnswer
from batchscribe.wire.request import JobRequest
from batchscribe.wire.vocabulary import VocabularyAnswer, VocabularyRequest

_REASONS = {
    400: "The request is invalid; `errors` lists the fields.",
    401: "The API key or token is missing or invalid.",
    404: "The tenant has no such job, file, delivery or vocabulary.",
    405: "The path does not support this method.",
    409: "The state of the job does not allow this; or the Idempotency-Key was used with a different body.",
    413: "The body is too large.",
    415: "The Content-Type is not application/json.",
    429: "Too many requests; see Retry-After.",
    500: "An internal error; the server's log has the details.",
    503: "A part of the service is unavailable; see Retry-After.",
}


#: The schemas that routes refer to by name.
_ANSWERS = (
    DeliveriesBody,
    DeliveryAnswer,
    DryRunBody,
    ErrorBody,
    FileAnswer,
    FilesBody,
    HealthBody,
    HitsBody,
    JobAnswer,
    JobsBody,
    RetriedBody,
    SubmittedBody,
    TenantUsageBody,
    VocabulariesBody,
    VocabularyAnswer,
)
_REQUESTS = (CredentialsRequest, JobRequest, VocabularyRequest)
_REFERENCE = "#/components/schemas/{model}"


def answer(model: type[BaseModel], description: str = "Successful Response") -> JsonObject:
    """Return an entry for the `responses` of a route."""
    return {"description": description, "content": _json(model)}


def refusals(*statuses: int) -> dict[int | str, JsonObject]:
    """Return entries for errors."""
    return {status: answer(ErrorBody, _REASONS[status]) for status in statuses}


def body_of(model: type[BaseModel]) -> JsonObject:
    """Return a route's `requestBody`. FastAPI cannot infer it: routes read bodies themselves, for their own errors."""
    return {"required": True, "content": _json(model)}


def _json(model: type[BaseModel]) -> JsonObject:
    return {"application/json": {"schema": {"$ref": _REFERENCE.format(model=model.__name__)}}}


def add_schemas(app: FastAPI) -> None:
    """Add the schemas to the OpenAPI document when it is first requested.

    With `model` in `responses`, FastAPI would build them for each route while the server starts.
    """
    of_routes = app.openapi

    def openapi() -> JsonObject:
        document = of_routes()
        if ErrorBody.__name__ not in document["components"]["schemas"]:
            _add_answers(document)
            _add_requests(document)
        return document

    app.openapi = openapi  # type: ignore[method-assign]


def _add_answers(document: JsonObject) -> None:
    _, found = models_json_schema([(model, "serialization") for model in _ANSWERS], ref_template=_REFERENCE)
    document["components"]["schemas"].update(_without_nulls(found["$defs"]))


def _add_requests(document: JsonObject) -> None:
    """Replace references to requests by their schemas."""
    of_requests = {_REFERENCE.format(model=model.__name__): model for model in _REQUESTS}
    for operations in document["paths"].values():
        for operation in operations.values():
            for content in operation.get("requestBody", {}).get("content", {}).values():
                schema = of_requests[content["schema"]["$ref"]].model_json_schema(mode="validation")
                content["schema"] = _without_nulls(_inline(schema, schema.pop("$defs", {})))


def _without_nulls(schema: JsonObject) -> Any:
    """Omit the defaults of optional fields, which are null, as FastAPI does."""
    return jsonable_encoder(schema, exclude_none=True)


def _inline(schema: Any, definitions: dict[str, Any]) -> Any:
    """Replace references into the schema's own `$defs`, which are invalid inside an OpenAPI document."""
    if isinstance(schema, list):
        return [_inline(item, definitions) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return _inline(
            {**definitions[name], **{key: value for key, value in schema.items() if key != "$ref"}}, definitions
        )
    return {key: _inline(value, definitions) for key, value in schema.items()}
