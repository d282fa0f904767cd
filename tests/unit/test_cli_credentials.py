"""Keys for S3 come from the environment, and only to jobs that need them."""

from __future__ import annotations

from pathlib import Path

import pytest

from batchscribe.cli.credentials import credentials_of_environment, needs_credentials
from batchscribe.errors import UsageError
from batchscribe.jobs.source import Source, SourceKind
from batchscribe.settings import load_settings
from batchscribe.storage.access import AwsCredentials
from batchscribe.wire.output import Output
from batchscribe.work.credentials import INPUT, OUTPUT, open_credentials, renew_credentials, seal_credentials
from batchscribe.work.records import open_records
from tests.jobs_on_record import stored_job

VARIABLES = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (("", "", "left over"), None),
        (("key", "secret", ""), AwsCredentials("key", "secret")),
        (("key", "secret", "token"), AwsCredentials("key", "secret", "token")),
    ],
)
def test_the_variables_of_aws_tools_are_read(
    monkeypatch: pytest.MonkeyPatch, values: tuple[str, str, str], expected: AwsCredentials | None
) -> None:
    for name, value in zip(VARIABLES, values, strict=True):
        monkeypatch.setenv(name, value)
    assert credentials_of_environment() == expected


@pytest.mark.parametrize("only", VARIABLES[:2])
def test_half_a_key_is_refused_without_showing_it(monkeypatch: pytest.MonkeyPatch, only: str) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(only, "half-a-key")
    with pytest.raises(UsageError, match="AWS_SECRET_ACCESS_KEY") as refusal:
        credentials_of_environment()
    assert "half-a-key" not in refusal.value.message


@pytest.mark.parametrize(
    ("input_uri", "output_uri", "expected"),
    [
        ("file:///a.wav", "file:///out/", False),
        ("s3://b/a.wav", "file:///out/", True),
        ("file:///a.wav", "s3://b/", True),
    ],
)
def test_a_job_that_never_meets_s3_gets_no_key(input_uri: str, output_uri: str, expected: bool) -> None:
    assert needs_credentials([Source(SourceKind.FILE, input_uri)], Output(uri=output_uri)) is expected


def test_fresh_keys_take_the_place_of_those_that_a_job_came_with(tmp_path: Path) -> None:
    records = open_records(load_settings(data_dir=tmp_path))
    records.flow.prepare()
    with records.transaction() as connection:
        job = stored_job(connection)
        seal_credentials(connection, records, job, INPUT, AwsCredentials("key", "secret", "expired"))
    fresh = AwsCredentials("key", "secret", "fresh")
    renew_credentials(records, job, {INPUT: fresh, OUTPUT: fresh})
    assert open_credentials(records, job, INPUT) == open_credentials(records, job, OUTPUT) == fresh
    records.engine.dispose()
