"""docs/api.md is what the OpenAPI document says."""

from __future__ import annotations

import re

from tests.api_reference import API, openapi_document, render


def test_the_reference_is_the_one_that_would_be_written() -> None:
    """If it is not: `python -m tests.api_reference` writes it."""
    assert API.read_text() == render(openapi_document())


def test_every_route_status_and_object_of_the_document_is_in_the_reference() -> None:
    document, text = openapi_document(), API.read_text()
    routes = {f"`{method.upper()} {path}`" for path, methods in document["paths"].items() for method in methods}
    assert routes == set(re.findall(r"^(`[A-Z]+ /\S*`)$", text, re.MULTILINE))
    headings = set(re.findall(r"^### (\w+)$", text, re.MULTILINE))
    assert set(document["components"]["schemas"]) - headings == {"HTTPValidationError", "ValidationError"}
