"""Where transcripts go (contract 5).

`outcomes` submits all jobs at once; each test checks one of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.contract.bodies import ABSENT, changed, manifest, prefix, single
from tests.contract.client import Client
from tests.contract.strict import Json
from tests.recordings import write_wav
from tests.servers.s3_server import S3Server

INPUTS = (
    "audio/2025/11/call_0001.wav",
    "audio/top.wav",
    "same/a.wav",
    "same/a.mp3",
    "x/a.wav",
    "y/a.wav",
    "z/a.wav",
    "odd/a%20b.wav",
    "odd/ü 語.wav",
    "odd/v1.2.final.wav",
    "odd/UPPER.WAV",
)


@dataclass(slots=True)
class Case:
    """A job's body with `{in}` and `{out}` for its buckets, and the keys expected below `{out}`."""

    body: Json
    keys: list[str]


CASES = {
    "prefix to prefix": Case(
        prefix("s3://{in}/audio/", "s3://{out}/transcripts/"),
        ["transcripts/2025/11/call_0001.json", "transcripts/top.json"],
    ),
    "a base without its slash": Case(
        prefix("s3://{in}/audio", "s3://{out}/base"), ["base/2025/11/call_0001.json", "base/top.json"]
    ),
    "the bucket itself as base": Case(prefix("s3://{in}/audio/", "s3://{out}"), ["2025/11/call_0001.json", "top.json"]),
    "single to single": Case(single("s3://{in}/audio/top.wav", "s3://{out}/one/exact.json"), ["one/exact.json"]),
    "single to a key without extension": Case(single("s3://{in}/audio/top.wav", "s3://{out}/one/key"), ["one/key"]),
    "single to prefix": Case(
        changed(single("s3://{in}/audio/top.wav", "s3://{out}/two"), {"output.layout": "PREFIX"}), ["two/top.json"]
    ),
    "single to a folder": Case(
        changed(single("s3://{in}/audio/top.wav", "s3://{out}/three/"), {"output.layout": ABSENT}), ["three/top.json"]
    ),
    "manifest": Case(
        manifest("s3://{in}/audio/2025/11/call_0001.wav", "s3://{in}/audio/top.wav", output="s3://{out}/four"),
        ["four/call_0001.json", "four/top.json"],
    ),
    "equal names": Case(
        manifest("s3://{in}/x/a.wav", "s3://{in}/y/a.wav", "s3://{in}/z/a.wav", output="s3://{out}/five/"),
        ["five/a.json", "five/a.wav.json", "five/a.wav-2.json"],
    ),
    "equal stems": Case(prefix("s3://{in}/same/", "s3://{out}/six/"), ["six/a.json", "six/a.wav.json"]),
    "odd names": Case(
        prefix("s3://{in}/odd/", "s3://{out}/seven/"),
        ["seven/UPPER.json", "seven/a%20b.json", "seven/v1.2.final.json", "seven/ü 語.json"],
    ),
}


@dataclass(slots=True)
class Outcome:
    job: Json
    files: list[Json]
    bucket: str  #: of the transcripts

    @property
    def keys(self) -> list[str]:
        return [file["output_uri"].removeprefix(f"s3://{self.bucket}/") for file in self.files]


@pytest.fixture(scope="module")
def outcomes(alice: Client, moto_s3: S3Server, wav: bytes) -> dict[str, Outcome]:
    calls = moto_s3.new_bucket(**dict.fromkeys(INPUTS, wav))
    buckets = {name: moto_s3.new_bucket() for name in CASES}
    ids = {name: alice.submit(filled(case.body, calls, buckets[name])) for name, case in CASES.items()}
    jobs = {name: alice.ended(job_id) for name, job_id in ids.items()}
    return {name: Outcome(job, alice.files(job["job_id"]), buckets[name]) for name, job in jobs.items()}


def filled(body: Json, calls: str, transcripts: str) -> Json:
    source, output = body["input"], body["output"]
    places = {"input.manifest": [uri.replace("{in}", calls) for uri in source.get("manifest", [])] or ABSENT}
    places["input.uri"] = source["uri"].replace("{in}", calls) if "uri" in source else ABSENT
    return changed(body, places | {"output.uri": output["uri"].replace("{out}", transcripts)})


def keys_in(service: S3Server, bucket: str) -> list[str]:
    return sorted(found["Key"] for found in service.client().list_objects_v2(Bucket=bucket).get("Contents", []))


def read(service: S3Server, bucket: str, key: str) -> bytes:
    content: bytes = service.client().get_object(Bucket=bucket, Key=key)["Body"].read()
    return content


@pytest.mark.parametrize("name", CASES)
def test_each_file_says_where_its_transcript_is(outcomes: dict[str, Outcome], name: str) -> None:
    outcome = outcomes[name]
    assert outcome.job["state"] == "SUCCEEDED"
    assert outcome.keys == CASES[name].keys


@pytest.mark.parametrize("name", CASES)
def test_each_transcript_is_where_its_file_says(outcomes: dict[str, Outcome], moto_s3: S3Server, name: str) -> None:
    assert keys_in(moto_s3, outcomes[name].bucket) == sorted(CASES[name].keys)


def test_adjacent_with_a_manifest_is_beside_each_recording(alice: Client, moto_s3: S3Server, wav: bytes) -> None:
    """Clients of the original service send it if their user names no layout."""
    bucket = moto_s3.new_bucket(**{"one/a.wav": wav, "two/a.wav": wav, "two/b.wav": wav})
    body = manifest(*(f"s3://{bucket}/{key}" for key in ("one/a.wav", "two/a.wav")), output="")
    job = alice.done(changed(body, {"output.layout": "ADJACENT"}))
    assert job["state"] == "SUCCEEDED"
    assert [key for key in keys_in(moto_s3, bucket) if key.endswith(".json")] == ["one/a.json", "two/a.json"]


@pytest.mark.parametrize("mode", ["PREFIX", "SINGLE"])
def test_adjacent_is_beside_the_recording(alice: Client, moto_s3: S3Server, wav: bytes, mode: str) -> None:
    bucket = moto_s3.new_bucket(**{"in/a.wav": wav} | ({"in/deep/b.wav": wav} if mode == "PREFIX" else {}))
    body = single(f"s3://{bucket}/in/a.wav", "") if mode == "SINGLE" else prefix(f"s3://{bucket}/in/", "")
    job = alice.done(changed(body, {"output.layout": "ADJACENT"}))
    assert job["state"] == "SUCCEEDED"
    expected = {"in/a.json"} | ({"in/deep/b.json"} if mode == "PREFIX" else set())
    assert {key for key in keys_in(moto_s3, bucket) if key.endswith(".json")} == expected


def test_what_is_there_already_is_left_alone(alice: Client, moto_s3: S3Server, wav: bytes) -> None:
    bucket = moto_s3.new_bucket(**{"a.wav": wav, "a.json": b"precious"})
    job = alice.done(single(f"s3://{bucket}/a.wav", f"s3://{bucket}/a.json"))
    file = alice.files(job["job_id"])[0]
    assert (job["state"], file["state"], file["error"]["code"]) == ("SUCCEEDED", "FILE_SKIPPED", "OUTPUT_EXISTS")
    assert job["summary"]["skipped"] == 1
    assert read(moto_s3, bucket, "a.json") == b"precious"


def test_existing_transcripts_are_replaced_on_request(alice: Client, moto_s3: S3Server, wav: bytes) -> None:
    bucket = moto_s3.new_bucket(**{"a.wav": wav, "a.json": b"old"})
    job = alice.done(changed(single(f"s3://{bucket}/a.wav", f"s3://{bucket}/a.json"), {"output.overwrite": True}))
    assert job["state"] == "SUCCEEDED"
    assert read(moto_s3, bucket, "a.json") != b"old"


def test_no_transcript_ever_replaces_a_recording_of_its_job(alice: Client, moto_s3: S3Server, wav: bytes) -> None:
    bucket = moto_s3.new_bucket(**{"a.wav": wav, "a.json": wav})
    body = manifest(f"s3://{bucket}/a.wav", f"s3://{bucket}/a.json", output=f"s3://{bucket}/")
    job = alice.done(changed(body, {"output.overwrite": True}))
    outputs = {file["output_uri"] for file in alice.files(job["job_id"])}
    assert f"s3://{bucket}/a.json" not in outputs
    assert read(moto_s3, bucket, "a.json") == wav


def test_local_folders_keep_their_names(alice: Client, recordings: Path) -> None:
    folder = recordings / "paths in"
    write_wav(folder / "sub dir" / "ü.wav")
    body = prefix(f"{folder.as_uri()}/", f"{(recordings / 'paths out').as_uri()}/")
    job = alice.done(changed(body, {"input.source": "FILE", "output.destination": "FILE"}))
    assert job["state"] == "SUCCEEDED"
    assert (recordings / "paths out" / "sub dir" / "ü.json").is_file()
    assert alice.files(job["job_id"])[0]["output_uri"] == (recordings / "paths out" / "sub dir" / "ü.json").as_uri()
