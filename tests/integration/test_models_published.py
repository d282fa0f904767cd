"""Published models, from the Python index of this machine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jiwer
import numpy as np
import onnxruntime
import pytest
from whisper_normalizer.english import EnglishTextNormalizer

from batchscribe.models.at_hand import find_model
from batchscribe.models.origin import read_origin
from batchscribe.settings import load_settings
from batchscribe.speakers.speaker_format import PUBLISHED
from batchscribe.speakers.speaker_models import read_speaker_models
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


def test_the_speaker_models_are_converted_from_the_publishers_own_files(speaker_models: Path) -> None:
    result = models_command("verify", speaker_models.name, "--json")
    assert result.returncode == 0, result.stdout
    origin = read_origin(speaker_models)
    assert {name: (record.sha256, record.checked_against) for name, record in origin.sources.items()} == {
        file.name: (file.sha256, "pinned") for file in PUBLISHED
    }


def test_the_converted_models_compute_what_pytorch_computes(speaker_models: Path) -> None:
    """The expected values are those of a conversion that was compared with PyTorch, for formulas as input."""
    models = read_speaker_models(speaker_models)
    seconds = np.arange(160_000) / 16_000
    voice = np.sin(2 * np.pi * (150 + 40 * np.sin(6 * np.pi * seconds)) * seconds)
    sound = 0.3 * voice * (np.sin(2.6 * np.pi * seconds) > -0.3)
    frames = computed(models.segmentation, x=sound[None, None])
    assert frames.shape == (1, 589, 7)
    np.testing.assert_allclose(
        frames[0, 300], [-0.1502, -5.7909, -3.3135, -2.3849, -7.3982, -6.5022, -5.1518], atol=0.01
    )
    features = 3 * np.add.outer(np.sin(np.arange(300) / 7), np.cos(np.arange(80) / 5))
    embedding = computed(models.embedding, feature=features[None])
    np.testing.assert_allclose(embedding[0, :6], [-1.3516, -0.2771, 0.8726, -0.6804, -0.3973, 0.6751], atol=0.001)


def computed(model: bytes, **inputs: Any) -> Any:
    session = onnxruntime.InferenceSession(model)
    return session.run(None, {name: np.float32(value) for name, value in inputs.items()})[0]


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
