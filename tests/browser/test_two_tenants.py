"""Two tenants side by side: neither sees or changes anything of the other."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import expect

from batchscribe.wire.choices import OutputFormat
from tests.browser.jobs import mixed_job
from tests.browser.tab import Tab
from tests.contract.client import Client
from tests.contract.server import Key


def test_a_tenant_sees_nothing_of_another(
    alice: Tab, bob: Tab, client: Client, alice_key: Key, recordings: Path
) -> None:
    job_id = mixed_job(client, recordings, "alices-secret-folder", reference_id="alices-secret-reference")
    assert "alices-secret-reference" in alice.open("/").content()
    for path in ("/", "/?state=PARTIAL", "/workers", "/usage", "/keys", "/submit"):
        content = bob.open(path).content()
        for secret in ("alices-secret", "alice", job_id, alice_key.api_key):
            assert secret not in content, f"{path} shows {secret}"
    expect(bob.open("/usage").get_by_text("No file ended")).to_be_visible()
    for path in (f"/jobs/{job_id}", f"/jobs/{job_id}/files/f_000001", f"/jobs/{job_id}?name=alices"):
        expect(bob.open(path).get_by_role("heading", level=1)).to_have_text("Not found")


def test_nothing_behind_the_pages_is_for_another_tenant(alice: Tab, bob: Tab, client: Client, recordings: Path) -> None:
    job_id = mixed_job(client, recordings, "behind-the-pages")
    [file_id] = [file["file_id"] for file in client.files(job_id) if file["state"] == "FILE_SUCCEEDED"]
    file = f"/jobs/{job_id}/files/{file_id}"
    downloads = [f"/download/{each}" for each in OutputFormat]
    behind = [*(f"{file}{path}" for path in ("", "/transcript", "/audio", "/waveform", *downloads))]
    for path in behind:
        assert alice.page.request.get(f"{alice.url}{path}").status == 200, path
    for path in (*behind, f"/events/jobs/{job_id}"):
        answer = bob.page.request.get(f"{bob.url}{path}", max_redirects=0)
        assert answer.status == 404, path
        assert "behind-the-pages" not in answer.text(), path


def test_a_tenant_changes_nothing_of_another(
    alice: Tab, bob: Tab, client: Client, alice_key: Key, recordings: Path
) -> None:
    job_id = mixed_job(client, recordings, "not-bobs")
    before = client.job(job_id)
    form: dict[str, str | float | bool] = {"label": "Speaker 1", "name": "Eve", "file": "f_000001"}
    for path in (
        f"/jobs/{job_id}/cancel",
        f"/jobs/{job_id}/retry",
        f"/jobs/{job_id}/delete",
        f"/jobs/{job_id}/credentials",
        f"/jobs/{job_id}/deliveries/evt_1/replay",
        f"/jobs/{job_id}/files/f_000001/speakers",
        f"/jobs/{job_id}/access",
        f"/keys/{alice_key.api_key}/revoke",
    ):
        answer = bob.page.request.post(
            f"{bob.url}{path}", form=form, headers={"Sec-Fetch-Site": "same-origin"}, max_redirects=0
        )
        assert answer.status == 404, path
    assert client.job(job_id) == before
    assert "/signin" not in alice.open("/").url


def test_another_web_site_cannot_send_a_form(alice: Tab, client: Client, recordings: Path) -> None:
    job_id = mixed_job(client, recordings, "cross-site")
    for headers in (
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {},
    ):
        answer = alice.page.request.post(
            f"{alice.url}/jobs/{job_id}/cancel", form={"a": "b"}, headers=headers, max_redirects=0
        )
        assert answer.status == 403, headers
