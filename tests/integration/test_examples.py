"""`make demo`: its script, with the five-minute recording replaced by a short one."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import jiwer
import pytest
from whisper_normalizer.english import EnglishTextNormalizer

from tests.documents import ROOT
from tests.integration.command import Command
from tests.integration.server import serving
from tests.models.whisper import Line, scripted_whisper

TEXTS = json.loads((ROOT / "examples" / "texts.json").read_text())
LONG, SHORT = "village.m4a", "council.m4a"
#: When the texts were chosen, the built-in engine had a word error rate of 0 to 0.08 on each channel.
WORST_WORD_ERROR_RATE = 0.12

CHANNELS = [
    (name, channel) for name, turns in TEXTS.items() if name != LONG for channel in {turn["channel"] for turn in turns}
]

comparable = EnglishTextNormalizer()


@dataclass(frozen=True)
class Demo:
    """The output of the script, and the folder in which it ran."""

    told: str
    folder: Path

    @property
    def transcripts(self) -> Path:
        return self.folder / ".demo" / "transcripts"

    def transcript(self, recording: str) -> dict[str, Any]:
        path = self.transcripts / Path(recording).with_suffix(".json")
        document: dict[str, Any] = json.loads(path.read_text())
        return document


def run_demo(examples: Path, folder: Path) -> Demo:
    """Run the demo with a default data directory in `home`, and without any source of models."""
    shutil.copytree(examples.parent, folder / "examples", dirs_exist_ok=True)
    shutil.copy(examples / SHORT, folder / "examples" / "audio" / LONG)
    environment = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "XDG_DATA_HOME": str(folder / "home"),
        "HF_HUB_OFFLINE": "1",
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": "",
    }
    done = subprocess.run(
        ["sh", str(folder / "examples" / "demo.sh")], env={**os.environ, **environment}, capture_output=True, text=True,
        timeout=170, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return Demo(done.stdout + done.stderr, folder)


@pytest.fixture(scope="module")
def demo(examples: Path, tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """Without a model."""
    return run_demo(examples, tmp_path_factory.mktemp("demo"))


def test_the_one_failure_is_shown_with_its_code(demo: Demo) -> None:
    assert "interrupted-upload.m4a: CORRUPT_MEDIA" in demo.told
    assert "failed: 1\n" in demo.told


def test_every_other_recording_has_its_transcript(demo: Demo) -> None:
    assert {path.name for path in demo.transcripts.iterdir()} == {
        str(Path(name).with_suffix(".json")) for name in TEXTS
    }


def test_the_demo_continues_without_a_model_and_says_so(demo: Demo) -> None:
    assert (
        "Error: Model base could not be pulled. The model hub is not used, because HF_HUB_OFFLINE is set." in demo.told
    )
    assert "the demo continues with the built-in engine pocketsphinx, which is far less accurate.\n" in demo.told


def test_the_demo_ends_with_the_command_and_the_address_that_show_the_call(demo: Demo) -> None:
    (line,) = [line for line in demo.told.splitlines() if "BATCHSCRIBE_AUTH" in line]
    (last,) = [line for line in demo.told.splitlines() if line.startswith("Then open ")]
    *variables, program, _, option, folder = shlex.split(line.replace("$PWD", str(demo.folder)))
    assert Path(program).is_file()
    address = urlsplit(last.removeprefix("Then open "))
    assert address.netloc == "127.0.0.1:8080"
    command = Command(demo.folder, dict(variable.split("=", 1) for variable in variables))
    with serving(command, option, folder) as server:
        page = httpx2.get(server.url + address.path, trust_env=False)
        recording = httpx2.get(f"{server.url}{address.path}/audio", trust_env=False)
        assert server.end() == 0
    assert page.status_code == 200
    assert "library-call.mp3" in page.text
    assert recording.status_code == 200


def test_an_installed_model_is_used_and_stays_where_it_was(examples: Path, tmp_path: Path) -> None:
    model = tmp_path / "home" / "batchscribe" / "models" / "base"
    scripted_whisper(model, Line("As the model says."))
    for _ in range(2):
        demo = run_demo(examples, tmp_path)
        assert "pull" not in demo.told
        transcript = demo.transcript("weather.wav")
        assert (transcript["metadata"]["engine"], transcript["model"]) == ("whisper", "whisper-base")
        assert "As the model says." in transcript["result"]["text_display"]
    assert (model / "model.bin").is_file()


@pytest.mark.parametrize(("recording", "channel"), CHANNELS)
def test_the_built_in_engine_reads_each_channel_well(demo: Demo, recording: str, channel: int) -> None:
    spoken = " ".join(turn["text"] for turn in TEXTS[recording] if turn["channel"] == channel)
    segments = demo.transcript(recording)["result"]["segments"]
    heard = " ".join(segment["text"] for segment in segments if segment["channel"] == channel)
    assert jiwer.wer(comparable(spoken), comparable(heard)) <= WORST_WORD_ERROR_RATE


def test_the_turns_of_a_call_come_in_the_order_they_were_spoken(demo: Demo) -> None:
    segments = demo.transcript("library-call.mp3")["result"]["segments"]
    sides = [segment["channel"] for segment in segments]
    turns = [side for side, before in zip(sides, [None, *sides], strict=False) if side != before]
    assert turns == [turn["channel"] for turn in TEXTS["library-call.mp3"]]


def test_a_transcript_of_the_built_in_engine_warns_of_its_accuracy(demo: Demo) -> None:
    metadata = demo.transcript("weather.wav")["metadata"]
    assert metadata["engine"] == "pocketsphinx"
    assert any("batchscribe models pull" in warning for warning in metadata["warnings"])
