"""The names that other programs may import. A change of one is deliberate: it also changes the table in this test."""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Iterator

import pytest

from tests.documents import ROOT

#: The exported names of each package, with signatures; a property has none.
PUBLIC = {
    "batchscribe": {"__version__": ""},
    "batchscribe.client": {
        "Client": (
            "(server: str, *, api_key: str | None = None, api_secret: str | None = None, timeout_sec: float = 30.0)"
            " -> None"
        ),
        "Client.cancel": "(self, job_id: str) -> None",
        "Client.close": "(self) -> None",
        "Client.create_vocabulary": "(self, body: JsonObject, *, idempotency_key: str | None = None) -> JsonObject",
        "Client.delete": "(self, job_id: str) -> None",
        "Client.delete_vocabulary": "(self, vocabulary_id: str) -> None",
        "Client.deliveries": "(self, job_id: str) -> JsonObject",
        "Client.dry_run": "(self, body: JsonObject) -> JsonObject",
        "Client.file": "(self, job_id: str, file_id: str) -> JsonObject",
        "Client.files": (
            "(self, job_id: str, *, state: str | None = None, page_size: int | None = None) -> Iterator[JsonObject]"
        ),
        "Client.job": "(self, job_id: str) -> JsonObject",
        "Client.jobs": "(self, *, state: str | None = None, limit: int | None = None) -> Iterator[JsonObject]",
        "Client.renew_credentials": (
            "(self, job_id: str, *, input_auth: JsonObject | None = None, output_auth: JsonObject | None = None, "
            "input_aws: JsonObject | None = None, output_aws: JsonObject | None = None) -> None"
        ),
        "Client.search": "(self, query: str, *, limit: int | None = None) -> Iterator[JsonObject]",
        "Client.replay": "(self, job_id: str, event_id: str) -> JsonObject",
        "Client.retry": (
            "(self, job_id: str, *, input_auth: JsonObject | None = None, output_auth: JsonObject | None = None)"
            " -> JsonObject"
        ),
        "Client.server": "",
        "Client.submit": "(self, body: JsonObject, *, idempotency_key: str | None = None) -> JsonObject",
        "Client.vocabularies": "(self, *, limit: int | None = None) -> Iterator[JsonObject]",
        "Client.vocabulary": "(self, vocabulary_id: str) -> JsonObject",
        "Client.wait": (
            "(self, job_id: str, *, timeout_sec: float | None = None,"
            " pace: PollSchedule = PollSchedule(first_sec=0.5, growth=1.5, longest_sec=5.0, outage_sec=60.0),"
            " on_poll: Callable[[JsonObject], None] = <function>) -> JsonObject"
        ),
        "PollSchedule": (
            "(first_sec: float = 0.5, growth: float = 1.5, longest_sec: float = 5.0, outage_sec: float = 60.0) -> None"
        ),
        "PollSchedule.first_sec": "",
        "PollSchedule.growth": "",
        "PollSchedule.longest_sec": "",
        "PollSchedule.outage_sec": "",
    },
}


def exported(package: str) -> dict[str, str]:
    module = importlib.import_module(package)
    return dict(found for name in module.__all__ for found in public_names(name, getattr(module, name)))


def public_names(name: str, value: object) -> Iterator[tuple[str, str]]:
    """A name with its signature; of a class, those of its public members, too."""
    yield name, signature(value)
    if inspect.isclass(value):
        for member, each in vars(value).items():
            if not member.startswith("_"):
                yield f"{name}.{member}", signature(each)


def signature(value: object) -> str:
    if not callable(value):
        return ""
    return re.sub(r"<function \S+ at \w+>", "<function>", str(inspect.signature(value)).replace("'", ""))


@pytest.mark.parametrize("package", PUBLIC)
def test_the_public_names_and_signatures_change_only_on_purpose(package: str) -> None:
    assert exported(package) == PUBLIC[package]


@pytest.mark.parametrize("package", PUBLIC)
def test_a_star_import_gives_exactly_the_public_names(package: str) -> None:
    namespace: dict[str, object] = {}
    exec(f"from {package} import *", namespace)  # noqa: S102
    assert namespace.keys() - {"__builtins__"} == {name for name in PUBLIC[package] if "." not in name}


@pytest.mark.parametrize(
    "name", [name for name in PUBLIC["batchscribe.client"] if not name.startswith("PollSchedule.")]
)
def test_the_documents_name_everything_in_the_client(name: str) -> None:
    text = (ROOT / "docs" / "http.md").read_text()
    section = text[text.index("## From Python") :].partition("\n## ")[0]
    assert re.search(rf"\b{name.rpartition('.')[2]}\b", section)
