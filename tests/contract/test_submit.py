"""Submitting a job: what is accepted, and what is inferred if omitted (contract 1.2 and 1.3)."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.contract.bodies import ABSENT, aws, changed, hook, manifest, prefix, single
from tests.contract.client import Client
from tests.contract.strict import moment_of
from tests.recordings import write_wav


def test_an_accepted_job_answers_its_id_its_state_and_when(idle: Client) -> None:
    body = idle.call("POST", "/jobs", 201, json=single()).body
    assert body["job_id"].startswith("job_")
    assert body["state"] == "QUEUED"
    assert abs(moment_of(body, "submitted_at").timestamp() - time.time()) < 30


def test_both_bases_lead_to_the_same_jobs(idle: Client) -> None:
    short = idle.but(base="/aiservices/scribe")
    job_id = short.submit(single())
    assert short.job(job_id) == idle.job(job_id)


def test_submitted_at_is_what_the_job_shows_later(idle: Client) -> None:
    body = idle.call("POST", "/jobs", 201, json=single()).body
    assert idle.job(body["job_id"])["submitted_at"] == body["submitted_at"]
    assert moment_of(body, "submitted_at") <= datetime.now(UTC)


@pytest.mark.parametrize(
    ("changes", "mode"),
    [
        ({"input.mode": "SINGLE"}, "SINGLE"),
        ({"input.mode": ABSENT}, "SINGLE"),
        ({"input.mode": None}, "SINGLE"),
        ({"input.mode": ABSENT, "input.uri": "s3://calls/2025/", "output.layout": "PREFIX"}, "PREFIX"),
        ({"input.mode": ABSENT, "input.uri": "s3://calls/2025", "output.layout": "PREFIX"}, "PREFIX"),
        ({"input.mode": ABSENT, "input.uri": "s3://calls", "output.layout": "PREFIX"}, "PREFIX"),
        ({"input.mode": "PREFIX", "input.uri": "s3://calls/2025/", "output.layout": "PREFIX"}, "PREFIX"),
        ({"input.mode": "INPUT_PREFIX", "input.uri": "s3://calls/2025/", "output.layout": "PREFIX"}, "PREFIX"),
        ({"input.mode": "PREFIX", "input.uri": "s3://calls/v1.2", "output.layout": "PREFIX"}, "PREFIX"),
    ],
)
def test_an_omitted_mode_is_inferred_from_the_uri(idle: Client, changes: dict[str, Any], mode: str) -> None:
    assert idle.echo(changed(single(), changes))["input"]["mode"] == mode


@pytest.mark.parametrize("mode", [ABSENT, None, "MANIFEST"])
def test_a_manifest_means_mode_manifest(idle: Client, mode: object) -> None:
    body = changed(manifest("s3://calls/a.wav", "s3://calls/b.wav"), {"input.mode": mode})
    source = idle.echo(body)["input"]
    assert source["mode"] == "MANIFEST"
    assert source["manifest"] == ["s3://calls/a.wav", "s3://calls/b.wav"]


@pytest.mark.parametrize("source", ["S3", "s3", ABSENT, None])
def test_the_source_needs_no_capitals_and_may_be_left_out(idle: Client, source: object) -> None:
    assert idle.echo(changed(single(), {"input.source": source}))["input"]["source"] == "S3"


@pytest.mark.parametrize("destination", ["S3", "s3"])
def test_the_destination_needs_no_capitals(idle: Client, destination: str) -> None:
    assert idle.echo(changed(single(), {"output.destination": destination}))["output"]["destination"] == "S3"


def test_the_source_of_a_local_recording_is_file(idle: Client, recordings: Path) -> None:
    recording = write_wav(recordings / "told" / "a.wav")
    body = changed(single(recording.as_uri()), {"input.source": ABSENT, "input.auth": ABSENT})
    assert idle.echo(body)["input"]["source"] == "FILE"


@pytest.mark.parametrize(
    ("body", "layout"),
    [
        (single(), "SINGLE"),
        (single(output="s3://transcripts/a"), "SINGLE"),
        (single(output="s3://transcripts/done/"), "PREFIX"),
        (prefix(), "PREFIX"),
        (prefix(output="s3://transcripts/done"), "PREFIX"),
        (manifest("s3://calls/a.wav"), "PREFIX"),
    ],
)
@pytest.mark.parametrize("left_out", [ABSENT, None])
def test_a_layout_that_is_left_out_follows_the_mode_and_the_uri(
    idle: Client, body: dict[str, Any], layout: str, left_out: object
) -> None:
    assert idle.echo(changed(body, {"output.layout": left_out}))["output"]["layout"] == layout


@pytest.mark.parametrize("uri", ["", ABSENT, None, "s3://transcripts/"])
@pytest.mark.parametrize("body", [prefix(), single()])
def test_adjacent_needs_no_output_uri(idle: Client, body: dict[str, Any], uri: object) -> None:
    output = idle.echo(changed(body, {"output.layout": "ADJACENT", "output.uri": uri}))["output"]
    assert output["layout"] == "ADJACENT"
    assert isinstance(output["uri"], str)


@pytest.mark.parametrize(("overwrite", "echoed"), [(True, True), (False, False), (ABSENT, False), (None, False)])
def test_overwrite_is_off_by_default(idle: Client, overwrite: object, echoed: bool) -> None:
    assert idle.echo(changed(single(), {"output.overwrite": overwrite}))["output"]["overwrite"] is echoed


@pytest.mark.parametrize("token", ["marked-session-token-Vw52", "", None, ABSENT])
def test_credentials_need_no_session_token(idle: Client, token: object) -> None:
    path = "auth.aws.session_token"
    idle.submit(changed(single(), {f"input.{path}": token, f"output.{path}": token}))


def test_credentials_may_name_their_region(idle: Client) -> None:
    path = "auth.aws.region"
    idle.submit(changed(single(), {f"input.{path}": "eu-central-1", f"output.{path}": "us-west-2"}))


@pytest.mark.parametrize("auth", [ABSENT, None, {}, {"aws": None}])
def test_credentials_may_be_left_out(idle: Client, auth: object) -> None:
    idle.submit(changed(single(), {"input.auth": auth, "output.auth": auth}))


def test_credentials_are_never_echoed(idle: Client) -> None:
    job = idle.echo(single())
    assert "auth" not in job["input"]
    assert "auth" not in job["output"]


def test_filters_are_echoed(idle: Client) -> None:
    filters = {"include_globs": ["**/*.wav"], "exclude_globs": ["*_draft.*"]}
    assert idle.echo(changed(prefix(), {"input.filters": filters}))["input"]["filters"] == filters


@pytest.mark.parametrize("filters", [{}, None, {"include_globs": []}, {"include_globs": None, "exclude_globs": None}])
def test_empty_filters_count_as_absent(idle: Client, filters: object) -> None:
    idle.submit(changed(prefix(), {"input.filters": filters}))


@pytest.mark.parametrize("name", ["include_globs", "exclude_globs"])
def test_ten_globs_are_accepted(idle: Client, name: str) -> None:
    globs = [f"*{number}.wav" for number in range(10)]
    assert idle.echo(changed(prefix(), {f"input.filters.{name}": globs}))["input"]["filters"][name] == globs


def test_filters_on_a_single_file_are_not_refused(idle: Client) -> None:
    idle.submit(changed(single(), {"input.filters.include_globs": ["*.mp3"]}))


def test_a_manifest_of_a_thousand_is_accepted(idle: Client) -> None:
    uris = [f"s3://calls/{number}.wav" for number in range(1000)]
    assert idle.echo(manifest(*uris))["input"]["manifest"] == uris


@pytest.mark.parametrize("length", [1, 256])
@pytest.mark.parametrize("letter", ["x", "é", "語", "🎙"])
def test_a_reference_of_256_characters_is_echoed_as_it_came(idle: Client, length: int, letter: str) -> None:
    assert idle.echo(single(reference_id=letter * length))["reference_id"] == letter * length


@pytest.mark.parametrize("reference", [ABSENT, None])
def test_without_a_reference_the_job_has_none(idle: Client, reference: object) -> None:
    assert "reference_id" not in idle.echo(changed(single(), {"reference_id": reference}))


@pytest.mark.parametrize("config", [ABSENT, None, {}])
def test_the_effective_configuration_is_echoed_with_every_default(idle: Client, config: object) -> None:
    echoed = idle.echo(changed(single(), {"config": config}))["config"]
    defaults = {
        "language": "en-US",
        "segmentation_mode": "auto",
        "timestamps": True,
        "word_time_offsets": False,
        "channel_separation": False,
        "diarization": False,
        "profanity_filter": False,
        "output_format": "json",
    }
    assert {name: echoed[name] for name in defaults} == defaults


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("segmentation_mode", "none"),
        ("segmentation_mode", "auto"),
        ("timestamps", False),
        ("word_time_offsets", True),
        ("channel_separation", True),
        ("output_format", "json"),
        ("model", "zoom-scribe-multilingual"),
        ("model", "whisper"),
    ],
)
def test_each_option_is_echoed_as_it_was_set(idle: Client, name: str, value: object) -> None:
    assert idle.echo(single(config={name: value}))["config"][name] == value


@pytest.mark.parametrize("name", ["language", "segmentation_mode", "timestamps", "word_time_offsets", "output_format"])
def test_null_means_the_default(idle: Client, name: str) -> None:
    assert idle.echo(single(config={name: None}))["config"] == idle.echo(single(config={}))["config"]


@pytest.mark.parametrize(
    ("written", "language"),
    [("en-US", "en-US"), ("EN-us", "en-US"), ("en", "en-US"), ("en_us", "en-US"), ("en-GB", "en-GB")],
)
def test_a_language_may_be_written_in_many_ways(idle: Client, written: str, language: str) -> None:
    assert idle.echo(single(config={"language": written}))["config"]["language"] == language


@pytest.mark.parametrize(
    "config",
    [
        {"diarization": False},
        {"diarization": None},
        {"profanity_filter": False},
        {"profanity_filter": None},
        {"vocabulary": None},
        {"vocabulary": {}},
        {"vocabulary": {"phrases": [], "pronunciations": [], "aliases": []}},
        {"language_detection": False},
        {"language_detection": None},
        {"experimental_feature": {"model_pro": True}},
    ],
)
def test_an_unsupported_option_that_is_off_is_accepted(idle: Client, config: dict[str, Any]) -> None:
    idle.submit(single(config=config))


@pytest.mark.parametrize("outputs", [None, {}, {"text_polishing": False}, {"text_polishing": None}])
def test_polishing_that_is_off_is_accepted(idle: Client, outputs: object) -> None:
    idle.submit(single(outputs=outputs))


@pytest.mark.parametrize(
    "notifications",
    [None, hook("http://127.0.0.1:9/x"), hook("http://127.0.0.1:9/x", None), hook("http://127.0.0.1:9/x", "x" * 256)],
)
def test_notifications_are_optional_and_so_is_their_secret(idle: Client, notifications: object) -> None:
    idle.submit(single(notifications=notifications))


def test_unknown_fields_are_ignored_at_every_level(idle: Client) -> None:
    places = ("", "input.", "input.filters.", "input.auth.", "input.auth.aws.", "output.", "config.", "outputs.")
    body = changed(single(), {f"{place}not_in_the_contract": {"x": [1, None]} for place in places})
    job = idle.echo(body)
    assert "not_in_the_contract" not in str(job)


def test_the_output_may_have_credentials_of_its_own(idle: Client) -> None:
    idle.submit(changed(single(), {"input.auth": ABSENT, "output.auth": aws()}))


@pytest.mark.parametrize("key", ["a b.wav", "ü/語.wav", "a%20b.wav", "a?b.wav", "a#b.wav", "x" * 900 + ".wav"])
def test_any_s3_key_is_echoed_as_it_came(idle: Client, key: str) -> None:
    assert idle.echo(single(f"s3://calls/{key}"))["input"]["uri"] == f"s3://calls/{key}"


def test_a_file_that_a_manifest_names_twice_is_one_file_and_the_answer_says_so(idle: Client) -> None:
    twice = manifest("s3://calls/a.wav", "s3://calls/b.wav", "s3://calls/a.wav")
    answer = idle.call("POST", "/jobs", 201, json=twice).body
    assert answer["warnings"] == ["The manifest names 1 files more than once; each is transcribed and counted once."]
    assert "warnings" not in idle.call("POST", "/jobs", 201, json=manifest("s3://calls/a.wav")).body
