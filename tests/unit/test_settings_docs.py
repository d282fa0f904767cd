"""`docs/settings.md` against `settings.py`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic.fields import FieldInfo

from batchscribe.old_settings import OldSettings
from batchscribe.settings import Settings
from tests.documents import DOCUMENTS, ROOT, table_rows

SETTINGS = ROOT / "docs" / "settings.md"


def variable(name: str) -> str:
    return f"BATCHSCRIBE_{name.upper()}"


def shown_default(field: FieldInfo) -> str:
    default: Any = field.default
    if field.default_factory is not None:
        return "computed"
    if default is None or default == ():
        return "none"
    if isinstance(default, tuple):
        return f"`{','.join(map(str, default))}`"
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


def test_the_table_of_settings_says_what_the_code_says() -> None:
    in_code = [
        [f"`{variable(name)}`", shown_default(field), field.description]
        for name, field in Settings.model_fields.items()
    ]
    assert table_rows(SETTINGS) == in_code


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_setting_that_a_document_names_exists(document: Path) -> None:
    known = {variable(name) for name in Settings.model_fields | OldSettings.model_fields}
    text = document.read_text()
    words = {word.strip("`.,;:()|'\"") for word in text.replace("=", " ").split()}
    named = {word for word in words if word.startswith("BATCHSCRIBE_") and "*" not in word}
    assert named <= known
