"""The names that other programs may import. A change of one is deliberate: it also changes the table in this test."""

from __future__ import annotations

import importlib
import inspect
import re
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.documents import ROOT

#: The exported names of each package, with signatures; a property has none. `AsyncClient` is derived from `Client`.
CLIENT = {
    "Client": (
        "(server: str, *, api_key: str | None = None, api_secret: str | None = None, timeout_sec: float = 30.0) -> None"
    ),
    "Client.cancel": "(self, job_id: str) -> None",
    "Client.close": "(self) -> None",
    "Client.create_vocabulary": ("(self, body: JsonObject, *, idempotency_key: str | None = None) -> ListedVocabulary"),
    "Client.delete": "(self, job_id: str) -> None",
    "Client.delete_vocabulary": "(self, vocabulary_id: str) -> None",
    "Client.deliveries": "(self, job_id: str) -> SentEvents",
    "Client.dry_run": "(self, body: JsonObject | None = None, **fields: Unpack[JobFields]) -> PlannedJob",
    "Client.file": "(self, job_id: str, file_id: str) -> FileStatus",
    "Client.files": (
        "(self, job_id: str, *, state: str | None = None, page_size: int | None = None) -> Iterator[FileStatus]"
    ),
    "Client.job": "(self, job_id: str) -> JobStatus",
    "Client.jobs": "(self, *, state: str | None = None, limit: int | None = None) -> Iterator[JobStatus]",
    "Client.renew_credentials": (
        "(self, job_id: str, *, input_auth: JsonObject | None = None, output_auth: JsonObject | None = None) -> None"
    ),
    "Client.replay": "(self, job_id: str, event_id: str) -> SentEvent",
    "Client.retry": (
        "(self, job_id: str, *, input_auth: JsonObject | None = None, output_auth: JsonObject | None = None)"
        " -> JobStatus"
    ),
    "Client.search": "(self, query: str, *, limit: int | None = None) -> Iterator[SpokenMatch]",
    "Client.server": "",
    "Client.submit": (
        "(self, body: JsonObject | None = None, *, idempotency_key: str | None = None, "
        "traceparent: str | None = None, **fields: Unpack[JobFields])"
        " -> SubmittedJob"
    ),
    "Client.vocabularies": "(self, *, limit: int | None = None) -> Iterator[ListedVocabulary]",
    "Client.vocabulary": "(self, vocabulary_id: str) -> ListedVocabulary",
    "Client.wait": (
        "(self, job_id: str, *, timeout_sec: float | None = None,"
        " pace: PollSchedule = PollSchedule(first_sec=0.5, growth=1.5, longest_sec=5.0, outage_sec=60.0),"
        " on_poll: Callable[[JobStatus], None] = <function>) -> JobStatus"
    ),
}
WEBHOOK = {
    "verify_webhook": (
        "(body: bytes, headers: Mapping[str, str], *, secret: str, now: float | None = None, tolerance_sec: int = 300)"
        " -> WebhookEvent"
    )
}
BOTH = CLIENT | {f"Async{name}": each.replace("Iterator[", "AsyncIterator[") for name, each in CLIENT.items()} | WEBHOOK
PUBLIC = {
    "batchscribe": {"__version__": ""} | BOTH,
    "batchscribe.client": {
        "PollSchedule": (
            "(first_sec: float = 0.5, growth: float = 1.5, longest_sec: float = 5.0, outage_sec: float = 60.0) -> None"
        ),
        "PollSchedule.first_sec": "",
        "PollSchedule.growth": "",
        "PollSchedule.longest_sec": "",
        "PollSchedule.outage_sec": "",
    }
    | BOTH,
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


@pytest.mark.parametrize("name", BOTH)
def test_the_documents_name_everything_in_the_clients(name: str) -> None:
    assert re.search(rf"\b{name.rpartition('.')[2]}\b", (ROOT / "docs" / "client.md").read_text())


def test_a_process_that_imports_the_package_loads_no_client() -> None:
    """Processes of decoders and engines import `batchscribe`."""
    code = "import sys, batchscribe; print([name for name in ('httpx2', 'pydantic', 'jwt') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_process_that_imports_the_polling_loads_no_http_client() -> None:
    """`batchscribe jobs` without a server."""
    code = "import sys, batchscribe.client.polling; print('httpx2' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


@pytest.mark.parametrize("package", PUBLIC)
def test_another_name_is_not_found(package: str) -> None:
    with pytest.raises(AttributeError, match="has no attribute 'Clients'"):
        importlib.import_module(package).Clients  # noqa: B018
