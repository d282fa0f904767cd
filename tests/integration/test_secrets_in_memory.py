"""Secrets in memory end with their job."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.secrets_victim import PLACEHOLDER, marker
from tests.integration.test_azure import sas_of
from tests.recordings import write_wav
from tests.servers.azurite import ACCOUNT, Azurite
from tests.servers.gcs_bucket import serving_gcs
from tests.servers.s3_server import S3Server

ROOT = Path(__file__).resolve().parents[2]

Order = dict[str, Any]


@pytest.fixture
def recordings(tmp_path: Path) -> dict[str, bytes]:
    wav = write_wav(tmp_path / "a.wav").read_bytes()
    return {f"calls/{number}.wav": wav for number in range(8)}


@pytest.fixture
def s3(moto_s3: S3Server, recordings: dict[str, bytes]) -> Order:
    names = ("access_key_id", "secret_access_key", "session_token")
    return {
        "bucket": f"s3://{moto_s3.new_bucket(**recordings)}",
        "settings": {"s3_endpoint": moto_s3.endpoint, "s3_allow_http": True},
        "credentials": {name: f"{name}-{PLACEHOLDER}" for name in names},
    }


@pytest.fixture
def gs(recordings: dict[str, bytes]) -> Iterator[Order]:
    """The searched text is in the private key, whose PEM may begin with any line, and in the access token."""
    with serving_gcs(recordings) as bucket:
        bucket.token_prefix = f"minted-{marker()}-"
        account = bucket.account
        yield {
            "bucket": "gs://bucket",
            "settings": {"gcs_endpoint": bucket.url, "gcs_token_url": f"{bucket.url}/token"},
            "credentials": {
                "kind": "gcp",
                "client_email": account.client_email,
                "private_key": f"{PLACEHOLDER}\n{account.private_key}",
            },
        }


@pytest.fixture
def az(azurite: Azurite, recordings: dict[str, bytes]) -> Order:
    """The searched text is in a parameter of the signature that the storage ignores."""
    container = azurite.new_bucket(**recordings)
    token = f"{sas_of(container, hours=1)}&unused={PLACEHOLDER}"
    return {
        "bucket": f"az://{container}",
        "settings": {"azure_endpoint": azurite.endpoint},
        "credentials": {"kind": "azure", "account_name": ACCOUNT, "sas_token": token},
    }


@pytest.mark.parametrize(
    ("cloud", "kind"), [("s3", "AwsCredentials"), ("gs", "GcpCredentials"), ("az", "AzureCredentials")]
)
def test_a_worker_keeps_nothing_of_the_keys_of_jobs_that_have_ended(
    request: pytest.FixtureRequest, tmp_path: Path, cloud: str, kind: str
) -> None:
    order = tmp_path / "order.json"
    order.write_text(json.dumps(request.getfixturevalue(cloud)))
    command = [sys.executable, "-m", "tests.integration.secrets_victim", str(tmp_path / "work"), str(order)]
    searched = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert searched.returncode == 0, searched.stderr
    result = json.loads(searched.stdout.splitlines()[-1])
    assert result["state"] == "SUCCEEDED"
    assert any(kind in holder for holder in result["during"])  # the search finds what is there
    assert result["after"] == []
