"""`docs/errors.md` against `errors.py`."""

from __future__ import annotations

import inspect

from batchscribe import errors
from tests.documents import ROOT, table_rows

ERRORS = ROOT / "docs" / "errors.md"


def error_classes() -> list[type[errors.BatchscribeError]]:
    """All but the base, which is never raised itself."""
    classes = [value for value in vars(errors).values() if inspect.isclass(value)]
    base = errors.BatchscribeError
    return [value for value in classes if issubclass(value, base) and value is not base]


def test_the_table_of_errors_has_every_code_once_and_no_other() -> None:
    in_code = sorted(f"`{error.code}`" for error in error_classes())
    assert sorted(row[0] for row in table_rows(ERRORS)) == in_code


def test_every_error_says_what_happened_and_what_to_do() -> None:
    for code, happened, next_step in table_rows(ERRORS):
        assert happened.endswith("."), code
        assert next_step.endswith("."), code


def test_the_tree_at_the_top_of_the_file_names_every_class() -> None:
    tree = inspect.getdoc(errors) or ""
    assert [error.__name__ for error in error_classes() if error.__name__ not in tree] == []


def test_no_two_errors_share_a_code() -> None:
    codes = [error.code for error in error_classes()]
    assert len(codes) == len(set(codes))
