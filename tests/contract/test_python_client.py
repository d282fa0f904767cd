"""`batchscribe.Client` and `AsyncClient` against a strict server: jobs in S3, pages, cancel, and a genuine webhook."""

from __future__ import annotations

import asyncio
import time

import pytest

from batchscribe import AsyncClient, Client, verify_webhook
from batchscribe.client.statuses import JobStatus
from batchscribe.errors import ServerRefused, WebhookNotGenuine
from tests.contract.bodies import WEBHOOK_SECRET, aws
from tests.contract.conftest import NewDatabase
from tests.contract.receiver import Receiver
from tests.contract.server import Key, Server
from tests.servers.s3_server import S3Server


@pytest.fixture(scope="module")
def key(server: Server) -> Key:
    return server.new_key("python")


@pytest.fixture(scope="module")
def bucket(new_database: NewDatabase, moto_s3: S3Server, wav: bytes) -> str:
    return moto_s3.new_bucket(**{"calls/a.wav": wav, "calls/b.wav": wav, "calls/notes.txt": b"x"})


def test_a_folder_becomes_transcripts_and_its_webhook_is_genuine(
    server: Server, key: Key, bucket: str, receiver: Receiver, moto_s3: S3Server
) -> None:
    told, seen = receiver.hook(), list[JobStatus]()
    with Client(server.url, api_key=key.api_key, api_secret=key.api_secret) as client:
        submitted = client.submit(
            input=f"s3://{bucket}/calls/",
            output=f"s3://{bucket}/sync/",
            exclude=["*.txt"],
            config={"segmentation_mode": "none"},
            input_auth=aws(),
            output_auth=aws(),
            reference_id="october",
            webhook_url=told.url,
            webhook_secret=WEBHOOK_SECRET,
        )
        job = client.wait(submitted.job_id, timeout_sec=60, on_poll=seen.append)
        files = list(client.files(job.job_id, page_size=1))
        assert (job.state, job.reference_id, job.summary.succeeded) == ("SUCCEEDED", "october", 2)
        assert (seen[-1], seen[0].job_id) == (job, submitted.job_id)
        assert [file.output_uri for file in files] == [f"s3://{bucket}/sync/{name}.json" for name in "ab"]
        assert client.file(job.job_id, files[1].file_id) == files[1]
        assert next(client.jobs(state="SUCCEEDED")).job_id == job.job_id
        with pytest.raises(ServerRefused) as refused:
            client.cancel(job.job_id)
        assert (refused.value.status, refused.value.reason) == (400, "JOB_NOT_CANCELABLE")
    delivery = told.wait_for(1)[0]
    event = verify_webhook(delivery.raw_body, delivery.headers, secret=WEBHOOK_SECRET)
    assert (event.event_type, event.job.job_id, event.job.state) == ("job.succeeded", job.job_id, "SUCCEEDED")
    with pytest.raises(WebhookNotGenuine, match="allowed"):
        verify_webhook(delivery.raw_body, delivery.headers, secret=WEBHOOK_SECRET, now=time.time() + 301)


def test_many_jobs_are_followed_at_once_with_asyncio(server: Server, key: Key, bucket: str) -> None:
    async def follow(client: AsyncClient, number: int) -> tuple[str, list[str]]:
        uris = [f"s3://{bucket}/calls/a.wav", f"s3://{bucket}/calls/missing.wav"]
        output = f"s3://{bucket}/async-{number}/"
        submitted = await client.submit(input=uris, output=output, input_auth=aws(), output_auth=aws())
        job = await client.wait(submitted.job_id, timeout_sec=60)
        files = [file async for file in client.files(job.job_id, page_size=1)]
        return job.state, [file.error.code if file.error else file.state for file in files]

    async def follow_all() -> list[tuple[str, list[str]]]:
        async with AsyncClient(server.url, api_key=key.api_key, api_secret=key.api_secret) as client:
            return await asyncio.gather(*(follow(client, number) for number in range(5)))

    assert asyncio.run(follow_all()) == [("PARTIAL", ["FILE_SUCCEEDED", "OBJECT_NOT_FOUND"])] * 5


def test_a_canceled_job_is_shown_as_canceled(idle_server: Server, bucket: str) -> None:
    key = idle_server.new_key("python")

    async def cancel() -> str:
        async with AsyncClient(f"{idle_server.url}/v2/", api_key=key.api_key, api_secret=key.api_secret) as client:
            job = await client.submit(
                input=[f"s3://{bucket}/calls/{name}.wav" for name in "ab"],
                output=f"s3://{bucket}/canceled/",
                input_auth=aws(),
                output_auth=aws(),
            )
            await client.cancel(job.job_id)
            return (await client.wait(job.job_id, timeout_sec=60)).state

    assert asyncio.run(cancel()) == "CANCELED"
