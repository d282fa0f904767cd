"""The data of the reader: a user reads and plays files of the own tenant, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from batchscribe.transcript.formats import FORMATS
from tests.audio_files import noise, wav
from tests.contract.client import Client
from tests.contract.server import Key, Server
from tests.contract.strict import Json
from tests.contract.visitor import Visitor
from tests.cpu_time import TRIALS, cpu_sec, parsing_sec
from tests.transcripts import long_speech

MIB = 2**20
#: Two channels of 100 s: 6.4 MB, several parts.
CALL = wav(noise(100, channels=2))


def file_job(uri: str, **config: object) -> Json:
    return {
        "input": {"mode": "SINGLE", "source": "FILE", "uri": uri},
        "output": {"destination": "FILE", "layout": "ADJACENT"},
        "config": {"segmentation_mode": "none", "word_time_offsets": True} | config,
    }


def done(client: Client, body: Json) -> str:
    """Return the path of the first file of a job that has ended."""
    job = client.done(body)
    assert job["state"] == "SUCCEEDED", job
    return f"/jobs/{job['job_id']}/files/f_000001"


@pytest.fixture(scope="module")
def visitor(server: Server, alice_key: Key) -> Iterator[Visitor]:
    with Visitor.signed_in(server, alice_key) as visitor:
        yield visitor


@pytest.fixture(scope="module")
def other(server: Server, bob_key: Key) -> Iterator[Visitor]:
    with Visitor.signed_in(server, bob_key) as visitor:
        yield visitor


@pytest.fixture(scope="module")
def folder(recordings: Path) -> Path:
    """A folder that alice's URIs may name."""
    folder = recordings / "reader"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="module")
def recording(folder: Path) -> Path:
    path = folder / 'call <b>1" é.wav'
    path.write_bytes(CALL)
    return path


@pytest.fixture(scope="module")
def call(alice: Client, recording: Path) -> str:
    return done(alice, file_job(recording.as_uri(), channel_separation=True))


# --- transcript --------------------------------------------------------------------------------------------------


def test_a_transcript_has_what_the_page_shows(visitor: Visitor, call: str, recording: Path) -> None:
    stored = json.loads(recording.with_suffix(".json").read_bytes())
    shown = visitor.read(f"{call}/transcript")
    assert shown["duration_sec"] == 100.0
    assert shown["source"] == "transcript"
    assert shown["has_words"] is True
    assert [each["text"] for each in shown["segments"]] == [each["text"] for each in stored["result"]["segments"]]
    assert [each["label"] for each in shown["speakers"]] == ["Speaker 1L", "Speaker 1R"]
    assert [each["channel"] for each in shown["speakers"]] == [0, 1]
    first = stored["result"]["segments"][0]["words"][0]
    assert shown["segments"][0]["words"][0] == [first["word"], first["start"], first["end"], None]


def test_a_file_without_a_transcript_says_so(visitor: Visitor, alice: Client, folder: Path) -> None:
    broken = folder / "broken.wav"
    broken.write_bytes(b"RIFF")
    job = alice.done(file_job(broken.as_uri()))
    assert visitor.reason(f"/jobs/{job['job_id']}/files/f_000001/transcript", 404) == "TRANSCRIPT_NOT_FOUND"


def test_if_the_json_is_gone_the_text_comes_from_the_database(visitor: Visitor, alice: Client, folder: Path) -> None:
    path = folder / "gone.wav"
    path.write_bytes(wav(noise(5)))
    file = done(alice, file_job(path.as_uri()))
    before = visitor.read(f"{file}/transcript")
    for content in (b'{"request_id": "x", "duration_sec": NaN}', b"<script>alert(1)</script>", b"[" * 100_000, None):
        transcript = path.with_suffix(".json")
        transcript.unlink() if content is None else transcript.write_bytes(content)
        shown = visitor.read(f"{file}/transcript")
        assert shown["source"] == "database"
        assert shown["has_words"] is False
        assert [each["text"] for each in shown["segments"]] == [each["text"] for each in before["segments"]]
        assert "alert" not in json.dumps(shown)


def test_a_job_that_writes_no_json_is_read_from_the_database(visitor: Visitor, alice: Client, folder: Path) -> None:
    path = folder / "subtitles.wav"
    path.write_bytes(wav(noise(5, channels=2)))
    file = done(alice, file_job(path.as_uri(), output_formats=["srt", "vtt"], channel_separation=True))
    shown = visitor.read(f"{file}/transcript")
    assert shown["source"] == "database"
    assert {each["label"] for each in shown["speakers"]} == {"Speaker 1L", "Speaker 1R"}
    assert visitor.get(f"{file}/download/srt").content == path.with_suffix(".srt").read_bytes()
    assert "Speaker 1L" in visitor.get(f"{file}/download/txt").text


def test_a_skipped_file_shows_the_transcript_because_of_which_it_was_skipped(
    visitor: Visitor, alice: Client, folder: Path
) -> None:
    first, second = folder / "skipped" / "one.wav", folder / "skipped" / "two.wav"
    first.parent.mkdir(exist_ok=True)
    first.write_bytes(wav(noise(2)))
    second.write_bytes(wav(noise(3)))
    shown = visitor.read(f"{done(alice, file_job(first.as_uri()))}/transcript")
    again = alice.done(file_job(first.as_uri()))
    assert visitor.read(f"/jobs/{again['job_id']}/files/f_000001/transcript") == shown
    output = {"destination": "FILE", "layout": "SINGLE", "uri": first.with_suffix(".json").as_uri()}
    other = alice.done(file_job(second.as_uri()) | {"output": output})
    (file,) = alice.files(other["job_id"])
    assert file["state"] == "FILE_SKIPPED", file
    path = f"/jobs/{other['job_id']}/files/f_000001"
    assert visitor.reason(f"{path}/transcript", 404) == "TRANSCRIPT_NOT_FOUND"


def test_a_transcript_of_ten_hours_costs_little_time(
    visitor: Visitor, alice: Client, folder: Path, server: Server
) -> None:
    """In less than half a second. What else the server does at that time counts too."""
    path = folder / "long.wav"
    path.write_bytes(wav(noise(1)))
    path.with_suffix(".json").unlink(missing_ok=True)  # of the same test on the other database
    file = done(alice, file_job(path.as_uri()))
    long = long_speech(10)
    stored = FORMATS["json"].render(long)
    path.with_suffix(".json").write_bytes(stored)
    used_sec = []
    for _ in range(TRIALS):
        before_sec = cpu_sec(server.pid)
        visitor.read(f"{file}/transcript")
        used_sec.append(cpu_sec(server.pid) - before_sec)
    assert min(used_sec) < 10 * parsing_sec(stored)
    shown = visitor.read(f"{file}/transcript")
    assert sum(len(each["words"]) for each in shown["segments"]) == sum(len(each.words) for each in long.segments)
    assert shown["duration_sec"] == long.duration_sec


# --- the recording -----------------------------------------------------------------------------------------------


def test_a_recording_is_sent_in_parts_of_at_most_2_mib(visitor: Visitor, call: str) -> None:
    first = visitor.get(f"{call}/audio", 206, range="bytes=0-")
    assert first.headers["content-range"] == f"bytes 0-{2 * MIB - 1}/{len(CALL)}"
    assert first.headers["content-type"] == "audio/wav"
    assert first.headers["x-content-type-options"] == "nosniff"
    assert first.headers["cache-control"] == "private, no-store"
    heard, start = b"", 0
    while start < len(CALL):
        part = visitor.get(f"{call}/audio", 206, range=f"bytes={start}-").content
        heard, start = heard + part, start + len(part)
    assert heard == CALL


def test_any_single_range_is_answered(visitor: Visitor, call: str) -> None:
    for header, wanted in [("bytes=5-9", CALL[5:10]), ("bytes=-4", CALL[-4:]), (f"bytes={len(CALL) - 1}-", CALL[-1:])]:
        assert visitor.get(f"{call}/audio", 206, range=header).content == wanted
    refused = visitor.get(f"{call}/audio", 416, range=f"bytes={len(CALL)}-")
    assert refused.headers["content-range"] == f"bytes */{len(CALL)}"
    assert refused.content == b""


def test_without_a_range_the_whole_recording_is_sent(visitor: Visitor, call: str) -> None:
    whole = visitor.get(f"{call}/audio")
    assert whole.content == CALL
    assert visitor.get(f"{call}/audio", range="bytes=0-1,5-9").content == CALL
    head = visitor.ask("HEAD", f"{call}/audio", headers={"range": "bytes=0-9"})
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(CALL))
    assert head.headers["accept-ranges"] == "bytes"
    assert head.headers["etag"] == whole.headers["etag"]


def test_a_range_of_another_version_is_ignored(visitor: Visitor, call: str) -> None:
    etag = visitor.get(f"{call}/audio", 206, range="bytes=0-0").headers["etag"]
    assert visitor.get(f"{call}/audio", 206, range="bytes=0-9", **{"if-range": etag}).content == CALL[:10]
    for another in ('"other"', f"W/{etag}", "Mon, 23 Nov 2026 10:00:00 GMT"):
        answer = visitor.ask("GET", f"{call}/audio", headers={"range": "bytes=0-9", "if-range": another})
        assert (answer.status_code, len(answer.content)) == (200, len(CALL))


def test_a_recording_that_changed_since_is_played_and_recognized(visitor: Visitor, alice: Client, folder: Path) -> None:
    path = folder / "changing.wav"
    path.write_bytes(wav(noise(2)))
    file = done(alice, file_job(path.as_uri()))
    version = visitor.read(f"{file}/transcript")["recording_version"]
    assert visitor.ask("HEAD", f"{file}/audio").headers["etag"] == version
    path.write_bytes(wav(noise(3)))
    changed = visitor.get(f"{file}/audio")
    assert changed.headers["etag"] != version
    assert changed.content == path.read_bytes()
    path.unlink()
    assert visitor.reason(f"{file}/audio", 404, range="bytes=0-") == "OBJECT_NOT_FOUND"


@pytest.mark.parametrize("content", [b"<html><script>alert(1)</script></html>", b"#EXTM3U\nfile:///etc/passwd", b""])
def test_what_is_not_a_recording_is_not_sent(content: bytes, visitor: Visitor, alice: Client, folder: Path) -> None:
    path = folder / "page.wav"
    path.write_bytes(content)
    job = alice.done(file_job(path.as_uri()))
    assert visitor.reason(f"/jobs/{job['job_id']}/files/f_000001/audio", 400) == "NOT_A_RECORDING"


# --- the waveform ------------------------------------------------------------------------------------------------


def test_a_waveform_has_the_length_of_the_recording(visitor: Visitor, call: str) -> None:
    waveform = visitor.read(f"{call}/waveform")
    assert len(waveform["channels"]) == 2
    for channel in waveform["channels"]:
        assert abs(len(channel) * waveform["peak_sec"] - 100) <= waveform["peak_sec"]
        assert 1200 <= len(channel) <= 2400
        assert 5 < min(channel) <= max(channel) < 100


def test_a_file_that_was_never_decoded_has_no_waveform(visitor: Visitor, alice: Client, folder: Path) -> None:
    path = folder / "text.wav"
    path.write_bytes(b"text")
    job = alice.done(file_job(path.as_uri()))
    assert visitor.reason(f"/jobs/{job['job_id']}/files/f_000001/waveform", 404) == "WAVEFORM_NOT_FOUND"


# --- downloads and names -----------------------------------------------------------------------------------------


def test_every_format_is_downloaded_whether_the_job_wrote_it_or_not(
    visitor: Visitor, alice: Client, folder: Path
) -> None:
    path = folder / "formats.wav"
    path.write_bytes(wav(noise(70, channels=2)))
    formats = ["json", "srt", "vtt", "txt", "peaks"]
    every = done(alice, file_job(path.as_uri(), output_formats=formats, channel_separation=True))
    stored = {name: path.with_suffix(f".{name}").read_bytes() for name in formats}
    for name in formats:
        assert visitor.get(f"{every}/download/{name}").content == stored[name]
        path.with_suffix(f".{name}").unlink()
    only_json = done(alice, file_job(path.as_uri(), channel_separation=True))
    for name in formats[1:]:
        assert visitor.get(f"{only_json}/download/{name}").content == stored[name], name
    assert visitor.reason(f"{every}/download/exe", 404) == "NOT_FOUND"


def test_a_download_is_an_attachment_with_the_name_of_the_recording(visitor: Visitor, call: str) -> None:
    headers = visitor.get(f"{call}/download/txt").headers
    assert headers["content-type"].startswith("text/plain")
    assert headers["content-disposition"] == (
        "attachment; filename=\"call <b>1_ _.txt\"; filename*=UTF-8''call%20%3Cb%3E1_%20%C3%A9.txt"
    )


def test_a_name_is_shown_and_is_in_every_download(visitor: Visitor, alice: Client, folder: Path) -> None:
    path = folder / "named.wav"
    path.write_bytes(wav(noise(5, channels=2)))
    file = done(alice, file_job(path.as_uri(), channel_separation=True))
    name = "Zoë <img src=x onerror=alert(1)>"
    assert visitor.send(f"{file}/speakers", label="Speaker 1L", name=f" {name} ").json() == {
        "names": {"Speaker 1L": name}
    }
    assert visitor.read(f"{file}/transcript")["speakers"][0]["name"] == name
    for format_ in ("json", "srt", "vtt", "txt"):
        assert "Zo" in visitor.get(f"{file}/download/{format_}").text
    assert b"Zo" not in path.with_suffix(".json").read_bytes()
    visitor.send(f"{file}/speakers", label="Speaker 1L", name="")
    assert visitor.read(f"{file}/transcript")["speakers"][0]["name"] is None


@pytest.mark.parametrize(
    ("label", "name"),
    [("Speaker 1", "a\nb"), ("Speaker 1", "a\x07"), ("Speaker 1", "\u202eevil"), ("Speaker 1", "x" * 81), ("Bob", "x"),
     ("", "x"), ("Speaker 1\n", "x"), ("Speaker 0", "x")],
)  # fmt: skip
def test_an_invalid_name_is_refused(label: str, name: str, visitor: Visitor, call: str) -> None:
    answer = visitor.send(f"{call}/speakers", 400, label=label, name=name)
    assert answer.json()["reason"] == "VALIDATION_FAILED"


def test_a_form_without_scripts_leads_back_to_the_page(visitor: Visitor, call: str) -> None:
    answer = visitor.ask(
        "POST", f"{call}/speakers", data={"label": "Speaker 9", "name": ""}, headers={"Accept": "text/html"}
    )
    assert (answer.status_code, answer.headers["location"]) == (303, "../f_000001")


# --- who may -----------------------------------------------------------------------------------------------------

ROUTES = ("transcript", "audio", "waveform", "download/json", "download/srt")


@pytest.mark.parametrize("route", ROUTES)
def test_another_tenant_gets_nothing(route: str, other: Visitor, call: str) -> None:
    assert other.reason(f"{call}/{route}", 404) == "JOB_NOT_FOUND"
    assert other.reason(f"{call}/{route}", 404, range="bytes=0-9") == "JOB_NOT_FOUND"


def test_another_tenant_changes_nothing(other: Visitor, visitor: Visitor, call: str) -> None:
    other.send(f"{call}/speakers", 404, label="Speaker 1L", name="Mallory")
    other.send(f"{call.partition('/files')[0]}/access", 404, **{"input.aws.access_key_id": "x"})
    assert visitor.read(f"{call}/transcript")["speakers"][0]["name"] is None


@pytest.mark.parametrize("route", ROUTES)
def test_without_a_session_nothing_is_sent(route: str, server: Server, call: str) -> None:
    with Visitor(server.url) as stranger:
        assert stranger.reason(f"{call}/{route}", 401) == "INVALID_ACCESS_TOKEN"


@pytest.mark.parametrize("file", ["f_000002", "f_1", "f_000001x", "..", "f_999999999999"])
def test_only_files_of_the_job_are_read(file: str, visitor: Visitor, call: str) -> None:
    answer = visitor.ask("GET", f"{call.rpartition('/')[0]}/{file}/audio")
    assert answer.status_code == 404


def test_another_site_cannot_name_speakers(visitor: Visitor, call: str) -> None:
    answer = visitor.ask(
        "POST",
        f"{call}/speakers",
        data={"label": "Speaker 1L", "name": "Mallory"},
        headers={"Sec-Fetch-Site": "cross-site"},
    )
    assert answer.status_code == 403
