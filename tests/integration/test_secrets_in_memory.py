"""Secrets in memory end with their job."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.recordings import write_wav
from tests.servers.s3_server import S3Server

ROOT = Path(__file__).resolve().parents[2]


def test_a_worker_keeps_nothing_of_the_keys_of_jobs_that_have_ended(moto_s3: S3Server, tmp_path: Path) -> None:
    write_wav(tmp_path / "a.wav")
    wav = (tmp_path / "a.wav").read_bytes()
    bucket = moto_s3.new_bucket(**{f"calls/{number}.wav": wav for number in range(8)})
    command = [
        sys.executable,
        "-m",
        "tests.integration.secrets_victim",
        str(tmp_path / "work"),
        moto_s3.endpoint,
        bucket,
    ]
    searched = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert searched.returncode == 0, searched.stderr
    result = json.loads(searched.stdout.splitlines()[-1])
    assert result["state"] == "SUCCEEDED"
    assert any("AwsCredentials" in holder for holder in result["during"])  # the search finds what is there
    assert result["after"] == []
