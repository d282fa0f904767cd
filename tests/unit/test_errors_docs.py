"""`docs/errors.md` and the statuses in `docs/http.md` against the package `errors`."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator

from batchscribe import errors
from batchscribe.api.error_answers import STATUSES
from batchscribe.errors import BatchscribeError, WorkInterrupted
from tests.documents import ROOT, table_rows

ERRORS = ROOT / "docs" / "errors.md"
HTTP = ROOT / "docs" / "http.md"
SOURCE = ROOT / "src" / "batchscribe"


def subclasses(kind: type[BatchscribeError]) -> Iterator[type[BatchscribeError]]:
    for each in kind.__subclasses__():
        yield each
        yield from subclasses(each)


ALL = list(subclasses(BatchscribeError))
#: Only commands raise these, and the server before it listens.
AT_START = {errors.AlreadyRunning, errors.DataDirectoryBusy, errors.InvalidSetting, errors.ModelNotFound}
CODES = {each.__dict__["code"]: each for each in ALL if "code" in each.__dict__}


def test_the_document_has_every_code_once_and_no_other() -> None:
    assert sorted(row[0] for row in table_rows(ERRORS)) == sorted(f"`{code}`" for code in CODES)


def test_no_two_errors_share_a_code() -> None:
    assert len(CODES) == len([each for each in ALL if "code" in each.__dict__])


def test_an_error_without_a_code_is_never_the_outcome_of_anything() -> None:
    """Its own subclasses are raised instead. An interruption only ends the attempt."""
    source = "".join(path.read_text() for path in SOURCE.rglob("*.py") if "errors" not in path.parts)
    groups = {each.__name__ for each in ALL if not hasattr(each, "code") and not issubclass(each, WorkInterrupted)}
    assert groups == {"MediaError", "ModelError", "DiarizationError", "JobError"}
    assert [name for name in sorted(groups) if re.search(rf"\b{name}\(", source)] == []


def test_every_error_says_what_happened_and_what_to_do() -> None:
    for code, happened, next_step in table_rows(ERRORS):
        assert happened.endswith("."), code
        assert next_step.endswith("."), code


def test_the_tree_at_the_top_of_the_package_names_every_class() -> None:
    tree = inspect.getdoc(errors) or ""
    assert [each.__name__ for each in ALL if not re.search(rf"─ {each.__name__}\b", tree)] == []


def test_the_package_exports_every_class() -> None:
    assert {each.__name__ for each in ALL} <= set(errors.__all__)


def test_the_table_of_statuses_says_what_the_server_answers() -> None:
    """Every error that has a status of its own is in it, and every one of usage that a route may raise."""
    documented = {
        code: int(row[0])
        for row in table_rows(HTTP)
        if re.fullmatch(r"[1-5]\d\d", row[0])
        for code in re.findall(r"`([A-Z_]+)`", row[1])
    }
    assert documented == {code: http_status(CODES[code]) for code in documented}
    answered = {*STATUSES, *subclasses(errors.UsageError)} - AT_START - {errors.UsageError, errors.StorageError}
    assert {each.code for each in answered if hasattr(each, "code")} <= set(documented)


def http_status(kind: type[BatchscribeError]) -> int:
    return next((status for known, status in STATUSES.items() if issubclass(kind, known)), 500)
