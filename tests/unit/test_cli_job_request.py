"""The options of `transcribe` and `jobs submit` as requests."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from batchscribe.cli.job_request import build_local_requests, build_server_request
from batchscribe.cli.options import JobOptions, Layout
from batchscribe.cli.text_files import read_json_object, read_lines
from batchscribe.errors import UsageError
from batchscribe.wire.choices import DetectionMode, OutputFormat, OutputLayout, SegmentationMode
from batchscribe.wire.config import DEFAULT_LANGUAGE
from batchscribe.wire.request import JobRequest, parse_job_request

KEYS = {"AWS_ACCESS_KEY_ID": "key-id", "AWS_SECRET_ACCESS_KEY": "key-secret"}
AUTH = {"aws": {"access_key_id": "key-id", "secret_access_key": "key-secret"}}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with `call.wav`, `recording` and `calls/`; no keys in the environment."""
    (tmp_path / "call.wav").touch()
    (tmp_path / "recording").touch()
    (tmp_path / "calls").mkdir()
    (tmp_path / "lines.txt").write_text("calls\n")
    monkeypatch.chdir(tmp_path)
    for name in (*KEYS, "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def request(*inputs: str, output: str | None = "s3://out/", secret: str | None = None, **options: Any) -> Any:
    return build_server_request(JobOptions(inputs=inputs, output=output, **options), webhook_secret=secret)


def standard_input(monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_a_manifest_from_windows_and_odd_names_in_it(tmp_path: Path, ending: str) -> None:
    lines = ["# mine", "  s3://calls/a b.wav\t", "", "   ", "s3://calls/x\u2028y\x0b\x85z.wav", "s3://calls/last.wav"]
    (tmp_path / "list.txt").write_bytes(b"\xef\xbb\xbf" + ending.join(lines).encode())
    expected = ("s3://calls/a b.wav", "s3://calls/x\u2028y\x0b\x85z.wav", "s3://calls/last.wav")
    assert read_lines(str(tmp_path / "list.txt")) == expected


def test_omitted_options_are_left_to_the_server() -> None:
    assert request("s3://calls/a.wav") == {
        "input": {"uri": "s3://calls/a.wav"},
        "output": {"uri": "s3://out/"},
        "config": {},
    }


def test_every_option_has_its_field() -> None:
    body = request(
        "s3://calls/",
        layout=Layout.PREFIX,
        include=["*.wav"],
        exclude=["drafts/**"],
        language="de-DE",
        language_detection=DetectionMode.CONTINUOUS,
        words=True,
        word_confidence=True,
        channels=True,
        profanity_filter=True,
        vocabulary_id="vocab_1",
        segmentation=SegmentationMode.NONE,
        formats=[OutputFormat.JSON],
        overwrite=True,
        reference_id="october",
        webhook_url="https://host/hook",
        secret="hush",
    )
    assert body == {
        "input": {
            "uri": "s3://calls/",
            "filters": {"include_globs": ["*.wav"], "exclude_globs": ["drafts/**"]},
        },
        "output": {"uri": "s3://out/", "overwrite": True, "layout": "PREFIX"},
        "config": {
            "language": "de-DE",
            "language_detection": {"mode": "continuous"},
            "word_time_offsets": True,
            "word_confidence": True,
            "vocabulary_id": "vocab_1",
            "profanity_filter": True,
            "channel_separation": True,
            "segmentation_mode": "none",
            "output_format": "json",
        },
        "reference_id": "october",
        "notifications": {"webhook_url": "https://host/hook", "secret": "hush"},
    }
    assert parse_job_request(body).reference_id == "october"  # the server would accept it


@pytest.mark.parametrize(
    ("speakers", "expected"),
    [
        ("auto", {}),
        (" AUTO ", {}),
        ("2", {"num_speakers": 2}),
        ("2-5", {"min_speakers": 2, "max_speakers": 5}),
        ("3-3", {"min_speakers": 3, "max_speakers": 3}),
    ],
)
def test_speakers_are_a_number_a_range_or_found_out(speakers: str, expected: dict[str, int]) -> None:
    assert request("s3://calls/a.wav", speakers=speakers)["config"] == {"diarization": True, **expected}


@pytest.mark.parametrize("speakers", ["", "two", "2-", "-2", "2 - 5", "1000", "2.5", "\uff12"])
def test_anything_else_is_refused_with_the_forms(speakers: str) -> None:
    with pytest.raises(UsageError, match="use auto, a number such as 2, or a range such as 2-5"):
        request("s3://calls/a.wav", speakers=speakers)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"speakers": "0"}, "--speakers must be at least 1"),
        ({"speakers": "101"}, "--speakers must be at most 100"),
        ({"speakers": "5-2"}, "--speakers: It is larger than max_speakers"),
        ({"speakers": "auto", "channels": True}, "--speakers: It cannot be combined with --channels, because"),
    ],
)
def test_speakers_that_are_impossible_are_refused_by_the_option(
    folder: Path, options: dict[str, Any], reason: str
) -> None:
    with pytest.raises(UsageError) as refused:
        build_local_requests(JobOptions(inputs=(str(folder / "call.wav"),), output="out/", **options))
    assert reason in str(refused.value)


def test_a_vocabulary_file_becomes_the_vocabulary_of_the_job(folder: Path) -> None:
    (folder / "names.txt").write_text("Ada\nAda: eider, aida\n")
    expected = {"phrases": ["Ada"], "aliases": [{"canonical": "Ada", "variants": ["eider", "aida"]}]}
    assert request("s3://calls/a.wav", vocabulary="names.txt")["config"] == {"vocabulary": expected}


def test_a_webhook_secret_is_never_sent_without_its_url() -> None:
    assert "notifications" not in request("s3://calls/", secret="hush")
    assert request("s3://calls/", webhook_url="https://host/")["notifications"] == {"webhook_url": "https://host/"}


def test_local_paths_become_uris_of_this_machine(folder: Path) -> None:
    assert request("call.wav")["input"] == {"uri": (folder / "call.wav").as_uri(), "mode": "SINGLE"}
    assert request("recording")["input"]["mode"] == "SINGLE"  # by its name it could be a folder
    assert request("calls")["input"] == {"uri": f"{(folder / 'calls').as_uri()}/"}
    assert request("call.wav", "recording")["input"]["manifest"][1] == (folder / "recording").as_uri()
    assert request("calls", output="calls")["output"]["uri"] == f"{(folder / 'calls').as_uri()}/"
    assert request("calls", output="new.json")["output"]["uri"] == (folder / "new.json").as_uri()
    assert request("calls", output="new/")["output"]["uri"] == f"{(folder / 'new').as_uri()}/"


def test_several_inputs_are_a_manifest_and_so_is_a_file_of_one(folder: Path) -> None:
    uris = ["s3://calls/a.wav", "https://host/b.wav?signature=x"]
    assert request(*uris)["input"] == {"manifest": uris}
    (folder / "calls.txt").write_text(f"# of october\n\n  {uris[0]}  \n")
    assert request(manifest="calls.txt")["input"] == {"manifest": uris[:1]}


def test_a_manifest_may_come_from_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    standard_input(monkeypatch, "s3://calls/ä.wav\r\n#\r\ns3://calls/b.wav".encode())
    assert read_lines("-") == ("s3://calls/ä.wav", "s3://calls/b.wav")


@pytest.mark.parametrize(
    ("source", "output", "sides"),
    [
        ("s3://calls/", "s3://out/", {"input", "output"}),
        ("s3://calls/", "file:///out/", {"input"}),
        ("https://host/a.wav", "s3://out/", {"output"}),
        ("file:///calls/", "file:///out/", set()),
    ],
)
def test_each_side_gets_the_keys_of_the_environment_if_it_is_in_s3(
    monkeypatch: pytest.MonkeyPatch, source: str, output: str, sides: set[str]
) -> None:
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    body = request(source, output=output)
    assert {side for side in ("input", "output") if body[side].get("auth") == AUTH} == sides
    assert {side for side in ("input", "output") if "auth" in body[side]} == sides


def test_beside_recordings_in_s3_both_sides_get_the_keys_with_their_token(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {**KEYS, "AWS_SESSION_TOKEN": "token"}.items():
        monkeypatch.setenv(name, value)
    body = request("s3://calls/", output=None, layout=Layout.ADJACENT)
    assert body["output"] == {"layout": "ADJACENT", "auth": {"aws": {**AUTH["aws"], "session_token": "token"}}}
    assert body["input"]["auth"] == body["output"]["auth"]


@pytest.mark.parametrize(
    ("inputs", "options", "told"),
    [
        (("nowhere.wav",), {}, r"nowhere\.wav does not exist; name a file, a folder, a quoted glob or a URI"),
        (("",), {}, "An empty name was given"),
        ((), {}, "No recording was named"),
        (("s3://a/\udcff.wav",), {}, "a URI must be UTF-8 text"),
        (("s3://a/b.wav",), {"output": None}, "Set the destination with --output"),
        (("s3://a/",), {"layout": Layout.ADJACENT}, "omit --output"),
        (
            ("s3://a/b.wav", "s3://a/c.wav"),
            {"include": ("*",)},
            "selects files in folders and prefixes, but no folder or prefix was given",
        ),
        (("s3://a/b.wav", "s3://a/calls/"), {}, "Several INPUTs must be files"),
        (("s3://a/b.wav", "s3://a/*.wav"), {}, "Several INPUTs must be files"),
        ((), {"manifest": "lines.txt", "include": ("*",)}, "select files in a folder or prefix"),
        ((), {"manifest": "lines.txt"}, "calls is a folder; a manifest names files"),
        (("s3://a/b.wav",), {"manifest": "-"}, "as arguments or in --manifest, not both"),
        ((), {"manifest": "nowhere.txt"}, r"nowhere\.txt cannot be read: No such file"),
        ((), {"manifest": "call.wav"}, "No recording was named"),
    ],
)
def test_what_cannot_be_meant_is_refused(inputs: tuple[str, ...], options: dict[str, Any], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        request(*inputs, **options)


def test_half_a_key_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "half")
    with pytest.raises(UsageError, match="Set both AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"):
        request("s3://calls/")


def test_a_request_is_read_from_a_file_or_from_standard_input(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    body = {"input": {"uri": "s3://calls/"}, "made_up": [1, None]}
    (folder / "job.json").write_text(json.dumps(body))
    assert read_json_object("job.json") == body
    standard_input(monkeypatch, json.dumps(body).encode())
    assert read_json_object("-") == body


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b'{"secret": }', r"job\.json is not JSON: Expecting value in line 1"),
        (b"[]", r"job\.json is not a JSON object"),
        (b"[" * 100_000, r"job\.json is not a job: it is too deeply nested"),
        (b'{"input": ' + b"9" * 5000 + b"}", r"job\.json is not a job: .* huge number"),
        (b"\xff\xfe", r"job\.json is not UTF-8 text"),
    ],
)
def test_a_request_that_is_not_a_json_object_is_rejected_without_showing_it(
    folder: Path, content: bytes, told: str
) -> None:
    (folder / "job.json").write_bytes(content)
    with pytest.raises(UsageError, match=told) as refused:
        read_json_object("job.json")
    assert "secret" not in str(refused.value)


# --- both commands --------------------------------------------------------------------------------------------------


def parse_both(options: JobOptions) -> tuple[JobRequest, JobRequest]:
    """Parse it like the server and like this machine."""
    (local,) = build_local_requests(options)
    return parse_job_request(build_server_request(options, webhook_secret=None)), local


@pytest.mark.parametrize(
    "options",
    [
        JobOptions(("call.wav",), output="out"),
        JobOptions(("call.wav",), output="calls"),
        JobOptions(("recording",), layout=Layout.ADJACENT),
        JobOptions(("calls",), output="out", include=["*.wav"], exclude=["drafts/**"]),
        JobOptions(("calls/*.wav",), output="out", exclude=["drafts/**"]),
        JobOptions(("s3://b/calls/**/*.{wav,mp3}",), output="s3://out"),
        JobOptions(("s3://b/calls",), output="s3://b/out", layout=Layout.PREFIX, overwrite=True),
        JobOptions(("call.wav", "recording"), output="out/"),
        JobOptions(("s3://b/a.wav", "s3://b/c.wav"), layout=Layout.ADJACENT),
        JobOptions(("call.wav",), output="a.json", language="auto", words=True, channels=True),
        JobOptions(
            ("call.wav",),
            output="a.json",
            layout=Layout.SINGLE,
            segmentation=SegmentationMode.NONE,
            formats=[OutputFormat.JSON],
        ),
    ],
    ids=lambda options: " ".join(options.inputs),
)
def test_both_commands_build_equal_requests(monkeypatch: pytest.MonkeyPatch, options: JobOptions) -> None:
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    served, local = parse_both(options)
    assert local == served


@pytest.mark.parametrize(
    ("inputs", "output", "expected"),
    [
        (["s3://b/a.wav"], "s3://b/out", OutputLayout.SINGLE),
        (["s3://b/a.wav"], "s3://b/out.json", OutputLayout.SINGLE),
        (["s3://b/a.wav"], "s3://b/out/", OutputLayout.PREFIX),
        (["s3://b/a.wav"], "s3://out", OutputLayout.PREFIX),
        (["call.wav"], "new", OutputLayout.SINGLE),
        (["call.wav"], "new/", OutputLayout.PREFIX),
        (["call.wav"], "calls", OutputLayout.PREFIX),
        (["recording"], "s3://b/a.json", OutputLayout.SINGLE),
        (["call.wav", "recording"], "a.json", OutputLayout.PREFIX),
        (["calls"], "a.json", OutputLayout.PREFIX),
        (["calls/*.wav"], "a.json", OutputLayout.PREFIX),
        (["s3://b/calls"], "s3://b/out", OutputLayout.PREFIX),
    ],
)
def test_the_layout_is_inferred_by_one_rule(inputs: list[str], output: str, expected: OutputLayout) -> None:
    served, local = parse_both(JobOptions(tuple(inputs), output=output))
    assert (served.output.layout, local.output.layout) == (expected, expected)


def test_a_glob_is_a_prefix_with_an_include_in_s3_and_on_this_machine(folder: Path) -> None:
    in_s3, here = (request(glob)["input"] for glob in ("s3://b/2026/**/*.wav", "calls/*.wav"))
    assert in_s3 == {"uri": "s3://b/2026/", "filters": {"include_globs": ["/**/*.wav"]}}
    assert here == {"uri": f"{(folder / 'calls').as_uri()}/", "filters": {"include_globs": ["/*.wav"]}}
    assert request("s3://b/*.wav", exclude=["x*"])["input"]["filters"]["exclude_globs"] == ["x*"]


def test_files_folders_and_globs_are_requests_of_one_job(folder: Path) -> None:
    options = JobOptions(("call.wav", "recording", "calls", "calls/*.wav", "s3://b/a.wav"), output="out")
    requests = build_local_requests(options)
    assert [request.input.mode for request in requests] == ["MANIFEST", "PREFIX", "PREFIX", "SINGLE"]
    assert {request.output for request in requests} == {requests[0].output}
    assert requests[0].output.layout is OutputLayout.PREFIX


def test_a_thousand_and_one_files_are_within_the_limit_of_a_machine(folder: Path) -> None:
    names = [f"{number}.wav" for number in range(1001)]
    for name in names:
        (folder / name).touch()
    (local,) = build_local_requests(JobOptions(tuple(names), output="out/"))
    assert len(local.input.uris) == 1001


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (JobOptions(("call.wav",), output="out", layout=Layout.ADJACENT), "omit --output"),
        (JobOptions(("call.wav",), layout=Layout.PREFIX), "--layout prefix needs --output"),
        (JobOptions(("call.wav",), layout=Layout.SINGLE), "--layout single needs --output"),
        (JobOptions(("call.wav", "recording"), output="x.json", layout=Layout.SINGLE), "is for one recording"),
        (JobOptions(("calls", "recording"), output="x.json", layout=Layout.SINGLE), "is for one recording"),
        (JobOptions((".",), output="x.json", layout=Layout.SINGLE), "is for one recording"),
        (JobOptions(("call.wav",), output="out/", layout=Layout.SINGLE), "not a folder"),
        (JobOptions(("call.wav",), output=".", layout=Layout.SINGLE), "not a folder"),
        (JobOptions(("call.wav",), output="call.wav"), "--output: The transcript would replace its own recording"),
        (JobOptions(("call.wav",), output="x.mp3"), "--output: The transcript's name has the extension of a recording"),
        (JobOptions(("call.wav",), output="https://host/a"), "--output: Transcripts cannot be written to https://"),
        (JobOptions(("call.wav",), output=""), "An empty name was given"),
        (JobOptions(("s3://b/a/", "gs://c/b/"), output="out"), "The INPUTs are in 2 clouds (gs, s3)"),
        (JobOptions(("call.wav",), output="gcs://b/out"), "write gs://bucket/key"),
        (JobOptions(("call.wav",), output="out", language=""), "--language must not be empty"),
        (JobOptions(("calls",), output="out", include=["x" * 2000]), "--include may have at most 1024 characters"),
    ],
)
def test_what_does_not_go_together_is_refused_in_the_words_of_options(options: JobOptions, sentence: str) -> None:
    with pytest.raises(UsageError) as refused:
        build_local_requests(options)
    assert sentence in refused.value.message


LANGUAGES: list[tuple[str | None, DetectionMode | None, str, DetectionMode | None]] = [
    (None, None, DEFAULT_LANGUAGE, None),
    ("de-DE", None, "de-DE", None),
    ("auto", None, DEFAULT_LANGUAGE, DetectionMode.ONCE),
    (" AUTO ", None, DEFAULT_LANGUAGE, DetectionMode.ONCE),
    ("auto", DetectionMode.CONTINUOUS, DEFAULT_LANGUAGE, DetectionMode.CONTINUOUS),
    (None, DetectionMode.ONCE, DEFAULT_LANGUAGE, DetectionMode.ONCE),
    (None, DetectionMode.CONTINUOUS, DEFAULT_LANGUAGE, DetectionMode.CONTINUOUS),
    ("de-DE", DetectionMode.CONTINUOUS, "de-DE", DetectionMode.CONTINUOUS),
]


@pytest.mark.parametrize(("language", "detection", "meant", "mode"), LANGUAGES)
def test_the_language_is_named_or_detected_as_the_options_say(
    language: str | None, detection: DetectionMode | None, meant: str, mode: DetectionMode | None
) -> None:
    options = JobOptions(("call.wav",), output="out/", language=language, language_detection=detection)
    for parsed in parse_both(options):
        assert (parsed.config.language, parsed.config.detection_mode) == (meant, mode)
