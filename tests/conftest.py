"""Shared fixtures: the corpus, the example recordings, published models, a PostgreSQL server and clean settings.
On CI, skipped tests fail.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.untraced import leave_out_fork_servers

if TYPE_CHECKING:
    from xdist.remote import Producer

    from tests.scheduling import GroupScheduling
    from tests.servers.postgresql import PostgreSQL

leave_out_fork_servers()

ROOT = Path(__file__).resolve().parents[1]
CORPUS = ROOT.parent / "shared" / "corpus"

#: A skip with this reason is allowed on CI: the test is for another version of Python.
NOT_ON_THIS_PYTHON = "not on this Python"


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The optional folder of recordings with references beside the checkout. Without it, the test is skipped."""
    if not (CORPUS / "manifest.jsonl").is_file():
        pytest.skip(f"no corpus of recordings at {CORPUS}")
    return CORPUS


@pytest.fixture(scope="session")
def examples() -> Path:
    """The project's own recordings, which `make demo` transcribes."""
    return ROOT / "examples" / "audio"


@pytest.fixture(scope="session")
def tiny_en_model() -> Path:
    """The folder of a published Whisper model for English, pulled once per machine; skipped if it is unavailable."""
    from tests.models.published import published_model  # not for tests that need no model

    return published_model("tiny.en")


@pytest.fixture(scope="session")
def base_model() -> Path:
    """The same for a model with 99 languages."""
    from tests.models.published import published_model

    return published_model("base")


@pytest.fixture(scope="session")
def speaker_models() -> Path:
    """The folder of the speaker models, pulled and converted once per machine; skipped if they are unavailable."""
    from tests.models.published import published_model

    return published_model("speakers")


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    """One server for all tests. Each test uses a separate database; a test that stops the server starts its own."""
    from tests.servers.postgresql import missing_binaries, running_postgresql  # not for tests that need no database

    missing = missing_binaries()
    if missing:
        pytest.skip(f"no PostgreSQL here ({', '.join(missing)} missing): apt-get install postgresql")
    with running_postgresql() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The URL of a fresh database. A test that uses it runs once on SQLite and once on PostgreSQL.

    A process with the data directory `data` uses the same one: SQLite by default, PostgreSQL by its environment.
    """
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'data' / 'batchscribe.db'}"
        return
    server: PostgreSQL = request.getfixturevalue("postgresql")
    url = server.new_database()
    for name, value in server.settings(url).items():
        monkeypatch.setenv(name, value)
    yield url
    server.drop(url)


@pytest.fixture(scope="session", autouse=True)
def own_settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Use default settings, and never the data directory of the person who runs the tests."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("BATCHSCRIBE_")]:
            patch.delenv(name)
        patch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("data-home")))
        yield


@pytest.fixture(scope="session", autouse=True)
def interruptible() -> None:
    """Restore Ctrl-C, which is ignored in background processes and all commands that tests start there."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> GroupScheduling:
    from tests.scheduling import GroupScheduling

    return GroupScheduling(config, log)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail the run on CI if a test was skipped."""
    if session.exitstatus == pytest.ExitCode.OK and skips_that_fail(session.config):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    skips = skips_that_fail(config)
    if skips:
        terminalreporter.section("skipped, which fails the run on CI", red=True)
    for skip in skips:
        terminalreporter.line(skip)


def skips_that_fail(config: pytest.Config) -> list[str]:
    """Return a line for each skipped test that should have run; none outside CI."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if not os.environ.get("CI") or reporter is None:
        return []
    reasons = [(report.nodeid, skip_reason(report)) for report in reporter.stats.get("skipped", [])]
    return [f"{test}: {reason}" for test, reason in reasons if not reason.startswith(NOT_ON_THIS_PYTHON)]


def skip_reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    place_and_reason = report.longrepr
    reason = place_and_reason[2] if isinstance(place_and_reason, tuple) else str(place_and_reason)
    return reason.removeprefix("Skipped: ")
