"""Published models, from the Python index of this machine."""

from __future__ import annotations

import json
from pathlib import Path

import jiwer
import pytest
from whisper_normalizer.english import EnglishTextNormalizer

from batchscribe.models.at_hand import find_model
from batchscribe.settings import load_settings
from batchscribe.speech.whisper_format import WHISPER_FORMAT
from tests.documents import ROOT
from tests.integration.command import Command
from tests.models.published import models_command

SPOKEN = json.loads((ROOT / "examples" / "texts.json").read_text())["weather.wav"]
comparable = EnglishTextNormalizer()


@pytest.mark.parametrize("model", ["tiny_en_model", "base_model"])
def test_every_file_is_the_publishers_own(request: pytest.FixtureRequest, model: str) -> None:
    folder: Path = request.getfixturevalue(model)
    result = models_command("verify", folder.name, "--json")
    assert result.returncode == 0, result.stdout
    [verified] = json.loads(result.stdout)["models"]
    assert [(file["verdict"], file["against"]) for file in verified["files"]] == [("ok", "pinned")] * 4


def test_the_english_model_understands_english_and_the_other_99_languages(
    tiny_en_model: Path, base_model: Path, tmp_path: Path
) -> None:
    settings = load_settings(data_dir=tmp_path)
    assert find_model(str(tiny_en_model), settings, WHISPER_FORMAT).languages == ("en",)
    assert len(find_model(str(base_model), settings, WHISPER_FORMAT).languages) == 99


def test_a_recording_is_recognized_nearly_word_for_word(tiny_en_model: Path, examples: Path, tmp_path: Path) -> None:
    command = Command(tmp_path, {"BATCHSCRIBE_WHISPER_MODEL": str(tiny_en_model)})
    result = command.run("transcribe", str(examples / "weather.wav"), "--output", "weather.json", within_sec=150)
    assert result.status == 0, result
    transcript = json.loads((tmp_path / "weather.json").read_text())
    assert (transcript["metadata"]["engine"], transcript["model"]) == ("whisper", "whisper-tiny.en")
    spoken = " ".join(turn["text"] for turn in SPOKEN)
    assert jiwer.wer(comparable(spoken), comparable(transcript["result"]["text_display"])) < 0.1
