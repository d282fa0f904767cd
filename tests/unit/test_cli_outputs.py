"""Where `--output` and `--layout` send the transcripts."""

from __future__ import annotations

from pathlib import Path

import pytest

from batchscribe.cli.inputs import Filters, Inputs, read_inputs
from batchscribe.cli.options import Layout
from batchscribe.cli.outputs import output_root, read_output
from batchscribe.errors import UsageError
from batchscribe.wire.choices import OutputLayout, Place
from batchscribe.wire.output import Output


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with `a.wav` and `b.wav`."""
    for name in ("a.wav", "b.wav"):
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def inputs(*arguments: str) -> Inputs:
    return read_inputs(arguments or ("a.wav",), Filters())


def output(text: str | None, layout: Layout | None = None, *arguments: str) -> Output:
    return read_output(text, layout, inputs(*arguments), overwrite=False)


@pytest.mark.parametrize(
    ("text", "arguments", "expected"),
    [
        (None, ["a.wav"], OutputLayout.ADJACENT),
        (None, ["."], OutputLayout.ADJACENT),
        ("a.json", ["a.wav"], OutputLayout.SINGLE),
        ("s3://b/a.json", ["a.wav"], OutputLayout.SINGLE),
        ("out", ["a.wav"], OutputLayout.PREFIX),
        ("a.json", ["a.wav", "b.wav"], OutputLayout.PREFIX),
        ("a.json", ["."], OutputLayout.PREFIX),
    ],
)
def test_the_layout_is_told_from_output_and_inputs(
    text: str | None, arguments: list[str], expected: OutputLayout
) -> None:
    assert output(text, None, *arguments).layout is expected


def test_transcripts_beside_recordings_are_stored_where_those_are() -> None:
    assert output(None, None, "a.wav").destination is Place.FILE
    assert output(None, None, "s3://b/a.wav").destination is Place.S3


def test_a_folder_is_written_as_one_and_a_file_as_one(folder: Path) -> None:
    assert output("out").uri == (folder / "out").as_uri() + "/"
    assert output("s3://b/out").uri == "s3://b/out/"
    assert output("new/a.json").uri == (folder / "new" / "a.json").as_uri()
    assert output((folder / "out").as_uri()).uri == (folder / "out").as_uri() + "/"


def test_the_folder_to_write_to_is_made(folder: Path) -> None:
    assert output_root(output("x/y/out")) == folder / "x" / "y" / "out"
    assert output_root(output("z/a.json")) == folder / "z"
    assert (folder / "x" / "y" / "out").is_dir()
    assert (folder / "z").is_dir()


def test_a_place_in_s3_and_one_beside_the_input_need_no_folder() -> None:
    assert output_root(output("s3://b/out")) is None
    assert output_root(output(None)) is None


def test_a_file_in_the_place_of_the_folder_is_told() -> None:
    with pytest.raises(UsageError, match=r"b\.wav cannot be made"):
        output_root(output("b.wav"))


@pytest.mark.parametrize(
    ("text", "layout", "arguments", "sentence"),
    [
        ("out", Layout.ADJACENT, ["a.wav"], "leave --output out"),
        (None, Layout.PREFIX, ["a.wav"], "--layout prefix needs --output"),
        (None, Layout.SINGLE, ["a.wav"], "--layout single needs --output"),
        ("x.json", Layout.SINGLE, ["a.wav", "b.wav"], "is for one recording"),
        ("x.json", Layout.SINGLE, ["."], "is for one recording"),
        ("out/", Layout.SINGLE, ["a.wav"], "not a folder"),
        (".", Layout.SINGLE, ["a.wav"], "not a folder"),
        ("a.wav", Layout.SINGLE, ["a.wav"], "would replace its own recording"),
        ("", None, ["a.wav"], "An empty name was given"),
        ("gs://b/out", None, ["a.wav"], "gs:// is not supported yet"),
    ],
)
def test_what_does_not_go_together_is_refused(
    text: str | None, layout: Layout | None, arguments: list[str], sentence: str
) -> None:
    with pytest.raises(UsageError, match=sentence):
        output(text, layout, *arguments)
