"""Submitting a job: what is rejected, with the invalid field (contract 1.2, 1.3 and 2)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.contract.bodies import ABSENT, changed, hook, manifest, prefix, single
from tests.contract.client import Answer, Client
from tests.contract.strict import Json


def assert_invalid(answer: Answer, field: str) -> None:
    assert answer.body["code"] == 300
    assert answer.body["message"].startswith("Validation Failed.")
    assert field in answer.fields, answer.body


@pytest.mark.parametrize(
    ("body", "changes", "field"),
    [
        (single(), {"input": ABSENT}, "input"),
        (single(), {"input": None}, "input"),
        (single(), {"input": "s3://calls/a.wav"}, "input"),
        (single(), {"input": []}, "input"),
        (single(), {"input.mode": "FOLDER"}, "input.mode"),
        (single(), {"input.mode": 1}, "input.mode"),
        (single(), {"input.source": "DROPBOX"}, "input.source"),
        (single(), {"input.source": 3}, "input.source"),
        (single(), {"input.uri": ABSENT}, "input.uri"),
        (single(), {"input.uri": ""}, "input.uri"),
        (single(), {"input.uri": 7}, "input.uri"),
        (single(), {"input.uri": ["s3://calls/a.wav"]}, "input.uri"),
        (single(), {"input.uri": "calls/a.wav"}, "input.uri"),
        (single(), {"input.uri": "ftp://calls/a.wav"}, "input.uri"),
        (single(), {"input.uri": "javascript:alert(1)"}, "input.uri"),
        (single(), {"input.uri": "s3://"}, "input.uri"),
        (single(), {"input.uri": "s3:///a.wav"}, "input.uri"),
        (single(), {"input.uri": "s3://calls/a\0.wav"}, "input.uri"),
        (single(), {"input.uri": "s3://calls/2025/"}, "input.uri"),
        (prefix(), {"input.uri": ABSENT}, "input.uri"),
        (single(), {"input.manifest": ["s3://calls/a.wav"]}, "input.manifest"),
        (manifest(), {}, "input.manifest"),
        (manifest(), {"input.manifest": ABSENT}, "input.manifest"),
        (manifest(), {"input.manifest": "s3://calls/a.wav"}, "input.manifest"),
        (manifest(*[f"s3://calls/{number}.wav" for number in range(1001)]), {}, "input.manifest"),
        (manifest(*["s3://calls/a.wav"] * 3, "calls/b.wav"), {}, "input.manifest.3"),
        (manifest("s3://calls/a.wav", "s3://calls/2025/"), {}, "input.manifest.1"),
        (manifest("s3://calls/a.wav"), {"input.manifest": ["s3://calls/a.wav", 5]}, "input.manifest.1"),
        (manifest("s3://calls/a.wav"), {"input.manifest": [None]}, "input.manifest.0"),
        (prefix(), {"input.filters": []}, "input.filters"),
        (prefix(), {"input.filters.include_globs": ["*"] * 11}, "input.filters.include_globs"),
        (prefix(), {"input.filters.exclude_globs": ["*"] * 11}, "input.filters.exclude_globs"),
        (prefix(), {"input.filters.include_globs": "*.wav"}, "input.filters.include_globs"),
        (prefix(), {"input.filters.include_globs": ["*", 1]}, "input.filters.include_globs.1"),
        (single(), {"input.auth": "keys"}, "input.auth"),
        (single(), {"input.auth.aws": []}, "input.auth.aws"),
        (single(), {"input.auth.aws.access_key_id": ABSENT}, "input.auth.aws.access_key_id"),
        (single(), {"input.auth.aws.secret_access_key": ABSENT}, "input.auth.aws.secret_access_key"),
        (single(), {"input.auth.aws.secret_access_key": ""}, "input.auth.aws.secret_access_key"),
        (single(), {"input.auth.aws.session_token": 12}, "input.auth.aws.session_token"),
        (single(), {"output.auth.aws.access_key_id": ABSENT}, "output.auth.aws.access_key_id"),
    ],
)
def test_an_input_that_cannot_be_is_refused(idle: Client, body: Json, changes: Json, field: str) -> None:
    assert_invalid(idle.refused(changed(body, changes)), field)


@pytest.mark.parametrize(
    ("body", "changes", "field"),
    [
        (single(), {"output": ABSENT}, "output"),
        (single(), {"output": "s3://transcripts/"}, "output"),
        (single(), {"output.destination": "DROPBOX"}, "output.destination"),
        (single(), {"output.destination": "FILE"}, "output.destination"),
        (single(), {"output.uri": ABSENT}, "output.uri"),
        (prefix(), {"output.uri": ""}, "output.uri"),
        (single(), {"output.uri": 5}, "output.uri"),
        (single(), {"output.uri": "transcripts/a.json"}, "output.uri"),
        (single(), {"output.uri": "s3://transcripts/"}, "output.uri"),
        (single(), {"output.uri": "s3://calls/a.wav"}, "output.uri"),
        (single(), {"output.layout": "FLAT"}, "output.layout"),
        (single(), {"output.layout": 5}, "output.layout"),
        (prefix(), {"output.layout": "SINGLE", "output.uri": "s3://transcripts/a.json"}, "output.layout"),
        (single(), {"output.layout": "SINGLE", "output.uri": "s3://transcripts/a.WAV"}, "output.uri"),
        (manifest("s3://calls/a.wav"), {"output.layout": "SINGLE", "output.uri": "s3://t/a.json"}, "output.layout"),
        (manifest("s3://calls/a.wav", "https://host/b.wav"), {"output.layout": "ADJACENT"}, "output.layout"),
        (single(), {"output.overwrite": "yes"}, "output.overwrite"),
        (single(), {"output.overwrite": 1}, "output.overwrite"),
    ],
)
def test_an_output_that_cannot_be_is_refused(idle: Client, body: Json, changes: Json, field: str) -> None:
    assert_invalid(idle.refused(changed(body, changes)), field)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"config": "en-US"}, "config"),
        ({"config": []}, "config"),
        ({"config.language": 5}, "config.language"),
        ({"config.language": ["en-US"]}, "config.language"),
        ({"config.segmentation_mode": "vad"}, "config.segmentation_mode"),
        ({"config.timestamps": "true"}, "config.timestamps"),
        ({"config.word_time_offsets": 1}, "config.word_time_offsets"),
        ({"config.channel_separation": "no"}, "config.channel_separation"),
        ({"config.diarization": "no"}, "config.diarization"),
        ({"config.profanity_filter": 0}, "config.profanity_filter"),
        ({"config.output_format": "docx"}, "config.output_format"),
        ({"config.output_format": 1}, "config.output_format"),
        ({"config.model": 1}, "config.model"),
        ({"reference_id": "x" * 257}, "reference_id"),
        ({"reference_id": 12}, "reference_id"),
        ({"reference_id": "a\0b"}, "reference_id"),
        ({"notifications": "https://example.com/"}, "notifications"),
        ({"notifications": {}}, "notifications.webhook_url"),
        ({"notifications": {"secret": "x"}}, "notifications.webhook_url"),
        ({"notifications": hook("")}, "notifications.webhook_url"),
        ({"notifications": hook("example.com/hook")}, "notifications.webhook_url"),
        ({"notifications": hook("ftp://example.com/hook")}, "notifications.webhook_url"),
        ({"notifications": hook("https://")}, "notifications.webhook_url"),
        ({"notifications": hook("https://example.com:99999/")}, "notifications.webhook_url"),
        ({"notifications": hook("https://example.com/", "x" * 257)}, "notifications.secret"),
        ({"notifications": {"webhook_url": "https://example.com/", "secret": 5}}, "notifications.secret"),
        ({"outputs": "polished"}, "outputs"),
    ],
)
def test_anything_else_that_cannot_be_is_refused(idle: Client, changes: Json, field: str) -> None:
    assert_invalid(idle.refused(changed(single(), changes)), field)


@pytest.mark.parametrize("language", ["xx-XX", "klingon", "en-US-x-private", "de-DE", "ja", "🎙"])
def test_a_language_that_no_engine_supports_is_rejected(alice: Client, language: str) -> None:
    answer = alice.refused(single(config={"language": language}))
    assert answer.reason == "UNSUPPORTED_LANGUAGE"
    assert answer.fields == ["config.language"]


@pytest.mark.parametrize(
    ("changes", "option"),
    [
        ({"config.diarization": True}, "config.diarization"),
        ({"config.vocabulary": {"phrases": ["Zoom"]}}, "config.vocabulary"),
        ({"config.vocabulary": {"pronunciations": [{"phrase": "Zoom"}]}}, "config.vocabulary.pronunciations"),
        ({"config.language_detection": {"mode": "once"}}, "config.language_detection"),
        ({"outputs.text_polishing": True}, "outputs.text_polishing"),
        ({"outputs.text_polishing": {"enabled": True}}, "outputs.text_polishing"),
    ],
)
def test_an_option_that_cannot_be_honored_is_refused_by_name(alice: Client, changes: Json, option: str) -> None:
    answer = alice.refused(changed(single(), changes))
    assert answer.reason == "OPTION_NOT_AVAILABLE"
    assert answer.fields == [option]
    assert option.rpartition(".")[2] in str(answer.body["errors"])


def test_diarization_and_channel_separation_never_go_together(idle: Client) -> None:
    idle.refused(single(config={"diarization": True, "channel_separation": True}))


@pytest.mark.parametrize(
    "changes",
    [
        {"input.uri": "gcs://calls/a.wav?X-Amz-Signature=abc", "input.source": ABSENT},
        {"input.uri": "gs://calls/a.wav", "input.source": "AZURE"},
        {"input.uri": "az://calls/a.wav", "input.source": "S3"},
        {"output.uri": "gs://transcripts/a.json", "output.destination": "GS"},
    ],
)
def test_a_place_that_is_misnamed_is_refused(idle: Client, changes: Json) -> None:
    answer = idle.refused(changed(single(), changes))
    assert answer.fields[0].startswith(("input.", "output."))
    assert "X-Amz-Signature" not in answer.content.decode()


def test_one_job_reads_from_one_place(idle: Client, recordings: Path) -> None:
    answer = idle.refused(manifest("s3://calls/a.wav", (recordings / "a.wav").as_uri()))
    assert answer.fields[0].startswith("input.")


@pytest.mark.parametrize(
    "uri",
    [
        "file:///etc/passwd.wav",
        "file:///etc/",
        "file://host/a.wav",
        "file://relative.wav",
        "{root}/../outside.wav",
        "{root}/%2e%2e/outside.wav",
        "{root}x/a.wav",
    ],
)
def test_a_local_file_outside_the_roots_is_refused_at_submit(idle: Client, recordings: Path, uri: str) -> None:
    body = changed(single(), {"input.uri": uri.format(root=recordings.as_uri()), "input.source": "FILE"})
    mode = {"input.mode": "PREFIX", "output.layout": "PREFIX"} if uri.endswith("/") else {}
    answer = idle.refused(changed(body, mode))
    assert "input.uri" in answer.fields, answer.body


def test_a_transcript_outside_the_roots_is_refused_at_submit(idle: Client) -> None:
    body = changed(single(), {"output.uri": "file:///etc/cron.d/a.json", "output.destination": "FILE"})
    assert "output.uri" in idle.refused(body).fields


def test_a_refusal_names_the_option_and_never_shows_what_was_sent(idle: Client) -> None:
    body = changed(single(), {"input.auth.aws.secret_access_key": ["marked-secret-access-key-Zq81"]})
    answer = idle.refused(body)
    assert "input.auth.aws.secret_access_key" in answer.fields
    assert "Zq81" not in answer.content.decode()


@pytest.mark.parametrize("body", [single(), prefix(), manifest("s3://calls/a.wav")])
def test_a_refused_job_leaves_nothing_behind(idle: Client, body: dict[str, Any]) -> None:
    newest = idle.get("/jobs", page_size=1)["jobs"]
    idle.refused(changed(body, {"config.output_format": "docx"}))
    assert idle.get("/jobs", page_size=1)["jobs"] == newest
