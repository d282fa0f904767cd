"""Reading an ended job without credentials: a person enters others, which are kept until the session ends."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.audio_files import noise, wav
from tests.contract.bodies import changed
from tests.contract.client import Client
from tests.contract.conftest import StartServer, client_of
from tests.contract.server import Server
from tests.contract.strict import Json
from tests.contract.visitor import Visitor
from tests.integration.conftest import radosgw
from tests.servers.certificates import make_certificate
from tests.servers.s3_server import S3Server
from tests.servers.web import SIGNED, Web, web_server

__all__ = ["radosgw"]

SOUND = wav(noise(80))  # 2.6 MB


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Web, Path]]:
    certificate, tls = make_certificate(tmp_path_factory.mktemp("tls"), "localhost")
    with web_server(tls) as server:
        yield server, certificate


@pytest.fixture(scope="module")
def cloud_server(start_server: StartServer, radosgw: S3Server, web: tuple[Web, Path]) -> Server:
    return start_server(
        BATCHSCRIBE_S3_ENDPOINT=radosgw.endpoint,
        BATCHSCRIBE_INPUT_ALLOW_NETWORKS="127.0.0.0/8,::1/128",
        SSL_CERT_FILE=str(web[1]),
    )


@pytest.fixture(scope="module")
def tenant(cloud_server: Server, radosgw: S3Server) -> Iterator[tuple[Client, Visitor]]:
    key = cloud_server.new_key("alice")
    with (
        client_of(cloud_server, key) as client,
        Visitor.signed_in(cloud_server, key, radosgw.secret_access_key, "marked-signature") as visitor,
    ):
        yield client, visitor


def aws(s3: S3Server) -> Json:
    return {"aws": {"access_key_id": s3.access_key_id, "secret_access_key": s3.secret_access_key}}


def job_in(s3: S3Server, bucket: str) -> Json:
    return {
        "input": {"mode": "SINGLE", "source": "S3", "uri": f"s3://{bucket}/a.wav", "auth": aws(s3)},
        "output": {"destination": "S3", "uri": f"s3://{bucket}/a.json", "layout": "SINGLE", "auth": aws(s3)},
        "config": {"segmentation_mode": "none", "word_time_offsets": True},
    }


def test_an_ended_job_is_read_with_credentials_that_a_person_enters(
    tenant: tuple[Client, Visitor], radosgw: S3Server, cloud_server: Server
) -> None:
    client, visitor = tenant
    bucket = radosgw.new_bucket(**{"a.wav": SOUND})
    job = f"/jobs/{client.done(job_in(radosgw, bucket))['job_id']}"
    file = f"{job}/files/f_000001"

    refused = visitor.get(f"{file}/audio", 409, range="bytes=0-").json()
    assert refused["reason"] == "CREDENTIALS_NEEDED"
    names = [field["name"] for field in refused["access"]]
    assert names[:2] == ["input.aws.access_key_id", "input.aws.secret_access_key"]
    assert visitor.reason(f"{file}/download/json", 409) == "CREDENTIALS_NEEDED"
    assert visitor.read(f"{file}/transcript")["source"] == "database"
    assert visitor.read(f"{file}/waveform")["channels"]

    for key, secret in [("wrong", "wrong"), (radosgw.access_key_id, "wrong")]:
        visitor.send(f"{job}/access", 200, **{names[0]: key, names[1]: secret})
        assert visitor.reason(f"{file}/audio", 409, range="bytes=0-") == "CREDENTIALS_NEEDED"
    visitor.send(f"{job}/access", 200, **{names[0]: radosgw.access_key_id, names[1]: radosgw.secret_access_key})
    assert visitor.get(f"{file}/audio").content == SOUND
    assert visitor.get(f"{file}/audio", 206, range="bytes=2200000-").content == SOUND[2_200_000:]
    assert visitor.read(f"{file}/transcript")["source"] == "transcript"
    assert visitor.get(f"{file}/download/json").content == radosgw.objects(bucket)["a.json"]
    assert radosgw.secret_access_key not in cloud_server.log_text()
    assert client.call("PUT", f"{job}/credentials", 400, json={"input": {"auth": aws(radosgw)}}).reason == "JOB_ENDED"


def test_a_recording_that_is_replaced_while_it_is_played_is_played_in_its_new_version(
    tenant: tuple[Client, Visitor], radosgw: S3Server
) -> None:
    client, visitor = tenant
    bucket = radosgw.new_bucket(**{"a.wav": SOUND})
    job = f"/jobs/{client.done(job_in(radosgw, bucket))['job_id']}"
    names = {"access_key_id": radosgw.access_key_id, "secret_access_key": radosgw.secret_access_key}
    visitor.send(f"{job}/access", 200, **{f"input.aws.{name}": value for name, value in names.items()})
    audio = f"{job}/files/f_000001/audio"
    first = visitor.get(audio, 206, range="bytes=0-")
    other = wav(noise(80, seed=1))
    radosgw.put(bucket, "a.wav", other)
    again = visitor.ask("GET", audio, headers={"range": "bytes=2097152-", "if-range": first.headers["etag"]})
    assert again.status_code == 200
    assert again.content == other
    assert again.headers["etag"] != first.headers["etag"]


@pytest.mark.parametrize(
    "fields",
    [
        {"input.aws.access_key_id": ""},
        {"input.aws.access_key_id": "only"},
        {"input.gcp.access_token": "of another cloud"},
        {"input.aws.access_key_id": "a\nb", "input.aws.secret_access_key": "c"},
        {"url": "https://localhost/a.wav"},
    ],
)
def test_a_form_without_usable_credentials_is_refused(
    fields: dict[str, str], tenant: tuple[Client, Visitor], radosgw: S3Server
) -> None:
    client, visitor = tenant
    bucket = radosgw.new_bucket(**{"a.wav": SOUND})
    job = client.done(job_in(radosgw, bucket))["job_id"]
    answer = visitor.send(f"/jobs/{job}/access", 400, **fields)
    assert answer.json()["reason"] == "VALIDATION_FAILED"


def test_a_public_url_is_played_without_credentials(
    tenant: tuple[Client, Visitor], radosgw: S3Server, web: tuple[Web, Path]
) -> None:
    client, visitor = tenant
    web[0].objects["/public.wav"] = SOUND
    bucket = radosgw.new_bucket()
    body = changed(job_in(radosgw, bucket), {"input.uri": web[0].url("/public.wav"), "input.source": "HTTPS"})
    job = client.done(body)
    assert job["state"] == "SUCCEEDED", job
    file = f"/jobs/{job['job_id']}/files/f_000001"
    assert visitor.get(f"{file}/audio").content == SOUND


def test_a_signed_url_is_needed_again_after_the_job(
    tenant: tuple[Client, Visitor], radosgw: S3Server, web: tuple[Web, Path], cloud_server: Server
) -> None:
    client, visitor = tenant
    web[0].objects["/signed.wav"] = SOUND
    web[0].signed.add("/signed.wav")
    url = web[0].url("/signed.wav")
    body = changed(job_in(radosgw, radosgw.new_bucket()), {"input.uri": url, "input.source": "HTTPS"})
    job = client.done(body)
    assert job["state"] == "SUCCEEDED", job
    path = f"/jobs/{job['job_id']}"
    refused = visitor.get(f"{path}/files/f_000001/audio", 409).json()
    assert [field["name"] for field in refused["access"]] == ["url"]
    elsewhere = visitor.send(f"{path}/access", 400, file="f_000001", url=f"https://localhost/else.wav?{SIGNED}")
    assert elsewhere.json()["reason"] == "VALIDATION_FAILED"
    visitor.send(f"{path}/access", file="f_000001", url=url)
    assert visitor.get(f"{path}/files/f_000001/audio").content == SOUND
    assert "marked-signature" not in cloud_server.log_text()


def test_without_access_another_tenant_cannot_give_it(
    tenant: tuple[Client, Visitor], radosgw: S3Server, cloud_server: Server
) -> None:
    client, _ = tenant
    job = client.done(job_in(radosgw, radosgw.new_bucket(**{"a.wav": SOUND})))["job_id"]
    with Visitor.signed_in(cloud_server, cloud_server.new_key("bob")) as bob:
        fields = {"input.aws.access_key_id": "a", "input.aws.secret_access_key": "b"}
        assert bob.send(f"/jobs/{job}/access", 404, **fields).json()["reason"] == "JOB_NOT_FOUND"


def test_without_search_the_text_comes_from_the_subtitles(start_server: StartServer, recordings: Path) -> None:
    server = start_server(BATCHSCRIBE_SEARCH="off", BATCHSCRIBE_WAVEFORMS="off")
    path = recordings / "no-search.wav"
    path.write_bytes(wav(noise(5, channels=2)))
    key = server.new_key("alice")
    body = {
        "input": {"mode": "SINGLE", "source": "FILE", "uri": path.as_uri()},
        "output": {"destination": "FILE", "layout": "ADJACENT"},
        "config": {"segmentation_mode": "none", "output_formats": ["vtt", "txt"], "channel_separation": True},
    }
    with client_of(server, key) as client, Visitor.signed_in(server, key) as visitor:
        file = f"/jobs/{client.done(body)['job_id']}/files/f_000001"
        shown = visitor.read(f"{file}/transcript")
        assert shown["source"] == "database"
        assert {each["label"] for each in shown["speakers"]} == {"Speaker 1L", "Speaker 1R"}
        assert visitor.reason(f"{file}/waveform", 404) == "WAVEFORM_NOT_FOUND"
        path.with_suffix(".vtt").unlink()
        assert visitor.reason(f"{file}/transcript", 404) == "OBJECT_NOT_FOUND"
        only_text = changed(body, {"config.output_formats": ["txt"], "output.overwrite": True})
        file = f"/jobs/{client.done(only_text)['job_id']}/files/f_000001"
        assert visitor.reason(f"{file}/transcript", 404) == "TRANSCRIPT_NOT_FOUND"
        assert visitor.get(f"{file}/download/txt").content == path.with_suffix(".txt").read_bytes()
