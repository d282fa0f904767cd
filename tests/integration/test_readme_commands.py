"""The first transcript of README.md, made as it says, and the result that it shows."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import jiwer
import pytest
from whisper_normalizer.english import EnglishTextNormalizer

from tests.documents import ROOT, code_blocks
from tests.integration.command import Command

README = ROOT / "README.md"
#: Of a few words: the last bits of sums, and so a word now and then, depend on the processor.
MOST_WORD_ERRORS = 0.05

comparable = EnglishTextNormalizer()


def only(blocks: list[str], words: str) -> str:
    (block,) = [block for block in blocks if words in block]
    return block


@pytest.fixture
def folder(tmp_path: Path, examples: Path) -> Path:
    shutil.copytree(examples, tmp_path / "examples" / "audio")
    return tmp_path


def test_the_first_transcript_is_what_the_command_writes(folder: Path, base_model: Path) -> None:
    words = shlex.split(only(code_blocks(README, "sh"), "library-call"))[1:]
    done = Command(folder, {"BATCHSCRIBE_WHISPER_MODEL": str(base_model)}).run(*words, within_sec=150)
    assert done.status == 0, done
    shown, written = only(code_blocks(README, "text"), "Speaker 1L"), (folder / "call.txt").read_text()
    assert re.findall("^Speaker 1.:", written, re.MULTILINE) == re.findall("^Speaker 1.:", shown, re.MULTILINE)
    assert jiwer.wer(comparable(shown), comparable(written)) <= MOST_WORD_ERRORS
