"""Pages: sizes, tokens, and changes between two pages (contract 1.1)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.bodies import changed, prefix, single
from tests.contract.client import Client
from tests.contract.conftest import client_of
from tests.contract.server import Server
from tests.contract.strict import Json

BAD_SIZES = ["0", "-1", "abc", "1.5", "1e2", "9" * 30, "\uff11", "\0", "true", "null", " "]
#: Among them the vendor's own examples.
BAD_TOKENS = ["x", "eyJqb2JfaWQiOiJqb2JfYWJjMTIzIn0=", "eyJ0YXNrX2lkIjoidGFza18wMDEifQ==", "%", "'", "-1"]
BAD_TOKENS += ["W10=", "bnVsbA==", "A" * 5000, "\0", "ü", "eyJzZXEiOiAxZTk5OX0="]


@pytest.fixture(scope="module")
def pager(idle_server: Server) -> Iterator[Client]:
    with client_of(idle_server, idle_server.new_key("pager")) as client:
        yield client


@pytest.fixture(scope="module")
def submitted(pager: Client) -> list[str]:
    """The ids of 110 jobs, newest first."""
    return [pager.submit(single()) for _ in range(110)][::-1]


@pytest.fixture(scope="module")
def many_files(alice: Client, recordings: Path) -> tuple[str, list[str]]:
    """The ID of an ended job, and the input URIs of its 1,000 files. All of them are skipped, which is fast."""
    folder = recordings / "notes"
    folder.mkdir(exist_ok=True)  # a server on the other database may have used it
    paths = [folder / f"{number:04}.txt" for number in range(1000)]
    for path in paths:
        path.touch()
    body = prefix(f"{folder.as_uri()}/", f"{recordings.as_uri()}/out/")
    job = alice.done(changed(body, {"input.source": "FILE", "output.destination": "FILE"}))
    return job["job_id"], [path.as_uri() for path in paths]


def ids(jobs: list[Json]) -> list[str]:
    return [job["job_id"] for job in jobs]


def uris_of(files: list[Json]) -> list[str]:
    return [file["input_uri"] for file in files]


def a_token(client: Client, path: str) -> str:
    token: str = client.get(path, page_size=1)["next_page_token"]
    assert token
    return token


def test_a_page_of_jobs_has_50_by_default(pager: Client, submitted: list[str]) -> None:
    assert ids(pager.get("/jobs")["jobs"]) == submitted[:50]


def test_a_page_of_files_has_200_by_default(alice: Client, many_files: tuple[str, list[str]]) -> None:
    job_id, uris = many_files
    assert uris_of(alice.get(f"/jobs/{job_id}/files")["files"]) == uris[:200]


@pytest.mark.parametrize("size", [1, 7, 99, 100])
def test_every_job_is_on_one_page_in_the_order_of_submission(pager: Client, submitted: list[str], size: int) -> None:
    pages = list(pager.pages("/jobs", page_size=size))
    assert [len(page["jobs"]) for page in pages[:-1]] == [size] * (len(pages) - 1)
    assert [job_id for page in pages for job_id in ids(page["jobs"])] == submitted


@pytest.mark.parametrize("size", [97, 500, 1000])
def test_every_file_is_on_one_page_in_order(alice: Client, many_files: tuple[str, list[str]], size: int) -> None:
    job_id, uris = many_files
    assert uris_of(alice.files(job_id, page_size=size)) == uris


def test_the_last_page_has_an_empty_token_even_when_it_is_full(
    pager: Client, submitted: list[str], alice: Client, many_files: tuple[str, list[str]]
) -> None:
    pages = list(pager.pages("/jobs", page_size=55))
    assert [len(page["jobs"]) for page in pages] == [55, 55]
    assert len(submitted) == 110
    assert alice.get(f"/jobs/{many_files[0]}/files", page_size=1000)["next_page_token"] == ""


@pytest.mark.usefixtures("submitted")
def test_next_cursor_repeats_the_token_while_there_is_more(pager: Client) -> None:
    page = pager.get("/jobs", page_size=60)
    assert page["next_cursor"] == page["next_page_token"] != ""
    assert "next_cursor" not in pager.get("/jobs", page_size=60, next_page_token=page["next_page_token"])


def test_a_token_may_come_as_next_cursor(pager: Client, submitted: list[str]) -> None:
    token = pager.get("/jobs", page_size=60)["next_page_token"]
    assert ids(pager.get("/jobs", page_size=60, next_cursor=token)["jobs"]) == submitted[60:]


def test_an_empty_token_means_the_first_page(pager: Client, submitted: list[str]) -> None:
    assert ids(pager.get("/jobs", next_page_token="", page_size=3)["jobs"]) == submitted[:3]


def test_the_page_size_may_change_between_pages(pager: Client, submitted: list[str]) -> None:
    token = pager.get("/jobs", page_size=10)["next_page_token"]
    assert ids(pager.get("/jobs", page_size=25, next_page_token=token)["jobs"]) == submitted[10:35]


def test_a_page_can_be_requested_again(pager: Client, submitted: list[str]) -> None:
    token = pager.get("/jobs", page_size=10)["next_page_token"]
    pages = [pager.get("/jobs", page_size=10, next_page_token=token) for _ in range(2)]
    assert pages[0] == pages[1]
    assert ids(pages[0]["jobs"]) == submitted[10:20]


def test_jobs_submitted_between_two_pages_move_nothing(idle_server: Server) -> None:
    with client_of(idle_server, idle_server.new_key("inserter")) as client:
        before = [client.submit(single()) for _ in range(20)][::-1]
        found: list[str] = []
        for page in client.pages("/jobs", page_size=6):
            found += ids(page["jobs"])
            client.submit(single())
    assert found == before


def test_jobs_canceled_between_two_pages_of_a_filtered_list_hide_no_other(idle_server: Server) -> None:
    with client_of(idle_server, idle_server.new_key("canceler")) as client:
        before = [client.submit(single()) for _ in range(20)][::-1]
        found: list[str] = []
        for page in client.pages("/jobs", page_size=6, state="QUEUED"):
            found += ids(page["jobs"])
            client.cancel(page["jobs"][0]["job_id"])
    assert found == before


@pytest.mark.parametrize("size", [*BAD_SIZES, "101"])
def test_a_page_size_of_jobs_out_of_range_is_refused(pager: Client, size: str) -> None:
    answer = pager.call("GET", "/jobs", 400, params={"page_size": size})
    assert (answer.reason, answer.fields) == ("VALIDATION_FAILED", ["page_size"])


@pytest.mark.parametrize("size", [*BAD_SIZES, "1001"])
def test_a_page_size_of_files_out_of_range_is_refused(pager: Client, submitted: list[str], size: str) -> None:
    answer = pager.call("GET", f"/jobs/{submitted[0]}/files", 400, params={"page_size": size})
    assert (answer.reason, answer.fields) == ("VALIDATION_FAILED", ["page_size"])


@pytest.mark.parametrize("token", BAD_TOKENS)
@pytest.mark.parametrize("name", ["next_page_token", "next_cursor"])
def test_a_token_that_was_never_given_out_is_refused(
    pager: Client, submitted: list[str], name: str, token: str
) -> None:
    for path in ("/jobs", f"/jobs/{submitted[0]}/files"):
        answer = pager.call("GET", path, 400, params={name: token})
        assert answer.reason == "VALIDATION_FAILED"
        assert answer.fields[0] in ("next_page_token", "next_cursor")


@pytest.mark.usefixtures("submitted")
def test_a_token_cut_short_is_never_a_server_error(pager: Client) -> None:
    token = a_token(pager, "/jobs")
    for length in range(1, len(token)):
        assert pager.call("GET", "/jobs", params={"next_page_token": token[:length]}).status in (200, 400)


@pytest.mark.usefixtures("submitted")
def test_a_token_of_one_list_is_refused_by_another(alice: Client, many_files: tuple[str, list[str]]) -> None:
    files = f"/jobs/{many_files[0]}/files"
    alice.submit(single())
    alice.call("GET", "/jobs", 400, params={"next_page_token": a_token(alice, files)})
    alice.call("GET", files, 400, params={"next_page_token": a_token(alice, "/jobs")})
