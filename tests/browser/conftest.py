"""A real browser, and servers for its pages.

Without Chromium the tests are skipped, which fails on CI.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.browser.readings import ReadJob, read_job, write_recordings
from tests.browser.tab import Tab
from tests.contract.client import Client
from tests.contract.conftest import NewDatabase, client_of, moto_s3, server, shared_settings, start_server
from tests.contract.server import Key, Server
from tests.recordings import write_wav

__all__ = ["moto_s3", "server", "shared_settings", "start_server"]

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
#: Long for a busy machine.
WAIT_MS = 45_000

#: The recordings for the tests of the reader.
READ_STEMS = ("bare", "first", "gone", "hostile", "long", "lost", "unplayable")

#: Opens a tab with a cookie jar of its own. `settings` as for a context of Playwright, such as `color_scheme`.
OpenTab = Callable[..., Tab]


@pytest.fixture(scope="package")
def new_database() -> NewDatabase:
    """Only SQLite: `tests/contract/test_pages.py` reads every page on both kinds of database."""
    return dict


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Chromium of the system."""
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("no Chromium here: apt-get install chromium")
    with sync_playwright() as playwright:
        expect.set_options(timeout=WAIT_MS)
        chromium = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        yield chromium
        chromium.close()


@pytest.fixture
def open_tab_at(browser: Browser) -> Iterator[OpenTab]:
    """At its end, the test fails if a tab had a problem that it did not remove from the list."""
    tabs: list[Tab] = []

    def open_one(url: str, **settings: object) -> Tab:
        context = browser.new_context(**settings)  # type: ignore[arg-type]
        context.set_default_timeout(WAIT_MS)
        tabs.append(Tab.opened(context, url))
        return tabs[-1]

    yield open_one
    problems = [problem for tab in tabs for problem in tab.problems]
    for tab in tabs:
        tab.page.context.close()
    assert problems == []


@pytest.fixture
def open_tab(open_tab_at: OpenTab, server: Server) -> OpenTab:
    """The same for the pages of the shared server."""
    return lambda url="", **settings: open_tab_at(url or server.url, **settings)


@pytest.fixture(scope="package")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that alice's `file://` URIs may name; `bob` beside it is bob's."""
    folder = tmp_path_factory.mktemp("recordings") / "alice"
    for tenant in ("alice", "bob"):
        (folder.parent / tenant).mkdir()
        write_wav(folder.parent / tenant / "first.wav")
    return folder


@pytest.fixture(scope="package")
def alice_key(server: Server) -> Key:
    return server.new_key("alice")


@pytest.fixture(scope="package")
def bob_key(server: Server) -> Key:
    return server.new_key("bob")


@pytest.fixture
def alice(open_tab: OpenTab, alice_key: Key) -> Tab:
    """A tab in which alice is signed in."""
    tab = open_tab()
    tab.sign_in(alice_key.api_secret)
    return tab


@pytest.fixture
def bob(open_tab: OpenTab, bob_key: Key) -> Tab:
    """The same for another tenant."""
    tab = open_tab()
    tab.sign_in(bob_key.api_secret)
    return tab


@pytest.fixture(scope="package")
def client(server: Server, alice_key: Key) -> Iterator[Client]:
    """Alice's client of the HTTP interface."""
    with client_of(server, alice_key) as client:
        yield client


@pytest.fixture(scope="package")
def reader_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server on SQLite for the tests of the reader. Its data do not depend on the kind of database."""
    folder = tmp_path_factory.mktemp("reader")
    with Server(folder / "server", {"BATCHSCRIBE_FILE_ROOTS": str(folder)}) as server:
        yield server


@pytest.fixture(scope="package")
def reader_key(reader_server: Server) -> Key:
    return reader_server.new_key("alice")


@pytest.fixture(scope="package")
def read_jobs(reader_server: Server, reader_key: Key) -> ReadJob:
    """A job whose transcripts and recordings the tests replace with their own."""
    folder = write_recordings(reader_server.folder.parent, *READ_STEMS)
    return read_job(reader_server, reader_key, folder, segmentation_mode="none")


@pytest.fixture
def reader(open_tab_at: OpenTab, reader_server: Server, reader_key: Key) -> Tab:
    """A tab in which the owner of that job is signed in."""
    tab = open_tab_at(reader_server.url)
    tab.sign_in(reader_key.api_secret)
    return tab
