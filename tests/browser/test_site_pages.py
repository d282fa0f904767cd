"""The site of the documents in a browser, without access to another server."""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenTab
from tests.built_site import build_site, copy_documents


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Log nothing."""


@pytest.fixture
def site_url(tmp_path: Path) -> Iterator[str]:
    copy_documents(tmp_path)
    assert build_site(tmp_path).returncode == 0
    handler = functools.partial(QuietHandler, directory=str(tmp_path / "build" / "site"))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, name="site")
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_pages_and_the_search_need_no_other_server(open_tab_at: OpenTab, site_url: str) -> None:
    tab = open_tab_at(site_url)
    page = tab.open("/")
    expect(page.get_by_role("heading", level=1)).to_contain_text("batchscribe")
    page = tab.open("/architecture.html")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Architecture")
    page.keyboard.press("/")
    expect(page.get_by_role("combobox", name="Search")).to_be_focused()
    page.keyboard.type("profanity")
    expect(page.get_by_role("option").filter(has_text="Profanity filter").first).to_be_visible()
