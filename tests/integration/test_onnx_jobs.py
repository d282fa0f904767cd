"""ONNX models on the command line: pulled, listed, verified, and used by a job."""

from __future__ import annotations

import json
import shutil
import wave
from pathlib import Path

import numpy as np
import pytest

from batchscribe.models.pull import pull_model
from batchscribe.settings import load_settings
from batchscribe.speech.onnx_models import EUROPEAN, ONNX_FORMAT
from tests.integration.command import DATA, Command
from tests.models.onnx_graphs import melody, name_languages, tone_ctc, tone_transducer
from tests.servers.model_hub import REPOSITORY, REVISION, Hub, serving

KNOWN = "parakeet-tdt-0.6b-v3"
TUNE = (None, 0, None, 1, 2, 3, None, 4, None, 5, 6, None)


@pytest.fixture
def command(tmp_path: Path) -> Command:
    return Command(tmp_path, {"HF_HUB_OFFLINE": "1", "BATCHSCRIBE_DEVICE": "cpu"})


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    path = tmp_path / "tune.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes((melody(TUNE) * 32767).astype("<i2").tobytes())
    return path


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A copy of a repository with two variants, weights in a separate file, and a file that no engine reads."""
    folder = tone_transducer(tmp_path / "copy")
    for name in ("encoder-model", "decoder_joint-model"):
        shutil.copy(folder / f"{name}.onnx", folder / f"{name}.int8.onnx")
    (folder / "encoder-model.onnx.data").write_bytes(b"weights")
    (folder / "README.md").write_text("not wanted")
    return folder


def test_a_model_from_a_folder_is_listed_verified_and_used(command: Command, repository: Path, recording: Path) -> None:
    pulled = command.run("models", "pull", KNOWN, "--from", str(repository))
    assert pulled.status == 0, pulled
    [model] = command.run("models", "list", "--json").json()["models"]
    assert (model["name"], model["engine"], model["languages"]) == (KNOWN, "onnx", list(EUROPEAN))
    assert model["speed"] > 0
    installed = Path(model["path"])
    assert {file.name for file in installed.iterdir()} == {
        *("encoder-model.onnx", "encoder-model.onnx.data", "decoder_joint-model.onnx", "vocab.txt", "config.json"),
        "batchscribe.json",
    }
    assert command.run("models", "verify").status == 0
    assert f"onnx with {KNOWN} on cpu" in " ".join(command.run("doctor").out.split())
    done = command.run(
        "transcribe", str(recording), "-o", "out/", "--segmentation", "none", "--words", "--language", "fr"
    )
    assert done.status == 0, done
    transcript = (command.folder / "out" / "tune.json").read_text()
    assert "hello world, good day." in transcript
    assert KNOWN in transcript
    (installed / "vocab.txt").write_text("changed")
    assert command.run("models", "verify", KNOWN).status == 1
    (installed / "decoder_joint-model.onnx").unlink()
    verdicts = command.run("models", "verify", "--json").json()["models"][0]["files"]
    assert {each["file"] for each in verdicts if each["verdict"] == "missing"} == {"decoder_joint-model.onnx"}


def test_a_repository_of_the_hub_is_recognized_by_its_files(
    command: Command, repository: Path, recording: Path
) -> None:
    with serving(Hub(repository)) as hub:
        command.environment.update(HF_ENDPOINT=hub.url, HF_HUB_OFFLINE="0")
        pulled = command.run("models", "pull", REPOSITORY, "--from", "hub")
    assert pulled.status == 0, pulled
    [model] = command.run("models", "list", "--json").json()["models"]
    assert (model["engine"], model["revision"], model["checked"], model["languages"]) == ("onnx", REVISION, True, [])
    refused = command.run("transcribe", str(recording), "-o", "out/", "--engine", "onnx")
    assert refused.status == 2
    assert "languages of the ONNX model" in refused.err
    name_languages(Path(model["path"]), "en")
    assert command.run("models", "list", "--json").json()["models"][0]["languages"] == ["en"]


def test_a_variant_is_pulled_by_its_name(tmp_path: Path, repository: Path) -> None:
    settings = load_settings(data_dir=tmp_path / DATA)
    info = pull_model(f"{KNOWN}-int8", settings, (ONNX_FORMAT,), source=str(repository))
    assert {file.name for file in info.path.glob("*.onnx")} == {
        "encoder-model.int8.onnx",
        "decoder_joint-model.int8.onnx",
    }
    assert info.languages == EUROPEAN


def test_a_long_recording_is_cut_into_windows_of_the_engine(command: Command, tmp_path: Path) -> None:
    folder = name_languages(tone_ctc(tmp_path / "own"), "en")
    path = tmp_path / "long.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes((np.tile(melody(TUNE), 12) * 32767).astype("<i2").tobytes())
    command.environment["BATCHSCRIBE_ONNX_MODEL"] = str(folder)
    done = command.run("transcribe", str(path), "-o", "out/", "--segmentation", "none")
    assert done.status == 0, done
    text = json.dumps(json.loads((command.folder / "out" / "long.json").read_text()))
    assert text.count("good") >= 10
