"""What the arguments of `transcribe` and `jobs submit` mean."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from batchscribe.cli.inputs import GlobOptions, read_inputs, read_output
from batchscribe.errors import UsageError
from batchscribe.jobs.source import Source, SourceKind

NO_FILTERS = GlobOptions()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, which is also the home: `calls/a.wav` and `calls/2026/b.wav`."""
    for name in ("calls/a.wav", "calls/2026/b.wav"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def read(*arguments: str, filters: GlobOptions = NO_FILTERS, on_server: bool = False) -> tuple[Source, ...]:
    return read_inputs(arguments, filters, on_server=on_server)


def only_source(argument: str, filters: GlobOptions = NO_FILTERS) -> Source:
    (source,) = read(argument, filters=filters)
    return source


def admitted(source: Source) -> set[str]:
    paths = ("a.wav", "a.mp3", "2026/b.wav", "2026/01/c.wav")
    return {path for path in paths if source.path_filter().admits(path)}


@pytest.mark.parametrize("argument", ["calls/a.wav", "./calls/../calls/a.wav", "~/calls/a.wav", "{folder}/calls/a.wav"])
def test_a_file_is_found_however_its_path_is_written(folder: Path, argument: str) -> None:
    argument = argument.replace("{folder}", str(folder))
    expected = (Source(SourceKind.FILE, (folder / "calls" / "a.wav").as_uri()),)
    assert read(argument) == read(argument, on_server=True) == expected


@pytest.mark.parametrize("argument", ["calls", "calls/"])
def test_a_folder_is_listed_with_the_filters(folder: Path, argument: str) -> None:
    source = only_source(argument, GlobOptions(include=("*.wav",), exclude=("2026/**",)))
    assert source == Source(SourceKind.PREFIX, (folder / "calls").as_uri() + "/", ("*.wav",), ("2026/**",))


@pytest.mark.parametrize(
    ("glob", "expected"),
    [
        ("calls/*.wav", {"a.wav"}),
        ("calls/**/*.wav", {"a.wav", "2026/b.wav", "2026/01/c.wav"}),
        ("~/calls/*.{wav,mp3}", {"a.wav", "a.mp3"}),
        ("calls/*/", {"2026/b.wav", "2026/01/c.wav"}),
        ("calls/2*/*.wav", {"2026/b.wav"}),
    ],
)
def test_a_glob_that_the_shell_left_alone_matches_as_deep_as_it_says(
    folder: Path, glob: str, expected: set[str]
) -> None:
    source = only_source(glob)
    assert source.uri == (folder / "calls").as_uri() + "/"
    assert admitted(source) == expected


def test_a_glob_in_the_current_folder_belongs_to_it(folder: Path) -> None:
    assert only_source("*.wav") == Source(SourceKind.PREFIX, folder.as_uri() + "/", ("/*.wav",))


def test_an_exclude_removes_files_from_a_glob(folder: Path) -> None:
    assert admitted(only_source("calls/**", GlobOptions(exclude=("*.mp3", "2026/01/**")))) == {"a.wav", "2026/b.wav"}


def test_a_file_whose_name_looks_like_a_glob_is_a_file(folder: Path) -> None:
    path = folder / "call[1]*.wav"
    path.touch()
    assert only_source("call[1]*.wav") == Source(SourceKind.FILE, path.as_uri())


def test_a_link_is_followed_when_it_was_named(folder: Path) -> None:
    (folder / "link.wav").symlink_to(folder / "calls" / "a.wav")
    assert read("link.wav") == read("calls/a.wav")


def test_a_file_uri_is_a_path_in_other_words(folder: Path) -> None:
    path = folder / "calls" / "büro 1%.wav"
    path.touch()
    assert only_source(path.as_uri()) == Source(SourceKind.FILE, path.as_uri())
    assert only_source((folder / "calls").as_uri() + "/*.wav").include == ("/*.wav",)


def test_a_name_that_is_not_text_is_still_a_file(folder: Path) -> None:
    path = folder / os.fsdecode(b"caf\xe9.wav")
    path.touch()
    assert only_source(str(path)).uri.endswith("/caf%E9.wav")


def test_the_same_input_twice_is_read_once(folder: Path) -> None:
    assert len(read("calls/a.wav", "./calls/a.wav", "calls", "calls/")) == 2


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("s3://b/calls/a.wav", Source(SourceKind.FILE, "s3://b/calls/a.wav")),
        ("S3://b/calls/a.wav", Source(SourceKind.FILE, "s3://b/calls/a.wav")),
        ("s3://b/calls/", Source(SourceKind.PREFIX, "s3://b/calls/")),
        ("s3://b/calls", Source(SourceKind.PREFIX, "s3://b/calls/")),
        ("s3://b", Source(SourceKind.PREFIX, "s3://b/")),
        ("s3://b/calls/**/*.wav", Source(SourceKind.PREFIX, "s3://b/calls/", ("/**/*.wav",))),
        ("s3://b/*.wav", Source(SourceKind.PREFIX, "s3://b/", ("/*.wav",))),
        ("s3://b/100%/a b.wav", Source(SourceKind.FILE, "s3://b/100%/a b.wav")),
    ],
)
def test_an_s3_location_is_recognized_by_its_spelling(uri: str, expected: Source) -> None:
    assert read(uri) == read(uri, on_server=True) == (expected,)


@pytest.mark.parametrize(
    ("argument", "sentence"),
    [
        ("", "An empty name was given"),
        ("nowhere.wav", "nowhere.wav does not exist"),
        ("calls/a.wav/b.wav", "calls/a.wav/b.wav does not exist"),
        ("~nobody-here/a.wav", "~nobody-here/a.wav does not exist"),
        ("nowhere/*.wav", "nowhere/*.wav matches nothing: there is no folder nowhere/."),
        ("pipe", "pipe is neither a file nor a folder."),
        ("loop", "loop cannot be read"),
        ("https://host/a.wav?signature=secret", "https:// recordings require a server"),
        ("ftp://host/a.wav", "ftp:// is not supported"),
        ("file://calls/a.wav", "A file:// URI must have no host"),
        ("s3:///a.wav", "The bucket is missing"),
        ("s3://b*/a.wav", "name the bucket in full"),
        (os.fsdecode(b"s3://b/caf\xe9.wav"), "a URI must be UTF-8 text"),
    ],
)
def test_what_cannot_be_an_input_is_refused_with_the_reason(folder: Path, argument: str, sentence: str) -> None:
    os.mkfifo(folder / "pipe")
    (folder / "loop").symlink_to(folder / "loop")
    with pytest.raises(UsageError) as refusal:
        read(argument)
    assert sentence in refusal.value.message
    assert "signature" not in refusal.value.message


@pytest.mark.parametrize(
    ("argument", "filters"),
    [
        ("calls/a.wav", GlobOptions(include=("*.wav",))),
        ("calls/*.wav", GlobOptions(include=("*.wav",))),
        ("calls/a.wav", GlobOptions(exclude=("*.wav",))),
    ],
)
def test_a_filter_that_would_do_nothing_is_refused(folder: Path, argument: str, filters: GlobOptions) -> None:
    with pytest.raises(UsageError, match=r"but (no folder or prefix|none of these) was given"):
        read(argument, filters=filters)


# --- for a server, which has other files than this machine --------------------------------------------------------


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("file:///nowhere/a.wav", Source(SourceKind.FILE, "file:///nowhere/a.wav")),
        ("file:///nowhere/calls", Source(SourceKind.PREFIX, "file:///nowhere/calls/")),
        ("file:///nowhere/calls/", Source(SourceKind.PREFIX, "file:///nowhere/calls/")),
        ("file:///nowhere/a%20b/*.wav", Source(SourceKind.PREFIX, "file:///nowhere/a%20b/", ("/*.wav",))),
        ("file:///nowhere/*/", Source(SourceKind.PREFIX, "file:///nowhere/", ("/*/",))),
        ("https://host/a.wav?signature=[x]*", Source(SourceKind.FILE, "https://host/a.wav?signature=[x]*")),
    ],
)
def test_a_uri_that_only_the_server_can_read_is_judged_by_its_name(uri: str, expected: Source) -> None:
    assert read(uri, on_server=True) == (expected,)


def test_a_file_uri_of_something_that_exists_here_too_is_what_it_is_here(folder: Path) -> None:
    (folder / "recording").touch()
    (folder / "calls.d").mkdir()
    file, calls = (folder / "recording").as_uri(), (folder / "calls.d").as_uri()
    expected = (Source(SourceKind.FILE, file), Source(SourceKind.PREFIX, f"{calls}/"))
    assert read(file, calls) == read(file, calls, on_server=True) == expected


@pytest.mark.parametrize("on_server", [False, True])
def test_an_output_folder_that_exists_ends_in_a_slash(folder: Path, on_server: bool) -> None:
    calls = (folder / "calls").as_uri()
    for argument in ("calls", "calls/", calls, f"{calls}/"):
        assert read_output(argument, on_server=on_server) == f"{calls}/"
    assert read_output("new", on_server=on_server) == (folder / "new").as_uri()
    assert read_output("new/", on_server=on_server) == (folder / "new").as_uri() + "/"
    assert read_output("S3://b/out", on_server=on_server) == "s3://b/out"


@pytest.mark.parametrize(("argument", "sentence"), [("", "An empty name"), ("gcs://b/o", "write gs://bucket/key")])
def test_what_cannot_be_an_output_is_refused(argument: str, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        read_output(argument, on_server=False)
