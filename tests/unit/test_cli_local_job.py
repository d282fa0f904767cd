"""A job that runs in this process: its keys for S3, and the folder that it writes to."""

from __future__ import annotations

from pathlib import Path

import pytest

from batchscribe.cli.environment_credentials import read_fresh_credentials
from batchscribe.cli.job_request import build_local_requests
from batchscribe.cli.local_job import run_requests
from batchscribe.cli.options import JobOptions, Layout
from batchscribe.errors import UsageError
from batchscribe.jobs.source import Source, SourceKind
from batchscribe.queue.records import open_records
from batchscribe.settings import load_settings
from batchscribe.stages.sealed_credentials import INPUT, OUTPUT, open_credentials, renew_credentials, seal_credentials
from batchscribe.storage.access import Credentials
from batchscribe.storage.azure.azure_credentials import AzureCredentials
from batchscribe.storage.s3.s3_credentials import AwsCredentials
from batchscribe.wire.choices import OutputLayout
from batchscribe.wire.output import Output
from tests.jobs_on_record import a_job, stored_job

AWS = AwsCredentials("key", "secret")
AZURE = AzureCredentials("account", sas_token="sig=a")
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "key",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AZURE_STORAGE_ACCOUNT": "account",
    "AZURE_STORAGE_SAS_TOKEN": "sig=a",
}


@pytest.mark.parametrize(
    ("input_uri", "output_uri", "expected"),
    [
        ("file:///a.wav", "file:///out/", {}),
        ("s3://b/a.wav", "file:///out/", {INPUT: AWS}),
        ("file:///a.wav", "s3://b/", {OUTPUT: AWS}),
        ("s3://b/a.wav", "az://c/", {INPUT: AWS, OUTPUT: AZURE}),
        ("az://c/a.wav", "", {INPUT: AZURE, OUTPUT: AZURE}),
    ],
)
def test_each_side_of_a_job_gets_the_credentials_of_its_own_cloud(
    input_uri: str, output_uri: str, expected: dict[str, Credentials]
) -> None:
    layout = OutputLayout.PREFIX if output_uri else OutputLayout.ADJACENT
    job = a_job(
        sources=(Source(SourceKind.FILE, input_uri),),
        output=Output(uri=output_uri, layout=layout),
    )
    assert read_fresh_credentials(job, ENVIRONMENT) == expected


def test_an_account_without_a_key_does_not_replace_the_stored_key() -> None:
    job = a_job(sources=(Source(SourceKind.FILE, "az://c/a.wav"),), output=Output(uri="file:///out/"))
    assert read_fresh_credentials(job, {"AZURE_STORAGE_ACCOUNT": "account"}) == {}


def test_fresh_keys_take_the_place_of_those_that_a_job_came_with(tmp_path: Path) -> None:
    records = open_records(load_settings(data_dir=tmp_path))
    records.flow.prepare()
    with records.transaction() as connection:
        job = stored_job(connection)
        seal_credentials(connection, records, job, INPUT, AwsCredentials("key", "secret", "expired"))
    fresh = AwsCredentials("key", "secret", "fresh")
    renew_credentials(records, job, {INPUT: fresh, OUTPUT: fresh})
    assert open_credentials(records, job, INPUT) == open_credentials(records, job, OUTPUT) == fresh
    records.database.dispose()


def test_a_file_in_place_of_the_output_folder_is_reported(tmp_path: Path) -> None:
    (tmp_path / "a.wav").touch()
    (tmp_path / "taken").touch()
    options = JobOptions((str(tmp_path / "a.wav"),), output=str(tmp_path / "taken"), layout=Layout.PREFIX)
    with pytest.raises(UsageError, match=r"taken cannot be created: File exists"):
        run_requests(build_local_requests(options), load_settings(data_dir=tmp_path / "data"))


@pytest.mark.parametrize(("output", "folder"), [("x/y/out/", "x/y/out"), ("z/a.json", "z")])
def test_the_output_folder_is_created(tmp_path: Path, output: str, folder: str) -> None:
    (tmp_path / "a.wav").touch()
    requests = build_local_requests(JobOptions((str(tmp_path / "a.wav"),), output=f"{tmp_path}/{output}"))
    settings = load_settings(data_dir=tmp_path / "data", engine="no-such")
    with pytest.raises(UsageError, match="Engine 'no-such' is not known"):  # the next check
        run_requests(requests, settings)
    assert (tmp_path / folder).is_dir()
