"""The setting that narrows the formats of recordings, its old name, and its table in the documents."""

from __future__ import annotations

from pathlib import Path

import pytest

from batchscribe.errors import InvalidSetting
from batchscribe.input_formats import ALL_NAMES, INPUT_FORMATS, extensions_of
from batchscribe.old_settings import find_old_names
from batchscribe.settings import load_settings
from tests.documents import ROOT, table_rows

NEW, OLD = "BATCHSCRIBE_INPUT_FORMATS", "BATCHSCRIBE_EXTRA_FORMATS"


@pytest.fixture(autouse=True)
def without_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in (NEW, OLD):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("value", [None, ""])
def test_by_default_all_formats_are_accepted(value: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    if value is not None:
        monkeypatch.setenv(NEW, value)
    assert load_settings().input_formats == ALL_NAMES
    assert list(find_old_names()) == []


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("wav,mp3,m4a", ("wav", "mp3", "m4a")),
        ("FLAC", ("flac",)),
        (" .Opus , mp4, .m4a ,", ("m4a", "ogg")),
        ("mkv,weba", ("webm",)),
    ],
)
def test_names_and_extensions_narrow_them(
    value: str, expected: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(NEW, value)
    assert load_settings().input_formats == expected


@pytest.mark.parametrize("name", [NEW, OLD])
@pytest.mark.parametrize(
    ("value", "reason"),
    [("wav,m3u8", f"m3u8 is not an input format; use {', '.join(ALL_NAMES)}."), (",", "no format is named")],
)
def test_an_unknown_format_is_an_error_that_names_the_variable(
    name: str, value: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(InvalidSetting, match=f"^{name}: {reason}"):
        load_settings()


@pytest.mark.parametrize(
    ("value", "expected"), [("ogg", ("wav", "mp3", "m4a", "ogg")), ("opus,flac", ("wav", "mp3", "m4a", "flac", "ogg"))]
)
def test_the_old_variable_adds_to_the_formats_of_the_wire(
    value: str, expected: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(OLD, value)
    assert load_settings().input_formats == expected
    (notice,) = find_old_names()
    assert notice == f"{OLD} is now {NEW}; set {NEW}={','.join(expected)} instead, because the old name will go."


def test_both_variables_must_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(OLD, "flac")
    monkeypatch.setenv(NEW, "flac,mp4,mp3,wav")
    assert load_settings().input_formats == ("wav", "mp3", "m4a", "flac")
    monkeypatch.setenv(NEW, "flac")
    with pytest.raises(InvalidSetting, match=f"^{NEW} is flac, but {OLD}, its old name, means wav,mp3,m4a,flac; "):
        load_settings()


def test_the_table_of_formats_says_what_the_code_says() -> None:
    in_code = [
        [f"`{each.name}`", ", ".join(f"`.{extension}`" for extension in each.extensions)] for each in INPUT_FORMATS
    ]
    assert [row[:2] for row in table_rows(ROOT / "docs" / "recordings.md", "## Formats")] == in_code


def test_extensions_are_unique() -> None:
    extensions = extensions_of(ALL_NAMES)
    assert len(set(extensions)) == len(extensions)
