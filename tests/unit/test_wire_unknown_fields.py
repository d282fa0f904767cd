"""Fields of requests that have no effect."""

from __future__ import annotations

from typing import Any

import pytest

from batchscribe.wire.credentials import CredentialsRequest
from batchscribe.wire.request import JobRequest
from batchscribe.wire.unknown_fields import MOST_NAMED, find_unknown_fields
from batchscribe.wire.vocabulary import VocabularyRequest

PLAIN: dict[str, Any] = {"input": {"uri": "s3://calls/a.wav"}, "output": {"uri": "s3://out/"}}


def warning(path: str, advice: str) -> str:
    return f"{path} is not a known field, so it has no effect. {advice}"


@pytest.mark.parametrize(
    ("body", "path", "advice"),
    [
        ({"config": {"lang": "de"}}, "config.lang", "Did you mean config.language?"),
        ({"language": "de"}, "language", "Did you mean config.language?"),
        ({"input": {"include": ["*"]}}, "input.include", "Did you mean input.filters.include_globs?"),
        ({"input": {"exclude_globs": []}}, "input.exclude_globs", "Did you mean input.filters.exclude_globs?"),
        (
            {"output": {"auth": {"aws": {"region_name": "x"}}}},
            "output.auth.aws.region_name",
            "Did you mean output.auth.aws.region?",
        ),
        ({"output": {"region": "x"}}, "output.region", "Did you mean output.auth.aws.region?"),
        ({"uri": "s3://calls/"}, "uri", "Did you mean input.uri or output.uri?"),
        ({"referenceId": "x"}, "referenceId", "Did you mean reference_id?"),
        (
            {"config": {"vocabulary": {"aliases": [{"canonical": "a", "variants": ["b"], "variant": "c"}]}}},
            "config.vocabulary.aliases.0.variant",
            "Did you mean config.vocabulary.aliases.0.variants?",
        ),
        ({"zzz": {"anything": {"deep": 1}}}, "zzz", "docs/api.md lists all fields."),
    ],
)
def test_a_field_is_named_by_its_path_with_a_similar_one(body: dict[str, Any], path: str, advice: str) -> None:
    unknown = find_unknown_fields(JobRequest, PLAIN | body)
    assert [field.path for field in unknown.first] == [path]
    assert unknown.warnings == (warning(path, advice),)


@pytest.mark.parametrize(
    "body",
    [
        PLAIN,
        {"config": {"experimental_feature": {"model_pro": True}, "language_detection": False}},
        {"outputs": {"text_polishing": {"enabled": False, "include_transcript": True}}},
        {"language_detection": None, "vocabulary": {"phrases": []}, "vocabulary_id": ""},
        {"config": {"vocabulary": {"phrases": ["a"], "pronunciations": []}}},
        {"config": {"lang": None}},
        {"input": {"mode": "SINGLE", "source": "S3", "manifest": None, "auth": {"aws": {"session_token": ""}}}},
        {"input": {"auth": {"gcp": {"type": "service_account", "project_id": "p", "token_uri": "https://t"}}}},
        {"notifications": {"webhook_url": "https://x", "secret": "y"}, "reference_id": "r"},
    ],
)
def test_fields_of_the_contract_and_null_are_not_reported(body: dict[str, Any]) -> None:
    assert find_unknown_fields(JobRequest, PLAIN | body).warnings == ()


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("language ", '"language "'),
        ('x\n{"event": "forged"}', '"x\\n{\\"event\\": \\"forged\\"}"'),
        ("\x1b[31mred", '"\\u001b[31mred"'),
        ("https://bucket.example/a.wav?signature=s3cr3t", '"https://bucket.example/a.wav?signature=s..."'),
        ("größe", '"gr\\u00f6\\u00dfe"'),
        ("", '""'),
    ],
)
def test_a_name_that_is_like_no_field_is_quoted_for_its_sender_and_hidden_from_the_log(name: str, shown: str) -> None:
    (field,) = find_unknown_fields(JobRequest, PLAIN | {"config": {name: 1}}).first
    assert field.path == "config.?"
    assert field.warning.startswith(f"config.{shown} is not a known field")


def test_many_fields_are_counted_and_the_first_ones_named() -> None:
    unknown = find_unknown_fields(JobRequest, PLAIN | {"config": {f"x{number}": 1 for number in range(5000)}})
    assert (len(unknown.first), unknown.total) == (MOST_NAMED, 5000)
    assert unknown.warnings[-1] == "4990 more fields are unknown and have no effect."
    eleven = find_unknown_fields(JobRequest, {f"field_{number}": 1 for number in range(11)})
    assert eleven.warnings[-1] == "1 more field is unknown and has no effect."


def test_other_bodies_are_compared_with_their_own_fields() -> None:
    fresh = find_unknown_fields(CredentialsRequest, {"inputs": {}, "output": {"uri": "s3://x", "auth": {"aws": {}}}})
    assert fresh.warnings == (
        warning("inputs", "Did you mean input?"),
        warning("output.uri", "docs/api.md lists all fields."),
    )
    vocabulary = find_unknown_fields(VocabularyRequest, {"phrases": ["a"], "title": "x", "frases": []})
    assert [field.path for field in vocabulary.first] == ["title", "frases"]
