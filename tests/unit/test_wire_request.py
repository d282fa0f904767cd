"""Valid and invalid requests."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchscribe.errors import InvalidRequest, OptionNotAvailable
from batchscribe.wire.choices import DetectionMode, InputMode, OutputLayout, Place, SegmentationMode
from batchscribe.wire.config import Config
from batchscribe.wire.output import Output
from batchscribe.wire.request import JobRequest, parse_job_request
from batchscribe.wire.uris import name_of

RECORDING = {"uri": "s3://bucket/calls/a.wav"}
FOLDER = {"uri": "s3://bucket/calls/"}
OUT = {"uri": "s3://bucket/transcripts/"}
KEYS = {"access_key_id": "AKIAMARKED", "secret_access_key": "marked-secret", "session_token": "marked-token"}


def request(**fields: Any) -> JobRequest:
    return parse_job_request({"input": RECORDING, "output": OUT, **fields})


def refusal(**fields: Any) -> InvalidRequest:
    with pytest.raises(InvalidRequest) as caught:
        request(**fields)
    return caught.value


# --- input -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("uri", "mode"),
    [
        ("s3://bucket/calls/a.wav", InputMode.SINGLE),
        ("s3://bucket/calls/a.b.mp3", InputMode.SINGLE),
        ("s3://bucket/calls/", InputMode.PREFIX),
        ("s3://bucket/calls.2025/", InputMode.PREFIX),
        ("s3://bucket/calls", InputMode.PREFIX),
        ("s3://bucket", InputMode.PREFIX),
        ("s3://bucket/.hidden", InputMode.PREFIX),
        ("file:///data/my%20calls", InputMode.PREFIX),
    ],
)
def test_the_mode_is_inferred_from_the_uri(uri: str, mode: InputMode) -> None:
    assert request(input={"uri": uri}).input.mode is mode


def test_a_manifest_means_mode_manifest() -> None:
    parsed = request(input={"manifest": ["s3://bucket/a.wav", "s3://bucket/a"]})
    assert parsed.input.mode is InputMode.MANIFEST
    assert parsed.input.uris == ("s3://bucket/a.wav", "s3://bucket/a")


def test_the_older_name_of_mode_prefix_is_understood() -> None:
    assert request(input={**FOLDER, "mode": "INPUT_PREFIX"}).input.mode is InputMode.PREFIX


@pytest.mark.parametrize(("given", "place"), [("s3", Place.S3), ("S3", Place.S3), (None, Place.S3)])
def test_the_source_is_case_insensitive_and_inferred_from_the_scheme(given: str | None, place: Place) -> None:
    assert request(input={**RECORDING, "source": given}).input.source is place


def test_a_scheme_in_capitals_and_an_unencoded_path_get_their_usual_spelling() -> None:
    assert request(input={"uri": "S3://Bucket/A b%20.wav"}).input.uri == "s3://Bucket/A b%20.wav"
    parsed = request(input={"uri": "FILE://localhost/data//my calls/./100%.wav"})
    assert parsed.input.uri == "file:///data/my%20calls/100%25.wav"
    assert parsed.input.source is Place.FILE


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({}, "input.uri"),
        ({"uri": ""}, "input.uri"),
        ({"uri": 5}, "input.uri"),
        ({"uri": "calls/a.wav"}, "input.uri"),
        ({"uri": "ftp://host/a.wav"}, "input.uri"),
        ({"uri": "s3:///a.wav"}, "input.uri"),
        ({"uri": "s3://"}, "input.uri"),
        ({"uri": "file://host/a.wav"}, "input.uri"),
        ({"uri": "s3://bucket/a\0.wav"}, "input.uri"),
        ({"uri": "s3://bucket/calls/", "mode": "SINGLE"}, "input.uri"),
        ({"uri": "s3://bucket/a.wav", "mode": "MANIFEST"}, "input.manifest"),
        ({"uri": "s3://bucket/a.wav", "mode": "SINGLE", "manifest": ["s3://bucket/b.wav"]}, "input.manifest"),
        ({"uri": "s3://bucket/a.wav", "mode": "single"}, "input.mode"),
        ({"uri": "s3://bucket/a.wav", "source": "FILE"}, "input.source"),
        ({"uri": "s3://bucket/a.wav", "source": ["S3"]}, "input.source"),
        ({"manifest": []}, "input.manifest"),
        ({"manifest": "s3://bucket/a.wav"}, "input.manifest"),
        ({"manifest": ["s3://bucket/a.wav"] * 1001}, "input.manifest"),
        ({"manifest": ["s3://bucket/a.wav", "s3://bucket/calls/"]}, "input.manifest.1"),
        ({"manifest": ["s3://bucket/a.wav", None]}, "input.manifest.1"),
        ({"manifest": ["s3://bucket/a.wav", "file:///a.wav"]}, "input.source"),
        ({**FOLDER, "filters": {"include_globs": ["*"] * 11}}, "input.filters.include_globs"),
        ({**FOLDER, "filters": {"exclude_globs": ["*"] * 11}}, "input.filters.exclude_globs"),
        ({**FOLDER, "filters": {"exclude_globs": ["a" * 1025]}}, "input.filters.exclude_globs.0"),
        ({**RECORDING, "auth": {"aws": {"access_key_id": "AKIA"}}}, "input.auth.aws.secret_access_key"),
        ({**RECORDING, "auth": {"aws": {**KEYS, "access_key_id": ""}}}, "input.auth.aws.access_key_id"),
        ([], "input"),
        (None, "input"),
    ],
)
def test_a_wrong_input_is_refused_by_the_name_of_its_field(given: object, field: str) -> None:
    assert refusal(input=given).field == field


def test_a_manifest_may_name_a_thousand_files_and_filters_ten_globs() -> None:
    assert len(request(input={"manifest": ["s3://bucket/a.wav"] * 1000}).input.uris) == 1000
    filters = {"include_globs": ["*"] * 10, "exclude_globs": [""]}
    parsed = request(input={**FOLDER, "filters": filters})
    assert len(parsed.input.filters.include_globs) == 10
    assert parsed.input.filters.exclude_globs == ()


@pytest.mark.parametrize(
    ("uri", "place"),
    [
        ("s3://bucket/100%.wav", Place.S3),
        ("gs://bucket/100%.wav", Place.GCS),
        ("az://container/100%.wav", Place.AZURE),
        ("file:///calls/100%25.wav", Place.FILE),
        ("https://host/100%25.wav", Place.HTTPS),
    ],
)
def test_the_scheme_says_where_a_recording_is_and_keys_are_not_encoded(uri: str, place: Place) -> None:
    source = request(input={"uri": uri}).input
    assert source.source is place
    assert name_of(source.uri) == "100%.wav"
    assert request(input={"uri": uri, "source": place.lower()}).input.source is place


@pytest.mark.parametrize("place", ["S3", "GCS", "AZURE"])
def test_a_signed_url_belongs_to_any_cloud(place: str) -> None:
    assert request(input={"uri": "https://host/a.wav?sig=x", "source": place}).input.source is Place(place)


@pytest.mark.parametrize(
    ("uri", "instead"),
    [
        ("gcs://bucket/a.wav?X-Goog-Signature=marked-secret", "write gs://bucket/key"),
        ("azure://container/a.wav", "write az://container/key"),
        ("abfss://container@account.dfs.core.windows.net/a.wav", "auth.azure.account_name"),
        ("gs:///a.wav", "write gs://bucket/key"),
        ("az://", "write az://bucket/key"),
        ("ftp://host/a.wav", "use s3://, gs://, az://, file:// or https://"),
    ],
)
def test_a_refused_scheme_comes_with_the_one_to_write(uri: str, instead: str) -> None:
    error = refusal(input={"uri": uri})
    assert error.field == "input.uri"
    assert instead in error.message
    assert "marked-secret" not in error.message


AWS = {"aws": {"access_key_id": "key", "secret_access_key": "marked-secret"}}
GCP = {"gcp": {"access_token": "marked-secret"}}
AZURE = {"azure": {"account_name": "account1", "account_key": "marked-secret"}}


@pytest.mark.parametrize(
    ("uri", "auth"),
    [
        ("s3://b/a.wav", AWS),
        ("gs://b/a.wav", GCP),
        ("az://b/a.wav", AZURE),
        ("https://host/a.wav", AWS),
        ("https://host/a.wav", GCP),
        ("file:///calls/a.wav", AWS),
    ],
)
def test_each_place_takes_the_credentials_of_its_cloud(uri: str, auth: dict[str, Any]) -> None:
    parsed = request(input={"uri": uri, "auth": auth}, output={"layout": "PREFIX", "uri": "s3://b/", "auth": AWS})
    assert parsed.input.auth is not None


@pytest.mark.parametrize(
    ("uri", "auth", "field"),
    [
        ("s3://b/a.wav", GCP, "input.auth.gcp"),
        ("gs://b/a.wav", AWS, "input.auth.aws"),
        ("az://b/a.wav", {**AZURE, **GCP}, "input.auth.gcp"),
        ("gs://b/a.wav", {"gcp": {"client_email": "robot@x"}}, "input.auth.gcp"),
        ("az://b/a.wav", {"azure": {"account_key": "marked-secret"}}, "input.auth.azure.account_name"),
        ("az://b/a.wav", {"azure": {"account_name": "no.dots"}}, "input.auth.azure.account_name"),
        (
            "az://b/a.wav",
            {"azure": {"account_name": "a12", "account_key": "marked-secret", "sas_token": "marked-secret"}},
            "input.auth.azure",
        ),
    ],
)
def test_credentials_that_do_not_fit_are_refused_without_showing_them(
    uri: str, auth: dict[str, Any], field: str
) -> None:
    error = refusal(input={"uri": uri, "auth": auth})
    assert error.field == field
    assert "marked-secret" not in error.message


@pytest.mark.parametrize("name", ["no.dots", "evil.example/", "UPPER", "a1", "a" * 25, "abc\n", "\u00e4bc", ""])
def test_an_invalid_account_name_is_refused_with_the_form_of_a_valid_one(name: str) -> None:
    error = refusal(input={"uri": "az://b/a.wav", "auth": {"azure": {"account_name": name}}})
    assert error.field == "input.auth.azure.account_name"
    assert "3 to 24 lower-case letters and digits" in error.message


# --- output ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "uri", "layout"),
    [
        (RECORDING, "s3://bucket/a.json", OutputLayout.SINGLE),
        (RECORDING, "s3://bucket/transcripts", OutputLayout.SINGLE),
        (RECORDING, "s3://bucket/transcripts/", OutputLayout.PREFIX),
        (RECORDING, "s3://bucket", OutputLayout.PREFIX),
        (FOLDER, "s3://bucket/transcripts", OutputLayout.PREFIX),
        ({"manifest": ["s3://bucket/a.wav"]}, "s3://bucket/transcripts", OutputLayout.PREFIX),
    ],
)
def test_the_layout_is_inferred_from_mode_and_uri(source: object, uri: str, layout: OutputLayout) -> None:
    assert request(input=source, output={"uri": uri}).output.layout is layout


@pytest.mark.parametrize("uri", ["", None])
def test_adjacent_needs_no_uri_and_writes_where_it_reads(uri: str | None) -> None:
    output = request(input={"uri": "file:///calls/"}, output={"layout": "ADJACENT", "uri": uri}).output
    assert (output.uri, output.destination) == ("", Place.FILE)


def test_transcripts_may_go_to_another_place_than_the_recordings() -> None:
    output = request(output={"uri": "file:///transcripts/", "destination": "file"}).output
    assert output.destination is Place.FILE


@pytest.mark.parametrize(
    ("source", "output", "field"),
    [
        (RECORDING, None, "output"),
        (RECORDING, {}, "output.uri"),
        (RECORDING, {"uri": ""}, "output.uri"),
        (RECORDING, {"uri": "s3://bucket/x/", "layout": "SINGLE"}, "output.uri"),
        (RECORDING, {"uri": RECORDING["uri"]}, "output.uri"),
        (RECORDING, {"uri": "s3://bucket/x.json", "destination": "FILE"}, "output.destination"),
        (RECORDING, {"uri": "s3://bucket/x.json", "destination": "GCS"}, "output.destination"),
        (RECORDING, {"uri": "s3://bucket/x.json", "overwrite": "true"}, "output.overwrite"),
        (RECORDING, {"uri": "s3://bucket/x.json", "layout": "FLAT"}, "output.layout"),
        (FOLDER, {"uri": "s3://bucket/x.json", "layout": "SINGLE"}, "output.layout"),
        ({"manifest": ["https://host/a.wav"]}, {"layout": "ADJACENT"}, "output.layout"),
        ({"manifest": ["s3://b/a.wav", "https://host/a.wav"]}, {"layout": "ADJACENT"}, "output.layout"),
    ],
)
def test_a_wrong_output_is_refused_by_the_name_of_its_field(source: object, output: object, field: str) -> None:
    assert refusal(input=source, output=output).field == field


def test_a_recording_is_never_its_own_transcript_however_its_path_is_spelled() -> None:
    source = {"uri": "file:///data/a b.wav"}
    output = {"uri": "file:///data/./a%20b.wav", "overwrite": True}
    assert refusal(input=source, output=output).field == "output.uri"


# --- config and the rest ---------------------------------------------------------------------------------------


def test_config_has_its_defaults_with_null_and_absent_equal() -> None:
    nulls = dict.fromkeys(("language", "language_detection", "timestamps", "diarization", "vocabulary", "model"))
    assert request(config=nulls).config == request(config={}).config == request(config=None).config == request().config
    assert request().config.echo() == {
        "language": "en-US",
        "segmentation_mode": "auto",
        "timestamps": True,
        "word_time_offsets": False,
        "channel_separation": False,
        "diarization": False,
        "profanity_filter": False,
        "output_format": "json",
    }


def test_config_takes_what_is_served() -> None:
    config = request(config={"language": "de-DE", "segmentation_mode": "none", "model": "any wish"}).config
    assert (config.language, config.segmentation_mode) == ("de-DE", SegmentationMode.NONE)
    assert config.echo()["model"] == "any wish"


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"config": {"vocabulary": {"pronunciations": [{"phrase": "a"}]}}}, "config.vocabulary.pronunciations"),
        ({"outputs": {"text_polishing": {}}}, "outputs.text_polishing"),
        ({"outputs": {"text_polishing": {"enabled": True}}}, "outputs.text_polishing"),
        ({"vocabulary": {"phrases": ["batchscribe"]}}, "vocabulary"),
        ({"vocabulary_id": "vocabulary-1"}, "vocabulary_id"),
        ({"language_detection": {"mode": "once"}}, "language_detection"),
        ({"outputs": {"text_polishing": True}}, "outputs.text_polishing"),
    ],
)
def test_an_option_that_cannot_be_honored_is_refused_by_its_name(fields: dict[str, Any], field: str) -> None:
    error = refusal(**fields)
    assert isinstance(error, OptionNotAvailable)
    assert error.field == field
    assert field.rpartition(".")[2] in str(error)


def test_an_option_that_is_switched_off_is_accepted() -> None:
    switched_off = {"diarization": False, "profanity_filter": False, "language_detection": False}
    request(config={**switched_off, "vocabulary": {"phrases": [], "aliases": None}}, outputs={"text_polishing": False})
    request(config={"vocabulary": {}, "vocabulary_id": ""}, outputs={})
    request(vocabulary={"phrases": [], "boost": 5})
    request(outputs={"text_polishing": {"enabled": False, "include_transcript": True}})
    request(vocabulary={"phrases": []}, vocabulary_id="", language_detection=False)


def test_only_options_that_are_used_appear_in_the_echo() -> None:
    written: dict[str, Any] = {"word_confidence": False, "num_speakers": None, "vocabulary": {}, "vocabulary_id": ""}
    assert request(config=written).config.echo() == request().config.echo()
    for empty in ({"phrases": [], "boost": 5}, {"phrases": None}, {"aliases": [], "x": [1]}):
        assert request(config={"vocabulary": empty}).config.echo() == request().config.echo()
    used: dict[str, Any] = {
        "diarization": True,
        "min_speakers": 2,
        "max_speakers": 5,
        "word_confidence": True,
        "vocabulary": {"phrases": ["Zoë"], "aliases": [{"canonical": "Kubernetes", "variants": ["cube a netties"]}]},
    }
    echoed = request(config=used).config.echo()
    assert {name: echoed[name] for name in used} == used
    assert request(config={"vocabulary_id": "vocab_1"}).config.echo()["vocabulary_id"] == "vocab_1"


def test_a_stored_configuration_is_read_as_it_was() -> None:
    config = request(
        config={
            "diarization": True,
            "num_speakers": 3,
            "vocabulary": {"phrases": ["a"], "aliases": [{"canonical": "b", "variants": ["c"]}]},
            "profanity_filter": True,
        }
    ).config
    assert Config.model_validate(config.echo()).echo() == config.echo()


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({}, (1, None)),
        ({"num_speakers": 4}, (4, 4)),
        ({"min_speakers": 2}, (2, None)),
        ({"max_speakers": 6}, (1, 6)),
        ({"min_speakers": 3, "max_speakers": 3}, (3, 3)),
    ],
)
def test_the_number_of_speakers_is_a_range(config: dict[str, Any], expected: tuple[int, int | None]) -> None:
    assert request(config={"diarization": True, **config}).config.speaker_range == expected


@pytest.mark.parametrize(
    ("config", "field", "reason"),
    [
        ({"diarization": True, "channel_separation": True}, "diarization", "channels already distinguish"),
        ({"num_speakers": 2}, "num_speakers", "only with diarization"),
        ({"diarization": False, "max_speakers": 2}, "max_speakers", "only with diarization"),
        ({"diarization": True, "num_speakers": 2, "min_speakers": 1}, "num_speakers", "the exact number"),
        ({"diarization": True, "num_speakers": 2, "max_speakers": 2}, "num_speakers", "exact number"),
        ({"diarization": True, "min_speakers": 3, "max_speakers": 2}, "min_speakers", "larger than max_speakers"),
        ({"diarization": True, "num_speakers": 0}, "num_speakers", "at least 1"),
        ({"diarization": True, "max_speakers": 101}, "max_speakers", "at most 100"),
        ({"diarization": True, "num_speakers": 2.0}, "num_speakers", "integer"),
        ({"diarization": True, "num_speakers": True}, "num_speakers", "integer"),
        ({"diarization": True, "num_speakers": "2"}, "num_speakers", "integer"),
        ({"vocabulary": {"phrases": ["a"]}, "vocabulary_id": "b"}, "vocabulary_id", "cannot be combined"),
        ({"vocabulary": {"phrases": ["a"] * 101}}, "vocabulary.phrases", "100"),
        ({"vocabulary": {"phrases": ["a", " "]}}, "vocabulary.phrases.1", "letter or digit"),
        ({"vocabulary": {"phrases": ["..."]}}, "vocabulary.phrases.0", "letter or digit"),
        ({"vocabulary": {"phrases": ["a" * 101]}}, "vocabulary.phrases.0", "100 characters"),
        ({"vocabulary": {"phrases": ["a\x07b"]}}, "vocabulary.phrases.0", "Control characters"),
        ({"vocabulary": {"phrases": "abc"}}, "vocabulary.phrases", "list"),
        ({"vocabulary": {"phrases": [1]}}, "vocabulary.phrases.0", "string"),
        ({"vocabulary": ["abc"]}, "vocabulary", "JSON object"),
        ({"vocabulary": {"phrase": ["x"]}}, "vocabulary", "neither phrases nor aliases"),
        ({"vocabulary": {"aliases": [{"canonical": "a"}]}}, "vocabulary.aliases.0.variants", "required"),
        ({"vocabulary": {"aliases": [{"canonical": "a", "variants": []}]}}, "vocabulary.aliases.0.variants", "empty"),
        ({"vocabulary_id": 5}, "vocabulary_id", "string"),
    ],
)
def test_options_that_contradict_each_other_are_refused_with_the_reason(
    config: dict[str, Any], field: str, reason: str
) -> None:
    error = refusal(config=config)
    assert error.field == f"config.{field}"
    assert reason in str(error)


@pytest.mark.parametrize(
    ("one", "other"),
    [("zoe", "ZOE"), ("O'Brien", "O’Brien"), ("x-y", "x y"), ("foo", "-foo"), ("Zo\u00e9", "Zoe\u0301")],  # noqa: RUF001
)
def test_a_variant_belongs_to_one_alias_however_it_is_written(one: str, other: str) -> None:
    aliases = [{"canonical": "Zoë", "variants": [one]}, {"canonical": "Zoey", "variants": [other]}]
    assert refusal(config={"vocabulary": {"aliases": aliases}}).field == "config.vocabulary.aliases.1.variants"


def test_a_phrase_has_single_spaces() -> None:
    vocabulary = request(config={"vocabulary": {"phrases": [" Ada \n Lovelace "]}}).config.vocabulary
    assert vocabulary is not None
    assert vocabulary.phrases == ("Ada Lovelace",)


@pytest.mark.parametrize(
    "fields",
    [
        {"input": {"uri": "ftp://host/a"}},
        {"input": {"uri": "https://["}},
        {"input": {"uri": "https://host:port/a.wav"}},
        {"input": {"uri": 1, "manifest": {}, "filters": {"include_globs": "*"}}},
        {"input": 1, "output": [], "config": "x", "notifications": 1.5, "outputs": [1]},
        {"input": {"uri": "s3://b/a.wav", "mode": "ALL", "source": 1, "auth": {"aws": {"access_key_id": 1}}}},
        {"output": {"uri": "gs://b/", "overwrite": "yes", "layout": None, "destination": "X"}},
        {"config": {"language": "", "timestamps": 1, "output_format": "pdf", "language_detection": {"mode": 1}}},
        {"notifications": {"webhook_url": "https://[", "secret": "x" * 300}, "reference_id": ["a"]},
    ],
)
def test_no_sentence_is_in_the_words_of_a_library(fields: dict[str, Any]) -> None:
    for mistake in refusal(**fields).mistakes:
        assert not re.search("default factory|validated|Value error|Input should|valid dict|instance", mistake.message)
        assert mistake.message[0].islower() or mistake.message.startswith("The request"), mistake.message


@pytest.mark.parametrize("mode", DetectionMode)
def test_a_language_may_be_detected_once_or_continuously(mode: DetectionMode) -> None:
    config = request(config={"language": "de", "language_detection": {"mode": mode.value}}).config
    assert config.detection_mode is mode
    assert config.echo()["language_detection"] == {"mode": mode.value}
    assert config.language == "de"


@pytest.mark.parametrize("off", [{}, {"language_detection": None}, {"language_detection": False}])
def test_without_a_wish_no_language_is_detected(off: dict[str, Any]) -> None:
    config = request(config=off).config
    assert config.detection_mode is None
    assert "language_detection" not in config.echo()


@pytest.mark.parametrize(
    ("wish", "field", "sentence"),
    [
        ({}, "config.language_detection.mode", "is required"),
        ({"mode": None}, "config.language_detection.mode", "is required"),
        ({"mode": "sometimes"}, "config.language_detection.mode", "must be 'once' or 'continuous'"),
        ({"mode": "ONCE"}, "config.language_detection.mode", "must be 'once' or 'continuous'"),
        ({"mode": True}, "config.language_detection.mode", "must be 'once' or 'continuous'"),
        ({"mode": ["once"]}, "config.language_detection.mode", "must be 'once' or 'continuous'"),
        ({"languages": ["en-US"]}, "config.language_detection.mode", "is required"),
        (True, "config.language_detection", "must be a JSON object"),
        ("once", "config.language_detection", "must be a JSON object"),
        (["once"], "config.language_detection", "must be a JSON object"),
        (0, "config.language_detection", "must be a JSON object"),
        ("", "config.language_detection", "must be a JSON object"),
    ],
)
def test_any_other_wish_for_detection_is_refused_by_the_name_of_its_field(
    wish: object, field: str, sentence: str
) -> None:
    error = refusal(config={"language_detection": wish})
    assert type(error) is InvalidRequest
    assert error.field == field
    assert sentence in str(error)


@pytest.mark.parametrize(
    ("fields", "field", "sentence"),
    [
        (
            {"config": {"output_format": "pdf"}},
            "config.output_format",
            "config.output_format must be 'json', 'srt',",
        ),
        (
            {"config": {"output_format": "srt", "output_formats": ["vtt"]}},
            "config.output_formats",
            "config.output_formats: output_formats does not contain output_format; omit one of them.",
        ),
        (
            {"config": {"output_format": "peaks"}},
            "config.output_format",
            "config.output_format: peaks is not a transcript; name a format of transcripts, too.",
        ),
        (
            {"config": {"output_formats": ["peaks"]}},
            "config.output_formats",
            "config.output_formats: peaks is not a transcript; name a format of transcripts, too.",
        ),
        (
            {"config": {"output_formats": []}},
            "config.output_formats",
            "config.output_formats: Name at least one format, or omit output_formats.",
        ),
        ({"config": {"timestamps": 1}}, "config.timestamps", "config.timestamps must be true or false."),
        ({"config": {"language": ""}}, "config.language", "config.language must not be empty."),
        ({"config": {"segmentation_mode": "vad"}}, "config.segmentation_mode", "'auto' or 'none'"),
        ({"config": []}, "config", "config must be a JSON object."),
        ({"reference_id": "r" * 257}, "reference_id", "At most 256 characters"),
        ({"reference_id": "a\0b"}, "reference_id", "NUL"),
        ({"notifications": {}}, "notifications.webhook_url", "is required"),
        ({"notifications": {"webhook_url": "http://host/"}}, "notifications.webhook_url", "https://"),
        ({"notifications": {"webhook_url": "https://:1/"}}, "notifications.webhook_url", "https://"),
        ({"notifications": {"webhook_url": "https://[::1/"}}, "notifications.webhook_url", "https://"),
        (
            {"notifications": {"webhook_url": "https://host/", "secret": "s" * 257}},
            "notifications.secret",
            "must not be longer than 256",
        ),
    ],
)
def test_the_sentence_of_a_refusal_says_what_is_right(fields: dict[str, Any], field: str, sentence: str) -> None:
    error = refusal(**fields)
    assert error.field == field
    assert sentence in str(error)


@pytest.mark.parametrize("body", [None, [], "x", 5])
def test_a_request_is_an_object(body: object) -> None:
    with pytest.raises(InvalidRequest, match=r"^The request must be a JSON object\.$"):
        parse_job_request(body)


ODD_VALUES: list[Any] = [
    None,
    True,
    0,
    -1,
    float("nan"),
    "",
    "x",
    "\0",
    "\ud800",
    "{name}",
    [],
    [[]],
    [None],
    {},
    {"x": []},
]
ANYTHING = st.sampled_from([*ODD_VALUES, "MANIFEST", "s3://b/a.wav", "https://h/a", "file://x", ["s3://b/a.wav", 5]])


def objects(*names: str, **known: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Objects in which any of these fields may be missing or hold anything."""
    fields = dict.fromkeys(names, ANYTHING) | {name: ANYTHING | value for name, value in known.items()}
    return st.fixed_dictionaries({}, optional=fields)


AUTH = objects(aws=objects("access_key_id", "secret_access_key", "session_token", "region"))
FILTERS = objects("include_globs", "exclude_globs")
BODIES = objects(
    "reference_id",
    input=objects("uri", "mode", "source", "manifest", auth=AUTH, filters=FILTERS) | st.just(RECORDING),
    output=objects("uri", "layout", "destination", "overwrite", auth=AUTH) | st.just(OUT),
    config=objects(
        *("language", "timestamps", "diarization", "num_speakers", "min_speakers", "max_speakers"),
        *("vocabulary_id", "word_confidence", "output_format", "model"),
        vocabulary=objects("phrases", "pronunciations", aliases=st.lists(objects("canonical", "variants"))),
        language_detection=objects("mode", "languages"),
    ),
    notifications=objects("webhook_url", "secret"),
    outputs=objects("text_polishing"),
)


@given(BODIES)
def test_every_request_is_accepted_or_rejected_in_a_sentence(body: object) -> None:
    message = "Accepted."
    try:
        parse_job_request(body)
    except InvalidRequest as error:
        message = error.message
    assert re.fullmatch(r"[^\n]+\.", message)


def test_unknown_fields_are_ignored() -> None:
    parsed = request(
        input={**RECORDING, "new": 1}, config={"experimental_feature": {"model_pro": True}}, anything={"at": "all"}
    )
    assert parsed == request()


# --- secrets ---------------------------------------------------------------------------------------------------


def test_no_secret_is_echoed_or_printed() -> None:
    auth = {"auth": {"aws": {**KEYS, "region": "eu-west-1"}}}
    parsed = request(
        input={**RECORDING, **auth},
        output={**OUT, **auth},
        notifications={"webhook_url": "https://host/", "secret": "marked-secret"},
    )
    assert parsed.input.auth is not None
    assert parsed.input.auth.aws is not None
    assert parsed.input.auth.aws.secret_access_key.get_secret_value() == "marked-secret"
    for text in (repr(parsed), str(parsed.echo()), parsed.model_dump_json()):
        assert "marked" not in text
        assert "MARKED" not in text


def test_a_session_token_may_be_absent_or_empty() -> None:
    for token in (None, ""):
        auth = request(input={**RECORDING, "auth": {"aws": {**KEYS, "session_token": token}}}).input.auth
        assert auth is not None
        assert auth.aws is not None
        assert auth.aws.session_token is None


def test_a_refusal_never_shows_what_was_sent() -> None:
    secret = {"aws": {"access_key_id": {"marked": 1}, "secret_access_key": ["marked-secret"]}}
    error = refusal(input={**RECORDING, "auth": secret})
    assert "marked" not in str(error)
    assert error.__cause__ is None


def test_the_echo_of_an_output_reads_back_as_the_same_output() -> None:
    output = request(input=FOLDER, output={"layout": "ADJACENT"}).output
    assert Output.model_validate(output.echo()) == output


def test_the_echo_leaves_out_what_was_not_given() -> None:
    assert request().echo()["input"] == {"mode": "SINGLE", "source": "S3", "uri": RECORDING["uri"]}
    filtered = request(input={**FOLDER, "filters": {"include_globs": ["*.wav"]}}).echo()["input"]
    assert filtered["filters"] == {"include_globs": ["*.wav"], "exclude_globs": []}
    assert request(input={"manifest": ["s3://b/a.wav"]}).echo()["input"] == {
        "mode": "MANIFEST",
        "source": "S3",
        "manifest": ["s3://b/a.wav"],
    }


@pytest.mark.parametrize(
    ("fields", "field", "sentence"),
    [
        ({"input": {"mode": "PREFIX", "uri": "https://host/calls/?sig=x"}}, "input.uri", "cannot be listed"),
        ({"input": {"uri": "https://host/"}}, "input.uri", "requires the URI of a file"),
        ({"input": {"uri": "s3://bucket/a.wav", "source": "HTTPS"}}, "input.source", "The source is HTTPS"),
        ({"output": {"uri": "https://host/out/"}}, "output.uri", "cannot be written to https://"),
        (
            {"input": {"uri": "https://host/a.wav"}, "output": {"layout": "ADJACENT"}},
            "output.layout",
            "next to an https:// recording",
        ),
    ],
)
def test_https_is_for_single_inputs(fields: dict[str, Any], field: str, sentence: str) -> None:
    error = refusal(**fields)
    assert error.field == field
    assert sentence in str(error)


@pytest.mark.parametrize(("given", "source"), [({}, "HTTPS"), ({"source": "S3"}, "S3"), ({"source": "https"}, "HTTPS")])
def test_a_pre_signed_url_is_echoed_without_its_query(given: dict[str, str], source: str) -> None:
    uri = "https://bucket.s3.amazonaws.com/calls/a.wav?X-Amz-Signature=marked"
    body = {"input": {"uri": uri, **given}, "output": {"uri": "s3://bucket/out/"}}
    assert parse_job_request(body).echo()["input"] == {
        "mode": "SINGLE",
        "source": source,
        "uri": "https://bucket.s3.amazonaws.com/calls/a.wav",
    }


@pytest.mark.parametrize(
    ("config", "formats"),
    [
        ({}, ("json",)),
        ({"output_format": "srt"}, ("srt",)),
        ({"output_formats": ["vtt"]}, ("vtt",)),
        ({"output_formats": ["vtt", "json", "txt", "vtt"]}, ("json", "vtt", "txt")),
        ({"output_formats": ["peaks", "srt"]}, ("srt", "peaks")),
        ({"output_format": "txt", "output_formats": ["srt", "txt"]}, ("srt", "txt")),
    ],
)
def test_formats_are_those_named_each_once_and_the_document_first(config: object, formats: tuple[str, ...]) -> None:
    asked = request(config=config).config
    assert asked.formats == formats
    assert Config.model_validate(asked.echo()).formats == formats
    assert asked.echo()["output_format"] == formats[0]


@pytest.mark.parametrize(
    ("uri", "config", "formats"),
    [
        ("s3://b/call.srt", {}, ("srt",)),
        ("s3://b/CALL.VTT", {}, ("vtt",)),
        ("s3://b/call", {}, ("json",)),
        ("s3://b/call.doc", {}, ("json",)),
        ("s3://b/call.srt", {"output_format": "json"}, ("json",)),
        ("s3://b/call.srt", {"output_formats": ["txt"]}, ("txt",)),
        ("s3://b/call.srt/", {}, ("json",)),
    ],
)
def test_the_name_of_a_single_transcript_says_its_format(uri: str, config: object, formats: tuple[str, ...]) -> None:
    assert request(input=RECORDING, output={"uri": uri}, config=config).config.formats == formats
