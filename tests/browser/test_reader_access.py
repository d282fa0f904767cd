"""The form of the reader for credentials, if those of the job were deleted at its end."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.audio_files import noise, wav
from tests.browser.conftest import OpenTab
from tests.browser.readings import time_of
from tests.browser.tab import Tab
from tests.contract.conftest import client_of
from tests.contract.server import Key, Server
from tests.integration.conftest import radosgw
from tests.servers.s3_server import S3Server

__all__ = ["radosgw"]


@pytest.fixture(scope="module")
def cloud_server(radosgw: S3Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    settings = {"BATCHSCRIBE_S3_ENDPOINT": radosgw.endpoint}
    with Server(tmp_path_factory.mktemp("cloud") / "server", settings) as server:
        yield server


@pytest.fixture(scope="module")
def cloud_key(cloud_server: Server) -> Key:
    return cloud_server.new_key("alice")


@pytest.fixture
def tab(open_tab_at: OpenTab, cloud_server: Server, cloud_key: Key) -> Tab:
    tab = open_tab_at(cloud_server.url)
    tab.sign_in(cloud_key.api_secret)
    return tab


@pytest.fixture
def page(tab: Tab, cloud_server: Server, cloud_key: Key, radosgw: S3Server) -> Page:
    """The reader of an ended job in a bucket that needs credentials."""
    bucket = radosgw.new_bucket(**{"a.wav": wav(noise(5))})
    auth = {"aws": {"access_key_id": radosgw.access_key_id, "secret_access_key": radosgw.secret_access_key}}
    with client_of(cloud_server, cloud_key) as client:
        job = client.done(
            {
                "input": {"mode": "SINGLE", "source": "S3", "uri": f"s3://{bucket}/a.wav", "auth": auth},
                "output": {"destination": "S3", "uri": f"s3://{bucket}/a.json", "layout": "SINGLE", "auth": auth},
                "config": {"segmentation_mode": "none", "word_time_offsets": True},
            }
        )
    return tab.open(f"/jobs/{job['job_id']}/files/f_000001")


def test_credentials_that_a_person_enters_open_the_recording_and_the_transcript(page: Page, radosgw: S3Server) -> None:
    expect(page.locator("[data-part=warnings]")).to_contain_text("The stored transcript cannot be read now.")
    expect(page.locator(".word")).to_have_count(0)
    trouble = page.locator("[data-part=trouble]")
    secret = trouble.get_by_label("Secret access key")
    trouble.get_by_label("Access key ID").fill(radosgw.access_key_id)
    assert secret.get_attribute("type") == "password"
    secret.fill("wrong")
    page.keyboard.press("Enter")
    expect(secret).to_have_value("")
    trouble.get_by_label("Access key ID").fill(radosgw.access_key_id)
    secret.fill(radosgw.secret_access_key)
    trouble.get_by_role("button", name="Give access").click()
    expect(page.locator(".word").first).to_be_visible()
    expect(trouble).to_be_hidden()
    expect(page.locator("[data-part=warnings]")).not_to_contain_text("cannot be read")
    page.keyboard.press("ArrowRight")
    page.locator(".word").nth(2).click()
    assert time_of(page) > 0
    assert radosgw.secret_access_key not in page.content()


def test_a_download_that_needs_credentials_asks_for_them(page: Page, tab: Tab, radosgw: S3Server) -> None:
    page.get_by_role("link", name="json").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("That did not work")
    tab.check_accessible()
    page.get_by_label("Access key ID").fill(radosgw.access_key_id)
    page.get_by_label("Secret access key").fill(radosgw.secret_access_key)
    page.get_by_role("button", name="Give access").click()
    expect(page.locator(".word").first).to_be_visible()
    with page.expect_download() as downloading:
        page.get_by_role("link", name="json").click()
    assert downloading.value.suggested_filename == "a.json"
