"""`GET /search`: hits, pages, tenants, refusals."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.contract.bodies import manifest
from tests.contract.client import Client
from tests.contract.conftest import StartServer, client_of
from tests.contract.server import Server
from tests.contract.strict import Json
from tests.servers.s3_server import S3Server


@pytest.fixture(scope="module")
def searcher(server: Server, moto_s3: S3Server, wav: bytes) -> Iterator[Client]:
    """A tenant with three transcripts of the scripted engine."""
    with client_of(server, server.new_key("searcher")) as client:
        bucket = moto_s3.new_bucket(**{"a.wav": wav, "b.wav": wav, "c.wav": wav})
        uris = [f"s3://{bucket}/{name}.wav" for name in "abc"]
        assert client.done(manifest(*uris, output=f"s3://{bucket}/out/"))["state"] == "SUCCEEDED"
        yield client


def hits(client: Client, q: str, **query: Any) -> list[Json]:
    return [hit for page in client.pages("/search", q=q, **query) for hit in page["hits"]]


def test_a_hit_has_its_file_time_and_marked_text(searcher: Client) -> None:
    found = hits(searcher, "QUICK the")
    assert len(found) == 3
    files = {file["file_id"]: file for file in searcher.files(found[0]["job_id"])}
    for hit in found:
        file = files[hit["file_id"]]
        assert (hit["input_uri"], hit["output_uri"]) == (file["input_uri"], file["output_uri"])
        assert 0 <= hit["start"] < hit["end"]
        marked = [hit["text"][start:end].lower() for start, end in hit["matches"]]
        assert {"quick", "the"} == set(marked)
        assert "speaker" not in hit


def test_pages_join_without_gaps(searcher: Client) -> None:
    pages = list(searcher.pages("/search", q="quick", page_size=2))
    assert [len(page["hits"]) for page in pages] == [2, 1]
    assert [hit["file_id"] for page in pages for hit in page["hits"]] == [
        hit["file_id"] for hit in hits(searcher, "quick")
    ]
    assert pages[0]["next_cursor"] == pages[0]["next_page_token"]
    assert "next_cursor" not in pages[-1]


def test_both_prefixes_find_the_same(searcher: Client) -> None:
    assert hits(searcher.but(base="/aiservices/scribe"), "quick") == hits(searcher, "quick")


def test_another_tenant_finds_nothing(searcher: Client, server: Server) -> None:
    with client_of(server, server.new_key("search-stranger")) as stranger:
        assert hits(stranger, "quick") == []
        page = searcher.get("/search", q="quick", page_size=1)
        assert stranger.get("/search", q="quick", next_page_token=page["next_page_token"])["hits"] == []


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({}, "q"),
        ({"q": ""}, "q"),
        ({"q": "?!"}, "q"),
        ({"q": '"quick'}, "q"),
        ({"q": "q*"}, "q"),
        ({"q": "x" * 201}, "q"),
        ({"q": "quick", "page_size": "0"}, "page_size"),
        ({"q": "quick", "page_size": "201"}, "page_size"),
        ({"q": "quick", "next_page_token": "bad"}, "next_page_token"),
        ({"q": "quick", "next_page_token": "eyJqb2JfaWQiOiAiam9iXzEifQ"}, "next_page_token"),
        ({"q": "quick", "next_page_token": "eyJzZWdtZW50IjogIjk5OTk5OTk5OTk5OTk5OTk5OTkifQ"}, "next_page_token"),
    ],
)
def test_a_wrong_request_is_refused_by_field(searcher: Client, query: dict[str, Any], field: str) -> None:
    refused = searcher.get("/search", 400, **query)
    assert [mistake["field"] for mistake in refused["errors"]] == [field]


@pytest.mark.parametrize("q", ["' OR 1=1 --", "quick\0", "\ud83d", "NEAR(quick fox, 2) AND terms:quick", "%", "\\"])
def test_no_text_breaks_a_search(searcher: Client, q: str) -> None:
    escaped = q.encode("utf-8", "surrogatepass")
    answer = searcher.call("GET", "/search", params={"q": escaped.decode("utf-8", "replace")})
    assert answer.status in (200, 400)


def test_text_goes_with_its_job(server: Server, moto_s3: S3Server, wav: bytes) -> None:
    with client_of(server, server.new_key("forgetful")) as client:
        bucket = moto_s3.new_bucket(**{"a.wav": wav})
        job = client.done(manifest(f"s3://{bucket}/a.wav", output=f"s3://{bucket}/out/"))
        assert len(hits(client, "quick")) == 1
        client.call("DELETE", f"/jobs/{job['job_id']}", 204, params={"purge": "true"})
        assert hits(client, "quick") == []


def test_a_server_that_stores_no_text_says_so(start_server: StartServer, moto_s3: S3Server, wav: bytes) -> None:
    server = start_server(BATCHSCRIBE_SEARCH="off")
    with client_of(server, server.new_key("private")) as client:
        bucket = moto_s3.new_bucket(**{"a.wav": wav})
        assert client.done(manifest(f"s3://{bucket}/a.wav", output=f"s3://{bucket}/out/"))["state"] == "SUCCEEDED"
        refused = client.get("/search", 400, q="quick")
    assert refused["reason"] == "SEARCH_OFF"
    assert "BATCHSCRIBE_SEARCH" in refused["message"]
