"""The pages without a browser, on both kinds of database: what they show, and to whom."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from tests.contract.bodies import single
from tests.contract.client import Client
from tests.contract.conftest import StartServer, client_of
from tests.contract.server import Key, Server
from tests.integration.command import HAPPENS_SEC, wait_until
from tests.recordings import write_wav

FORM = {"sec-fetch-site": "same-origin", "accept": "text/html"}
HTML = {"accept": "text/html"}


@contextmanager
def visitor(server: Server, key: Key) -> Iterator[httpx2.Client]:
    """A browser without scripts, in which the tenant of a key is signed in."""
    with httpx2.Client(base_url=server.url, headers=HTML, timeout=60, trust_env=False) as client:
        answer = client.post("/signin", data={"secret": key.api_secret}, headers=FORM)
        assert answer.status_code == 303, answer.text
        yield client


@pytest.fixture(scope="module")
def alice_page(server: Server, alice_key: Key) -> Iterator[httpx2.Client]:
    with visitor(server, alice_key) as client:
        yield client


@pytest.fixture(scope="module")
def job_id(alice: Client, recordings: Path) -> str:
    """Of a job in which one file of three failed."""
    folder = recordings / "pages"
    write_wav(folder / "good.wav")
    write_wav(folder / "G%ood_2.wav")
    (folder / "broken.wav").write_bytes(b"RIFF" + b"\0" * 100)
    body = {
        "input": {"uri": f"{folder.as_uri()}/"},
        "output": {"uri": f"{folder.parent.as_uri()}/pages-out/"},
        "config": {"segmentation_mode": "none"},
    }
    return str(alice.done(body)["job_id"])


PAGES = (
    "/",
    "/?state=PARTIAL",
    "/?state=nonsense",
    "/submit",
    "/usage",
    "/usage?days=365",
    "/workers",
    "/keys",
    "/jobs/{job}",
    "/jobs/{job}?state=FILE_FAILED",
    "/jobs/{job}?name=good",
    "/jobs/{job}?after=2",
    "/jobs/{job}?after=-5",
    "/jobs/{job}?state=x&name=%00",
)


@pytest.mark.parametrize("path", PAGES)
def test_every_page_is_complete_and_protected(alice_page: httpx2.Client, job_id: str, path: str) -> None:
    answer = alice_page.get(path.format(job=job_id))
    assert answer.status_code == 200, answer.text
    assert answer.text.rstrip().endswith("</html>")
    policy = answer.headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    nonces = set(re.findall(r'nonce="([^"]+)"', answer.text))
    assert len(nonces) == 1
    assert f"'nonce-{nonces.pop()}'" in policy
    assert not re.search(r"<script(?![^>]*src=)|<style|\son\w+=|\sstyle=|javascript:", answer.text)


@pytest.mark.parametrize("path", ["/", "/submit", "/usage", "/workers", "/keys", "/jobs/job_1", "/events/jobs"])
def test_without_a_session_a_page_leads_to_the_form(server: Server, path: str) -> None:
    answer = httpx2.get(f"{server.url}{path}", headers=HTML, trust_env=False)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/signin?next=")
    answer = httpx2.get(f"{server.url}{path}", headers={"cookie": "batchscribe_session=forged"}, trust_env=False)
    assert (answer.status_code, answer.json()["reason"]) == (401, "INVALID_ACCESS_TOKEN")


@pytest.mark.parametrize("path", ["/events/jobs", "/events/jobs/job_1"])
def test_without_a_session_a_stream_is_refused_with_an_error_status(server: Server, path: str) -> None:
    headers = {"accept": "text/html, text/event-stream", "hx-request": "true"}
    answer = httpx2.get(f"{server.url}{path}", headers=headers, trust_env=False)
    assert (answer.status_code, answer.json()["reason"]) == (401, "INVALID_ACCESS_TOKEN")


def test_a_key_of_the_http_interface_is_no_session(server: Server, alice_key: Key) -> None:
    headers = {"authorization": f"Bearer {alice_key.api_secret}", "accept": "text/html"}
    assert httpx2.get(f"{server.url}/", headers=headers, trust_env=False).status_code == 303


def test_the_session_is_no_key_of_the_http_interface(alice_page: httpx2.Client) -> None:
    assert alice_page.get("/v2/aiservices/scribe/jobs").status_code == 401


def test_a_page_of_the_list_continues_after_a_job_that_was_deleted(idle_server: Server) -> None:
    key = idle_server.new_key("pages")
    with client_of(idle_server, key) as client, visitor(idle_server, key) as page:
        job_ids = [client.submit(single()) for _ in range(27)]
        older = re.search(r'href="(/\?before=[^"]+)"', page.get("/").text)
        assert older
        client.call("DELETE", f"/jobs/{job_ids[2]}?purge=true", 204)  # the last one of the first page
        shown = re.findall(r'id="row-(job_\w+)"', page.get(older[1]).text)
        assert shown == [job_ids[1], job_ids[0]]
        for odd in ("job_0", older[1].partition("=")[2][:-4], "%00", "é"):
            answer = page.get("/", params={"before": odd})
            assert (answer.status_code, "start from its first page" in answer.text) == (400, True), odd
    with visitor(idle_server, idle_server.new_key("others")) as page:
        assert page.get(older[1]).status_code == 400, "a token is for one tenant"


def test_a_name_is_searched_in_any_case_and_literally(alice_page: httpx2.Client, job_id: str) -> None:
    def found(name: str) -> list[str]:
        page = alice_page.get(f"/jobs/{job_id}", params={"name": name}).text
        return re.findall(r"<bdi>([^</]+\.wav)</bdi>", page)

    assert found("GOOD") == ["good.wav"]
    assert found("g%oo") == ["G%ood_2.wav"]
    assert found("pages/") == ["G%ood_2.wav", "broken.wav", "good.wav"]
    assert found("_") == ["G%ood_2.wav"]
    assert found("nothing") == []


def test_after_many_failures_an_address_has_to_wait_but_a_right_secret_signs_in(start_server: StartServer) -> None:
    server = start_server("--no-worker")
    key = server.new_key("alice")

    def sign_in(secret: str, address: str) -> httpx2.Response:
        headers = FORM | {"x-forwarded-for": address}
        return httpx2.post(f"{server.url}/signin", data={"secret": secret}, headers=headers, trust_env=False)

    wrong = [sign_in("bs_0_wrong", f"2001:db8::{n}:1") for n in range(12)]
    assert [answer.status_code for answer in wrong] == [401] * 10 + [429] * 2
    assert wrong[-1].headers["retry-after"] == "60"
    assert sign_in(key.api_secret, "2001:db8::1").status_code == 303
    assert sign_in("bs_0_wrong", "2001:db8:0:1::1").status_code == 401
    assert {sign_in("bs_0_wrong", f"192.0.2.{n}").status_code for n in range(189)} == {401}
    assert sign_in("bs_0_wrong", "198.51.100.1").status_code == 429
    assert sign_in(key.api_secret, "198.51.100.1").status_code == 303


@pytest.mark.parametrize(("headers", "is_secure"), [({}, False), ({"x-forwarded-proto": "https"}, True),
                                                    ({"origin": "https://public.example"}, True)])  # fmt: skip
def test_the_cookie_is_for_https_if_the_browser_uses_it(
    server: Server, alice_key: Key, headers: dict[str, str], is_secure: bool
) -> None:
    form = {"secret": alice_key.api_secret}
    answer = httpx2.post(f"{server.url}/signin", data=form, headers=FORM | headers, trust_env=False)
    cookie = answer.headers["set-cookie"]
    assert ("Secure" in cookie) is is_secure
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie


def test_a_form_that_is_too_large_or_no_form_is_refused(server: Server, alice_page: httpx2.Client) -> None:
    sent = alice_page.post("/submit", json={"input": {}}, headers=FORM)
    assert sent.status_code == 415
    assert alice_page.post("/submit", data={"a": "b" * 5_000_000}, headers=FORM).status_code == 413
    large = httpx2.post(f"{server.url}/signin", data={"secret": "b" * 5000}, headers=FORM, trust_env=False)
    assert large.status_code == 413


def test_an_expired_session_ends(start_server: StartServer) -> None:
    server = start_server("--no-worker", BATCHSCRIBE_SESSION_SEC="3")
    with visitor(server, server.new_key("alice")) as client:
        kept = f"batchscribe_session={client.cookies['batchscribe_session']}"
        wait_until(lambda: client.get("/", headers={"cookie": kept}).status_code == 303)


def test_without_the_web_interface_only_the_document_is_left(start_server: StartServer) -> None:
    server = start_server("--no-worker", BATCHSCRIBE_WEB="off")
    assert server.printed() == f"batchscribe is ready on {server.url}\n"
    for path in ("/", "/signin", "/jobs/job_1", "/events/jobs"):
        answer = httpx2.get(f"{server.url}{path}", headers=HTML, trust_env=False)
        assert (answer.status_code, answer.json()["reason"]) == (404, "NOT_FOUND")
    assert "swagger-ui" in httpx2.get(f"{server.url}/docs", trust_env=False).text


def test_with_authentication_off_all_pages_belong_to_the_default_tenant(open_server: Server) -> None:
    with httpx2.Client(base_url=open_server.url, headers=HTML, trust_env=False) as client:
        page = client.get("/")
        assert (page.status_code, "Sign out" in page.text) == (200, False)
        assert client.get("/keys").status_code == 404
        assert client.post("/keys", data={"a": "b"}, headers=FORM).status_code == 404
        refused = client.post("/submit", data={"a": "b"}, headers={"sec-fetch-site": "cross-site"})
        assert refused.status_code == 403
        rebound = client.get("/", headers={"host": "evil.example"})
        assert rebound.status_code == 401


def test_a_path_prefix_that_looks_like_a_page_is_refused(tmp_path: Path) -> None:
    for prefix in ("/jobs", "/static/x", "transcribe", "/a b"):
        result = Server(tmp_path, {"BATCHSCRIBE_ROOT_PATH": prefix}).run("serve", "--port", "0", "--no-worker")
        assert result.status == 2
        assert "BATCHSCRIBE_ROOT_PATH" in result.err


def test_a_stream_sends_what_has_changed_and_only_then(idle_server: Server, idle: Client) -> None:
    with visitor(idle_server, idle_server.new_key("alice")) as client:
        shown = client.get("/").text
        changes = re.search(r"/events/jobs\?changes=([\d-]+)", shown)
        assert changes
        with client.stream("GET", "/events/jobs", params={"changes": changes[1]}) as stream:
            lines = stream.iter_lines()
            assert next(lines) == ": connected"
            began = time.monotonic()
            job_id = idle.submit(single())
            found = next(line for line in lines if job_id in line)
            assert time.monotonic() - began < HAPPENS_SEC
        assert found.startswith("data: ")
        page = client.get(f"/jobs/{job_id}").text
        changes = re.search(rf"/events/jobs/{job_id}\?changes=(\w+)", page)
        assert changes
        with client.stream("GET", f"/events/jobs/{job_id}", params={"changes": changes[1]}) as stream:
            lines = stream.iter_lines()
            assert next(lines) == ": connected"
            idle.cancel(job_id)
            assert any("Canceled" in line for line in lines)


@pytest.mark.parametrize("odd", ["%00", "%ff%fe", "..%2f..", "x" * 5000, "%F0%9F%8E%A7"])
def test_an_odd_id_is_not_found(alice_page: httpx2.Client, job_id: str, odd: str) -> None:
    for path in (f"/jobs/{odd}", f"/jobs/{job_id}/files/{odd}", f"/events/jobs/{odd}"):
        assert alice_page.get(path).status_code == 404, path
    for path in (f"/jobs/{odd}/cancel", f"/jobs/{job_id}/deliveries/{odd}/replay", f"/keys/{odd}/revoke"):
        assert alice_page.post(path, data={"a": "b"}, headers=FORM).status_code == 404, path
