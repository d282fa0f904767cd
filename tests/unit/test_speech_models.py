from __future__ import annotations

import json
from pathlib import Path

import pytest

from batchscribe.errors import EngineNotAvailable, ModelNotFound
from batchscribe.models import origin as record
from batchscribe.models.at_hand import find_model, list_models
from batchscribe.models.pull import pull_model
from batchscribe.settings import Settings, load_settings
from batchscribe.speech.registry import find_engines
from batchscribe.speech.whisper_format import WHISPER_FORMAT
from tests.models.whisper import random_whisper


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(data_dir=tmp_path)


def test_no_models_directory_means_no_models(settings: Settings) -> None:
    assert list_models(settings, [WHISPER_FORMAT]) == []


def test_models_are_listed_best_first_with_what_there_is_to_know(settings: Settings) -> None:
    for name in ("tiny", "large-v3-turbo", "someone--own-model"):
        random_whisper(settings.models_dir / name)
    (settings.models_dir / "tiny" / record.NAME).write_text(json.dumps({"repository": "o/r", "revision": "abc123"}))
    infos = list_models(settings, [WHISPER_FORMAT])
    assert [info.name for info in infos] == ["large-v3-turbo", "tiny", "someone/own-model"]
    assert [info.revision for info in infos] == [None, "abc123", None]
    assert all(info.size_bytes > 100_000 for info in infos)


def test_half_a_download_is_not_installed(settings: Settings) -> None:
    random_whisper(settings.models_dir / ".tiny.part")
    random_whisper(settings.models_dir / "small")
    (settings.models_dir / "small" / "model.bin").unlink()
    assert list_models(settings, [WHISPER_FORMAT]) == []


def test_the_languages_of_a_model_are_read_from_its_vocabulary(settings: Settings) -> None:
    random_whisper(settings.models_dir / "base", languages=("en", "de", "jw"))
    random_whisper(settings.models_dir / "tiny.en", multilingual=False)
    assert {info.name: info.languages for info in list_models(settings, [WHISPER_FORMAT])} == {
        "base": ("de", "en", "jv"),
        "tiny.en": ("en",),
    }


def test_an_old_vocabulary_in_lines_of_text_says_the_same(settings: Settings) -> None:
    folder = random_whisper(settings.models_dir / "base", languages=("en", "de"))
    vocabulary = folder / "vocabulary.json"
    tokens = json.loads(vocabulary.read_text(encoding="utf-8"))
    (folder / "vocabulary.txt").write_text("\n".join(tokens) + "\n", encoding="utf-8")
    vocabulary.unlink()
    assert list_models(settings, [WHISPER_FORMAT])[0].languages == ("de", "en")


def test_the_end_of_the_last_line_does_not_make_an_english_model_understand_everything(settings: Settings) -> None:
    folder = random_whisper(settings.models_dir / "tiny.en", multilingual=False)
    tokens = json.loads((folder / "vocabulary.json").read_text(encoding="utf-8"))
    (folder / "vocabulary.txt").write_text("\n".join(tokens) + "\n", encoding="utf-8")
    (folder / "vocabulary.json").unlink()
    assert list_models(settings, [WHISPER_FORMAT])[0].languages == ("en",)


@pytest.mark.parametrize("vocabulary", ['["a", "b', "7", '[["a"]]', "\udcff"])
def test_a_damaged_vocabulary_makes_only_its_model_unusable(settings: Settings, vocabulary: str) -> None:
    damaged = random_whisper(settings.models_dir / "base")
    (damaged / "vocabulary.json").write_bytes(vocabulary.encode(errors="surrogateescape"))
    random_whisper(settings.models_dir / "tiny")
    assert {info.name: bool(info.languages) for info in list_models(settings, [WHISPER_FORMAT])} == {
        "base": False,
        "tiny": True,
    }
    assert [spec.model for spec in find_engines("whisper", settings)] == ["whisper-tiny"]
    configured = settings.model_copy(update={"whisper_model": "base"})
    with pytest.raises(EngineNotAvailable, match="vocabulary of the Whisper model base is damaged; check it with"):
        find_engines("whisper", configured)


def test_a_record_that_cannot_be_read_says_nothing(settings: Settings) -> None:
    folder = random_whisper(settings.models_dir / "tiny")
    (folder / record.NAME).write_text('{"repository": ')
    [info] = list_models(settings, [WHISPER_FORMAT])
    assert (info.revision, info.origin.is_checked) == (None, False)


def test_a_model_is_found_by_its_name_and_by_its_folder(settings: Settings, tmp_path: Path) -> None:
    random_whisper(settings.models_dir / "tiny")
    elsewhere = random_whisper(tmp_path / "elsewhere" / "my-whisper")
    assert find_model("tiny", settings, WHISPER_FORMAT).path == settings.models_dir / "tiny"
    assert find_model(str(elsewhere), settings, WHISPER_FORMAT).name == "my-whisper"


def test_a_missing_model_is_named_with_the_command_that_pulls_it(settings: Settings) -> None:
    with pytest.raises(EngineNotAvailable, match="`batchscribe models pull small`"):
        find_model("small", settings, WHISPER_FORMAT)


def test_a_name_that_cannot_be_pulled_is_not_told_to_be_pulled(settings: Settings) -> None:
    with pytest.raises(EngineNotAvailable, match="`batchscribe models list`"):
        find_model("no-such-folder", settings, WHISPER_FORMAT)


def test_a_folder_that_is_not_a_model_is_reported_with_what_is_missing(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "config.json").touch()
    with pytest.raises(EngineNotAvailable, match=r"missing: model\.bin, tokenizer\.json, vocabulary\.json"):
        find_model(str(tmp_path), settings, WHISPER_FORMAT)


@pytest.mark.parametrize("name", ["huge", "a/b/c", "../secrets", "a/..", "a/b--c", "..", ""])
def test_a_name_that_is_neither_known_nor_a_repository_is_refused_with_the_known_ones(
    settings: Settings, name: str
) -> None:
    with pytest.raises(ModelNotFound, match=r"use one of large-v3, .*, or a repository on the hub as OWNER/NAME"):
        pull_model(name, settings, [WHISPER_FORMAT])
    assert not settings.models_dir.exists()


def test_a_misspelled_name_is_refused_with_the_nearest_one(settings: Settings) -> None:
    with pytest.raises(ModelNotFound, match=r"Model 'bse' is not known; did you mean base\? Otherwise use one of "):
        pull_model("bse", settings, [WHISPER_FORMAT])
