"""docs/tutorial.md, every command in its order, with a real model, up to the call in the browser."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from pathlib import Path

import jiwer
import pytest
from playwright.sync_api import expect
from whisper_normalizer.english import EnglishTextNormalizer

from tests.browser.conftest import OpenTab
from tests.documents import ROOT, code_blocks
from tests.integration.command import Command, Result
from tests.integration.server import Server, serving

TUTORIAL = ROOT / "docs" / "tutorial.md"
INSTALL, TRANSCRIBE, SERVE, SUBMIT, SEARCH, FAIL = code_blocks(TUTORIAL, "sh")
SUMMARY, CALL, FOUND, FAILED = code_blocks(TUTORIAL, "text")
#: Of the few words that are shown: the last bits of sums, and so a word now and then, depend on the processor.
MOST_WORD_ERRORS = 0.05

comparable = EnglishTextNormalizer()


@pytest.fixture
def tutorial(tmp_path: Path, examples: Path, base_model: Path) -> Command:
    """Runs commands in a folder with the recordings, with the model that the tutorial pulls."""
    shutil.copytree(examples, tmp_path / "examples" / "audio")
    return Command(tmp_path, {"BATCHSCRIBE_WHISPER_MODEL": str(base_model)})


def run(command: Command, block: str, server: Server | None = None) -> Result:
    """Run the only command of batchscribe in a block, in the folder, on that server."""
    (line,) = [line for line in block.splitlines() if line.startswith("batchscribe ")]
    words = shlex.split(line.replace("$PWD", str(command.folder)))[1:]
    environment = {"BATCHSCRIBE_SERVER": server.url} if server else {}
    return Command(command.folder, command.environment | environment).run(*words, within_sec=150)


def without_figures(text: str) -> list[str]:
    """Without ids and what depends on the speed of the machine."""
    text = re.sub(r"^(took|speed): .*$", r"\1", text, flags=re.MULTILINE)
    return re.sub(r"job_[0-9a-f]+", "job_...", text).split()


def test_make_and_the_model_are_named_as_the_other_tests_use_them() -> None:
    """CI itself runs `make setup`, and the fixture of the model pulls `base`."""
    assert INSTALL.split("\n")[:-1] == ["make setup", "source .venv/bin/activate", "batchscribe models pull base"]


@pytest.mark.timeout(600)  # transcribes twice with a real model
def test_every_command_does_what_the_tutorial_says(tutorial: Command, open_tab_at: OpenTab) -> None:
    check_first_transcript(tutorial)
    *variables, program, command = SERVE.replace("$PWD", str(tutorial.folder)).split()
    assert (program, command) == ("batchscribe", "serve")
    environment = tutorial.environment | dict(variable.split("=", 1) for variable in variables)
    with serving(Command(tutorial.folder, environment)) as server:
        submitted = run(tutorial, SUBMIT, server)
        assert submitted.status == 0, submitted
        assert json.loads((tutorial.folder / "calls" / "library-call.json").read_text())["duration_sec"] > 40
        read_call(open_tab_at, server)
        assert without_figures(run(tutorial, SEARCH, server).out) == without_figures(FOUND)
        failed = run(tutorial, FAIL, server)
        assert server.end() == 0
    assert failed.status == 1
    assert FAILED in failed.out


def check_first_transcript(tutorial: Command) -> None:
    done = run(tutorial, TRANSCRIBE)
    assert done.status == 0, done
    assert without_figures(done.out) == without_figures(SUMMARY)
    written = (tutorial.folder / "call.txt").read_text()
    begins = "\n\n".join(written.split("\n\n")[: CALL.count("Speaker")])
    assert re.findall("^Speaker 1.:", begins, re.MULTILINE) == re.findall("^Speaker 1.:", CALL, re.MULTILINE)
    assert jiwer.wer(comparable(CALL), comparable(begins)) <= MOST_WORD_ERRORS


def read_call(open_tab_at: OpenTab, server: Server) -> None:
    page = open_tab_at(server.url).open("/")
    page.locator("main a[href*='/jobs/job_']").first.click()
    page.get_by_role("link", name="library-call.mp3").first.click()
    expect(page.get_by_text("library card").first).to_be_visible()
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
