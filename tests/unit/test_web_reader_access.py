"""The form with credentials for the reader: its fields for each cloud, and what is read from it."""

from __future__ import annotations

from typing import Any, cast

import pytest

from batchscribe.errors import CredentialsNeeded, InvalidRequest, LocationNotAllowed
from batchscribe.jobs.model import Job
from batchscribe.settings import load_settings
from batchscribe.storage.azure.azure_credentials import AzureCredentials
from batchscribe.storage.gcs.gcs_credentials import GcpCredentials
from batchscribe.storage.s3.s3_credentials import AwsCredentials
from batchscribe.web.reader_access import FIELDS, fields_for, read_access, read_signed_url
from batchscribe.wire.choices import CLOUDS, Place
from batchscribe.wire.output import Output

AWS = {"input.aws.access_key_id": " key ", "input.aws.secret_access_key": "secret", "input.aws.region": ""}
URIS = {Place.S3: "s3://b/a", Place.GCS: "gs://b/a", Place.AZURE: "az://b/a", Place.HTTPS: "https://e.org/a"}


class OfJob:
    """The places of a job, which is all that the form needs of it."""

    def __init__(self, source: Place, destination: Place) -> None:
        self.input = {"source": source.value}
        self.output = Output.model_construct(destination=destination)


def job(source: Place, destination: Place | None = None) -> Job:
    return cast(Job, OfJob(source, destination or source))


def test_every_cloud_has_fields_that_the_credentials_of_a_request_have() -> None:
    assert set(FIELDS) == CLOUDS
    for place in CLOUDS:
        fields = fields_for(CredentialsNeeded("denied", side="output", uri=URIS[place]))
        assert [field for field in fields if field["required"]] or place is Place.GCS
        form = {field["name"]: "abc" for field in fields if field["required"]}
        form |= {"output.gcp.access_token": "abc"} if place is Place.GCS else {}
        assert read_access(form, job(place)), place


def test_a_url_needs_its_signature() -> None:
    (field,) = fields_for(CredentialsNeeded("denied", side="input", uri=URIS[Place.HTTPS]))
    assert field["name"] == "url"


def test_credentials_are_for_the_sides_that_a_person_names() -> None:
    assert read_access(AWS, job(Place.S3)) == {"input": AwsCredentials("key", "secret")}
    of_output = {"output.aws.access_key_id": "other", "output.aws.secret_access_key": "x"}
    assert read_access(of_output, job(Place.S3)) == {"output": AwsCredentials("other", "x")}
    assert set(read_access(AWS | of_output, job(Place.S3))) == {"input", "output"}
    assert set(read_access(AWS, job(Place.S3, Place.GCS))) == {"input"}


def test_a_key_file_keeps_its_lines() -> None:
    form = {"input.gcp.client_email": "a@b", "input.gcp.private_key": "-----BEGIN\r\nabc\r\n-----END\r\n"}
    given = read_access(form, job(Place.GCS))["input"]
    assert isinstance(given, GcpCredentials)
    assert given.private_key == "-----BEGIN\nabc\n-----END"
    azure = {"input.azure.account_name": "account", "input.azure.sas_token": "?sv=1"}
    assert isinstance(read_access(azure, job(Place.AZURE))["input"], AzureCredentials)


@pytest.mark.parametrize(
    "form",
    [
        {"input.aws.access_key_id": "key"},
        {"input.aws.access_key_id": "a\nb", "input.aws.secret_access_key": "c"},
        {"input.gcp.access_token": "token"},
        AWS | {"output.gcp.access_token": "token"},
    ],
)
def test_what_storage_could_not_use_is_refused_without_the_secret(form: dict[str, str]) -> None:
    with pytest.raises(InvalidRequest) as refused:
        read_access(form, job(Place.S3))
    assert "token" not in refused.value.message.replace("access_token", "")


def test_other_fields_are_ignored() -> None:
    assert read_access({"file": "f_000001", "input.aws": "x", "input.other.key": "y", "aws": "z"}, job(Place.S3)) == {}


def test_a_signed_url_must_be_that_of_the_recording() -> None:
    settings = load_settings()
    url = "https://example.org/a.wav?X-Amz-Signature=abc"
    assert read_signed_url({"url": f" {url} "}, "https://example.org/a.wav#3", settings) == {
        "https://example.org/a.wav#3": url
    }
    assert read_signed_url({}, "https://example.org/a.wav", settings) == {}
    refused: list[tuple[str, Any]] = [
        ("https://example.org/b.wav?X-Amz-Signature=abc", InvalidRequest),
        ("http://example.org/a.wav", InvalidRequest),
        ("file:///etc/passwd", InvalidRequest),
        ("https://[?X-Amz-Signature=abc", InvalidRequest),
    ]
    for other, error in refused:
        with pytest.raises(error) as caught:
            read_signed_url({"url": other}, "https://example.org/a.wav", settings)
        assert "abc" not in str(caught.value)
    with pytest.raises(LocationNotAllowed):
        read_signed_url({"url": "https://10.0.0.1/a?s=1"}, "https://10.0.0.1/a", settings)
