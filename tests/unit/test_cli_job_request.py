"""The options of `jobs submit` as the body of a request."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from batchscribe.cli.given_text import read_json_object, read_lines
from batchscribe.cli.job_request import JobOptions, job_request
from batchscribe.cli.options import Layout, language_fields
from batchscribe.errors import UsageError
from batchscribe.wire.choices import DetectionMode, OutputFormat, SegmentationMode
from batchscribe.wire.request import parse_job_request

KEYS = {"AWS_ACCESS_KEY_ID": "key-id", "AWS_SECRET_ACCESS_KEY": "key-secret"}
AUTH = {"aws": {"access_key_id": "key-id", "secret_access_key": "key-secret"}}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with `call.wav`, `recording` and `calls/`; no keys in the environment."""
    (tmp_path / "call.wav").touch()
    (tmp_path / "recording").touch()
    (tmp_path / "calls").mkdir()
    monkeypatch.chdir(tmp_path)
    for name in (*KEYS, "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def request(*inputs: str, output: str | None = "s3://out/", secret: str | None = None, **options: Any) -> Any:
    return job_request(JobOptions(inputs=inputs, output=output, **options), webhook_secret=secret)


def standard_input(monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_a_manifest_from_windows_and_odd_names_in_it(tmp_path: Path, ending: str) -> None:
    lines = ["# mine", "  s3://calls/a b.wav\t", "", "   ", "s3://calls/x\u2028y\x0b\x85z.wav", "s3://calls/last.wav"]
    (tmp_path / "list.txt").write_bytes(b"\xef\xbb\xbf" + ending.join(lines).encode())
    expected = ("s3://calls/a b.wav", "s3://calls/x\u2028y\x0b\x85z.wav", "s3://calls/last.wav")
    assert read_lines(str(tmp_path / "list.txt")) == expected


def test_what_nobody_said_is_left_to_the_server() -> None:
    assert request("s3://calls/a.wav") == {
        "input": {"uri": "s3://calls/a.wav"},
        "output": {"uri": "s3://out/"},
        "config": {},
    }


def test_every_option_has_its_field() -> None:
    body = request(
        "s3://calls/",
        layout=Layout.PREFIX,
        include=("*.wav",),
        exclude=("drafts/**",),
        language=language_fields("de-DE", DetectionMode.CONTINUOUS),
        words=True,
        channels=True,
        segmentation=SegmentationMode.NONE,
        output_format=OutputFormat.JSON,
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
            "channel_separation": True,
            "segmentation_mode": "none",
            "output_format": "json",
        },
        "reference_id": "october",
        "notifications": {"webhook_url": "https://host/hook", "secret": "hush"},
    }
    assert parse_job_request(body).reference_id == "october"  # the server would take it


def test_a_webhook_secret_goes_nowhere_without_its_url() -> None:
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
        (("nowhere.wav",), {}, r"nowhere\.wav is not here, and it is no URI"),
        (("",), {}, "An empty name was given"),
        ((), {}, "Nothing to transcribe was named"),
        (("s3://a/\udcff.wav",), {}, "a URI is text in UTF-8"),
        (("s3://a/b.wav",), {"output": None}, "Say with --output where"),
        (("s3://a/",), {"layout": Layout.ADJACENT}, "leave --output out"),
        (("s3://a/b.wav", "s3://a/c.wav"), {"include": ("*",)}, "pick files of one folder or prefix"),
        (("s3://a/b.wav",), {"manifest": "-"}, "as arguments or in --manifest, not both"),
        ((), {"manifest": "nowhere.txt"}, r"nowhere\.txt cannot be read: No such file"),
        ((), {"manifest": "call.wav"}, "Nothing to transcribe was named"),
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
        (b"\xff\xfe", r"job\.json is not text in UTF-8"),
    ],
)
def test_a_request_that_is_no_json_object_is_refused_without_showing_it(
    folder: Path, content: bytes, told: str
) -> None:
    (folder / "job.json").write_bytes(content)
    with pytest.raises(UsageError, match=told) as refused:
        read_json_object("job.json")
    assert "secret" not in str(refused.value)
