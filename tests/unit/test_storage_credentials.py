"""Credentials of each cloud: from the environment, from a request, and as the database keeps them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from batchscribe.errors import UsageError
from batchscribe.settings import load_settings
from batchscribe.storage.access import Credentials
from batchscribe.storage.azure.azure_credentials import AzureCredentials
from batchscribe.storage.gcs.gcs_credentials import GcpCredentials
from batchscribe.storage.s3.s3_credentials import AwsCredentials
from batchscribe.storage.schemes import (
    FORMS,
    read_credentials,
    read_environment,
    seal_form,
    select_settings,
    unseal_form,
    write_auth,
)
from batchscribe.wire.credentials import Auth

KEY = "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\n"
ALL: list[Credentials] = [
    AwsCredentials("the-key", "the-secret"),
    AwsCredentials("the-key", "the-secret", "the-token", "eu-west-1"),
    GcpCredentials("robot@example.iam", KEY, "id1"),
    GcpCredentials(access_token="the-token"),
    AzureCredentials("account1", account_key="dGhlLWtleQ=="),
    AzureCredentials("account1", sas_token="?sv=2023&sig=the-secret"),
    AzureCredentials("account1", access_token="the-token"),
    AzureCredentials("account1"),
]


@pytest.mark.parametrize("credentials", ALL, ids=lambda each: type(each).__name__)
def test_credentials_survive_the_request_and_the_database(credentials: Credentials) -> None:
    auth = Auth.model_validate(json.loads(json.dumps(write_auth(credentials))))
    assert read_credentials(auth) == credentials
    assert unseal_form(json.loads(json.dumps(seal_form(credentials)))) == credentials


@pytest.mark.parametrize("credentials", ALL, ids=lambda each: type(each).__name__)
def test_no_credentials_are_shown(credentials: Credentials) -> None:
    shown = f"{credentials!r} {Auth.model_validate(write_auth(credentials))!r}"
    for secret in ("the-key", "the-secret", "the-token", "MIIE", "dGhlLWtleQ"):
        assert secret not in shown


def test_workers_of_older_releases_can_read_s3_credentials() -> None:
    assert seal_form(AwsCredentials("key", "secret")) == {"access_key_id": "key", "secret_access_key": "secret"}
    older = {"access_key_id": "key", "secret_access_key": "secret", "session_token": None, "region": None}
    assert unseal_form(older) == AwsCredentials("key", "secret")


def test_each_form_has_the_fields_of_the_wire() -> None:
    assert {form.field for form in FORMS} == set(Auth.model_fields)


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"AWS_SESSION_TOKEN": "left over"}, None),
        ({"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"}, AwsCredentials("key", "secret")),
        (
            {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_SESSION_TOKEN": "token"},
            AwsCredentials("key", "secret", "token"),
        ),
    ],
)
def test_the_variables_of_aws_tools_are_read(environment: dict[str, str], expected: AwsCredentials | None) -> None:
    assert read_environment("s3://bucket/a.wav", environment) == expected
    assert read_environment("gs://bucket/a.wav", environment) is None
    assert read_environment("file:///a.wav", environment) is None


@pytest.mark.parametrize("only", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"])
def test_half_a_key_is_refused_without_showing_it(only: str) -> None:
    with pytest.raises(UsageError, match="AWS_SECRET_ACCESS_KEY") as refusal:
        read_environment("s3://bucket/", {only: "half-a-key"})
    assert "half-a-key" not in refusal.value.message


def test_googles_variables_name_a_key_file_or_hold_a_token(tmp_path: Path) -> None:
    file = tmp_path / "key.json"
    file.write_text(json.dumps({"type": "service_account", "client_email": "robot@x", "private_key": KEY, "more": 1}))
    named = {"GOOGLE_APPLICATION_CREDENTIALS": str(file)}
    assert read_environment("gs://bucket/", named) == GcpCredentials("robot@x", KEY)
    token = {**named, "CLOUDSDK_AUTH_ACCESS_TOKEN": "token"}
    assert read_environment("gs://bucket/", token) == GcpCredentials(access_token="token")
    assert read_environment("gs://bucket/", {}) is None


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ('{"type": "authorized_user", "refresh_token": "secret"}', "must name the key file of a service account"),
        ('["secret"]', "must name the key file"),
        ('{"client_email": 1, "private_key": ["secret"]}', "must name the key file"),
        ("[" * 100_000, "which is not JSON"),
        ("secret", "which is not JSON"),
        (None, "cannot be read"),
    ],
)
def test_a_file_that_holds_no_service_account_is_refused_without_showing_it(
    tmp_path: Path, content: str | None, sentence: str
) -> None:
    file = tmp_path / "key.json"
    if content is not None:
        file.write_text(content)
    with pytest.raises(UsageError, match=sentence) as refusal:
        read_environment("gs://bucket/", {"GOOGLE_APPLICATION_CREDENTIALS": str(file)})
    assert "secret" not in refusal.value.message


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, None),
        ({"AZURE_STORAGE_ACCOUNT": "a1", "AZURE_STORAGE_KEY": "a2V5"}, AzureCredentials("a1", "a2V5")),
        ({"AZURE_STORAGE_ACCOUNT": "a1", "AZURE_STORAGE_SAS_TOKEN": "sig"}, AzureCredentials("a1", sas_token="sig")),
    ],
)
def test_the_variables_of_azure_tools_are_read(environment: dict[str, str], expected: AzureCredentials | None) -> None:
    assert read_environment("az://container/", environment) == expected


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({"AZURE_STORAGE_KEY": "secret"}, "AZURE_STORAGE_ACCOUNT"),
        (
            {"AZURE_STORAGE_ACCOUNT": "a1", "AZURE_STORAGE_KEY": "secret", "AZURE_STORAGE_SAS_TOKEN": "secret"},
            "only one of AZURE_STORAGE_KEY and AZURE_STORAGE_SAS_TOKEN",
        ),
    ],
)
def test_unclear_azure_variables_are_refused(environment: dict[str, str], sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence) as refusal:
        read_environment("az://container/", environment)
    assert "secret" not in refusal.value.message


def test_the_settings_that_a_local_job_keeps_identify_jobs_of_older_releases() -> None:
    """The fingerprint of a job contains them: new schemes must not change it unless their settings are used."""
    older = {"s3_endpoint": None, "s3_region": None, "s3_path_style": False, "s3_allow_http": False}
    assert list(select_settings(load_settings()).items()) == list(older.items())
    used = select_settings(load_settings(azure_account="account1"))
    assert used == {**older, "azure_account": "account1"}
