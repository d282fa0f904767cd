"""A form as the body of a job request."""

from __future__ import annotations

import pytest

from batchscribe.errors import InvalidRequest
from batchscribe.web.forms import Form
from batchscribe.web.job_form import body_of_form, credentials_in, field_of, values_of
from batchscribe.wire.request import parse_job_request


def form(**fields: str) -> Form:
    return Form([(name.replace("__", "."), value) for name, value in fields.items()])


def test_an_empty_form_has_no_option() -> None:
    sent = form(input__uri="", config__language=" ", config__num_speakers="", reference_id="", config__vocabulary_id="")
    assert body_of_form(sent) == {"input": {}, "output": {}}


def test_one_uri_is_the_input_and_several_are_a_manifest() -> None:
    assert body_of_form(form(input__uri=" s3://a/b/ \n\n"))["input"] == {"uri": "s3://a/b/"}
    assert body_of_form(form(input__uri="s3://a/b.wav\r\ns3://a/c.wav"))["input"] == {
        "manifest": ["s3://a/b.wav", "s3://a/c.wav"]
    }


def test_every_kind_of_field_is_read() -> None:
    sent = Form(
        [
            ("input.uri", "s3://a/b/"),
            ("input.filters.include_globs", "*.wav\n*.mp3"),
            ("output.uri", "s3://a/out/"),
            ("output.overwrite", "on"),
            ("config.num_speakers", "2"),
            ("config.diarization", "on"),
            ("config.language_detection", "once"),
            ("config.output_formats", "json"),
            ("config.output_formats", "srt"),
            ("input.auth.aws.access_key_id", "a"),
            ("input.auth.aws.secret_access_key", "b"),
        ]
    )
    parsed = parse_job_request(body_of_form(sent))
    assert parsed.input.filters.include_globs == ("*.wav", "*.mp3")
    assert (parsed.output.overwrite, parsed.config.num_speakers, parsed.config.diarization) == (True, 2, True)
    assert parsed.config.detection_mode == "once"
    assert [each.value for each in parsed.config.formats] == ["json", "srt"]
    assert parsed.input.auth is not None


@pytest.mark.parametrize("value", ["two", "-1", "\u0663", "9" * 30])
def test_what_is_not_a_number_is_refused_with_its_field(value: str) -> None:
    sent = form(input__uri="s3://a/b/", output__uri="s3://a/c/", config__num_speakers=value)
    with pytest.raises(InvalidRequest) as refusal:
        parse_job_request(body_of_form(sent))
    assert [field_of(each.field) for each in refusal.value.mistakes] == ["config.num_speakers"]


def test_a_path_of_the_body_leads_to_its_field() -> None:
    assert field_of("input.manifest.7") == "input.uri"
    assert field_of("input.filters.include_globs.0") == "input.filters.include_globs"
    assert field_of("config.language_detection.mode") == "config.language_detection"
    assert field_of("input.auth.aws") == "input.auth.aws.access_key_id"
    assert field_of("input") in ("input.uri", "input.mode")
    assert field_of("") == field_of("unknown") == ""


def test_secrets_are_not_shown_again() -> None:
    sent = form(
        input__auth__aws__access_key_id="marked",
        input__auth__aws__secret_access_key="marked",
        input__auth__aws__region="eu-central-1",
        notifications__secret="marked",
        notifications__webhook_url="https://example.org/hook",
    )
    assert "marked" not in values_of(sent).values()
    assert values_of(sent)["input.auth.aws.region"] == "eu-central-1"


def test_only_credentials_count_where_only_they_are_asked_for() -> None:
    sent = form(input__auth__azure__account_name="calls", input__auth__azure__sas_token="t", input__uri="s3://a/b/")
    assert credentials_in(sent) == {"input": {"auth": {"azure": {"account_name": "calls", "sas_token": "t"}}}}
