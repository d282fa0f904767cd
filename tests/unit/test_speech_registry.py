from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest

from batchscribe.cli import options
from batchscribe.errors import EngineNotAvailable, InvalidSetting, OptionNotAvailable, UnsupportedLanguage
from batchscribe.models.at_hand import list_models
from batchscribe.settings import Settings, load_settings
from batchscribe.speech.capability import Capability
from batchscribe.speech.registry import (
    capabilities,
    choose_engine,
    choose_from_fleet,
    engines_of,
    list_engines,
    speed_of,
)
from batchscribe.speech.whisper_format import WHISPER_FORMAT
from batchscribe.speech.whisper_spec import WhisperSpec
from tests.models.whisper import random_whisper

pytest.importorskip("pocketsphinx", reason="not on this Python: no wheel of pocketsphinx")


@pytest.fixture
def bare(tmp_path: Path) -> Settings:
    """No model has been pulled."""
    return load_settings(data_dir=tmp_path)


@pytest.fixture
def pulled(bare: Settings) -> Settings:
    """A small multilingual model and a better one for English alone."""
    random_whisper(bare.models_dir / "tiny", languages=("en", "de"))
    random_whisper(bare.models_dir / "small.en", multilingual=False)
    return bare


def test_auto_without_a_model_is_the_built_in_engine_with_a_warning_and_the_command(bare: Settings) -> None:
    choice = choose_engine("auto", "en", bare)
    assert (choice.spec.name, choice.language) == ("pocketsphinx", "en-US")
    assert "low accuracy" in choice.warnings[0]
    assert "`batchscribe models pull base`" in choice.warnings[0]


def test_auto_takes_the_best_model_that_understands_the_language(pulled: Settings) -> None:
    assert choose_engine("auto", "en-GB", pulled).spec.model == "whisper-small.en"
    german = choose_engine("auto", "de_AT", pulled)
    assert (german.spec.model, german.language, german.warnings) == ("whisper-tiny", "de-AT", ())


def test_auto_takes_the_configured_model_and_no_other(pulled: Settings, tmp_path: Path) -> None:
    own = random_whisper(tmp_path / "own", languages=("en", "fr"))
    settings = load_settings(data_dir=pulled.data_dir, whisper_model=str(own))
    spec = choose_engine("auto", "fr", settings).spec
    assert isinstance(spec, WhisperSpec)
    assert spec.model_path == str(own)
    with pytest.raises(UnsupportedLanguage):
        choose_engine("auto", "de", settings)


def test_a_configured_model_that_is_missing_is_an_error_not_a_reason_for_another_engine(bare: Settings) -> None:
    settings = load_settings(data_dir=bare.data_dir, whisper_model="medium")
    with pytest.raises(EngineNotAvailable, match="models pull medium"):
        choose_engine("auto", "en", settings)


def test_whisper_by_name_never_falls_back(bare: Settings) -> None:
    with pytest.raises(EngineNotAvailable, match="models pull base"):
        choose_engine("whisper", "en", bare)


def test_an_english_model_refuses_german_instead_of_hearing_english(bare: Settings) -> None:
    random_whisper(bare.models_dir / "tiny.en", multilingual=False)
    with pytest.raises(
        UnsupportedLanguage, match=r"'de' is not supported by whisper; supported: en\. .*models pull base"
    ):
        choose_engine("whisper", "de", bare)


def test_pocketsphinx_by_name_accepts_british_english_with_a_warning(pulled: Settings) -> None:
    choice = choose_engine("pocketsphinx", "en-gb", pulled)
    assert choice.language == "en-GB"
    assert "en-GB as American English" in choice.warnings[1]
    with pytest.raises(UnsupportedLanguage):
        choose_engine("pocketsphinx", "de", pulled)


@pytest.mark.parametrize("language", ["de-DE", "en-GB", "klingon", "xx"])
def test_an_unsupported_language_is_rejected_with_the_supported_ones(bare: Settings, language: str) -> None:
    with pytest.raises(UnsupportedLanguage) as caught:
        choose_engine("auto", language, bare)
    assert f"{language!r} is not supported by pocketsphinx; supported: en-US." in str(caught.value)
    assert caught.value.field == "config.language"


def test_the_language_auto_is_rejected_with_a_hint_to_detection(bare: Settings) -> None:
    with pytest.raises(UnsupportedLanguage, match=r"set config\.language_detection to"):
        choose_engine("auto", "auto", bare)


def test_an_unknown_engine_is_refused_with_the_known_ones(bare: Settings) -> None:
    with pytest.raises(EngineNotAvailable, match="choose auto, onnx, whisper or pocketsphinx"):
        choose_engine("kaldi", "en", bare)


def test_the_setting_and_the_option_name_every_engine_that_users_can_choose() -> None:
    offered = ["auto", *(engine.name for engine in list_engines() if engine.is_automatic)]
    help_texts = [Settings.model_fields["engine"].description, get_args(options.Engine)[1].help]
    assert [(name, text) for name in offered for text in help_texts if name not in str(text)] == []


def test_an_unknown_device_is_refused_by_the_name_of_its_setting(pulled: Settings) -> None:
    with pytest.raises(InvalidSetting, match="BATCHSCRIBE_DEVICE"):
        choose_engine("whisper", "en", load_settings(data_dir=pulled.data_dir, device="tpu"))


def test_each_gpu_has_one_process(pulled: Settings) -> None:
    on_gpu = choose_engine("whisper", "en", load_settings(data_dir=pulled.data_dir, device="cuda")).spec
    on_cpu = choose_engine("whisper", "en", load_settings(data_dir=pulled.data_dir, device="cpu")).spec
    assert (on_gpu.device, on_gpu.devices, on_gpu.count_processes(8)) == ("cuda", ("cuda:0",), 1)
    assert (on_cpu.device, on_cpu.devices, on_cpu.count_processes(8)) == ("cpu", (), 8)
    assert on_gpu.speed > on_cpu.speed
    assert (on_gpu.reads_ahead, on_cpu.reads_ahead) == (True, False)
    on_two = choose_engine("whisper", "en", load_settings(data_dir=pulled.data_dir, device="cuda:0,cuda:2")).spec
    assert (on_two.device, on_two.devices, on_two.count_processes(1)) == ("cuda", ("cuda:0", "cuda:2"), 2)
    assert (on_two.on("cuda:2").device, on_two.on("cuda:2").count_processes(1)) == ("cuda:2", 1)


def test_the_speed_of_a_model_is_that_of_all_its_processes_together(pulled: Settings) -> None:
    def speed(device: str, processes: int) -> float:
        settings = load_settings(data_dir=pulled.data_dir, device=device, engine_processes=processes)
        return speed_of(list_models(pulled, [WHISPER_FORMAT])[0], settings) or 0.0

    assert speed("cpu", 4) == pytest.approx(4 * speed("cpu", 1))
    assert speed("cuda", 4) == pytest.approx(speed("cuda", 1))
    assert speed("cuda", 1) > speed("cpu", 1)


def test_the_scripted_engine_says_that_it_makes_its_words_up(bare: Settings) -> None:
    assert "invents its text" in choose_engine("scripted", "en", bare).warnings[0]


def test_the_best_engine_of_the_fleet_that_supports_the_language_is_chosen() -> None:
    slow = Capability(name="pocketsphinx", model="en-us", languages=("en-US",), speed=5.0)
    fast = Capability(name="whisper", model="turbo", languages=("en", "de"), speed=20.0, device="cuda")
    assert choose_from_fleet("auto", "en", [slow, fast]) == (fast, "en-US")
    assert choose_from_fleet("auto", "de_AT", [slow, fast]) == (fast, "de-AT")
    assert choose_from_fleet("pocketsphinx", "en", [slow, fast]) == (slow, "en-US")
    with pytest.raises(UnsupportedLanguage, match="pocketsphinx"):
        choose_from_fleet("pocketsphinx", "de", [slow, fast])
    with pytest.raises(EngineNotAvailable, match="No worker has the engine 'whisper' now; available: pocketsphinx"):
        choose_from_fleet("whisper", "en", [slow])


NO_DETECTION = r"^config\.language_detection: .+ cannot detect languages; name the language"


@pytest.mark.parametrize("engine", ["auto", "pocketsphinx", "scripted"])
def test_language_detection_is_rejected_if_no_installed_engine_supports_it(bare: Settings, engine: str) -> None:
    with pytest.raises(OptionNotAvailable, match=NO_DETECTION) as caught:
        choose_engine(engine, "en", bare, detect=True)
    assert caught.value.field == "config.language_detection"
    assert choose_engine(engine, "en", bare).language == "en-US"


def test_language_detection_takes_a_model_that_knows_several_languages(pulled: Settings) -> None:
    choice = choose_engine("auto", "en", pulled, detect=True)
    assert (choice.spec.model, choice.spec.detects_languages) == ("whisper-tiny", True)
    assert choose_engine("auto", "en", pulled).spec.model == "whisper-small.en"


def test_a_fleets_engine_with_detection_is_chosen_if_detection_is_requested() -> None:
    english = Capability(name="whisper", model="small.en", languages=("en",), speed=9.0)
    many = Capability(name="whisper", model="base", languages=("en", "de"), detects_languages=True, speed=5.0)
    assert choose_from_fleet("auto", "en", [english, many]) == (english, "en-US")
    assert choose_from_fleet("auto", "en", [english, many], detect=True) == (many, "en-US")
    with pytest.raises(OptionNotAvailable, match=r"whisper with small\.en cannot detect languages") as caught:
        choose_from_fleet("auto", "en", [english], detect=True)
    assert caught.value.field == "config.language_detection"
    with pytest.raises(EngineNotAvailable):
        choose_from_fleet("pocketsphinx", "en", [many], detect=True)


NO_VOCABULARY = r"^config\.vocabulary: .+ cannot use a vocabulary; omit it, or use the engine whisper, .*models pull"


@pytest.mark.parametrize("engine", ["auto", "pocketsphinx", "scripted"])
def test_a_vocabulary_is_rejected_if_no_installed_engine_takes_one(bare: Settings, engine: str) -> None:
    with pytest.raises(OptionNotAvailable, match=NO_VOCABULARY) as caught:
        choose_engine(engine, "en", bare, vocabulary=True)
    assert caught.value.field == "config.vocabulary"


def test_a_fleets_engine_that_takes_a_vocabulary_is_chosen_if_there_is_one() -> None:
    better = Capability(name="onnx", model="parakeet", languages=("en",), speed=9.0)
    able = Capability(name="whisper", model="base", languages=("en", "de"), takes_vocabulary=True, speed=5.0)
    assert choose_from_fleet("auto", "en", [better, able]) == (better, "en-US")
    assert choose_from_fleet("auto", "en", [better, able], vocabulary=True) == (able, "en-US")
    with pytest.raises(OptionNotAvailable, match=r"onnx with parakeet cannot use a vocabulary") as caught:
        choose_from_fleet("onnx", "en", [better, able], vocabulary=True)
    assert caught.value.field == "config.vocabulary"
    with pytest.raises(OptionNotAvailable, match="cannot detect languages"):
        choose_from_fleet("auto", "en", [better, able], vocabulary=True, detect=True)
    with pytest.raises(UnsupportedLanguage):
        choose_from_fleet("auto", "fr", [better, able], vocabulary=True)


def test_what_an_engine_can_do_travels_to_the_others_as_json() -> None:
    many = Capability(name="whisper", model="base", languages=("en", "de"), detects_languages=True, speed=5.0)
    many = replace(many, takes_vocabulary=True)
    assert Capability.from_json(json.loads(json.dumps(many.as_json()))) == many
    new = {"detects_languages", "takes_vocabulary"}
    told = Capability.from_json({name: value for name, value in many.as_json().items() if name not in new})
    assert told is not None
    assert not told.detects_languages, "a worker of an older release cannot"
    assert not told.takes_vocabulary, "a worker of an older release cannot"


@pytest.mark.parametrize(
    "changes",
    [
        {"speed": "quick"},
        {"speed": 0.0},
        {"speed": float("nan")},
        {"languages": None},
        {"languages": [7]},
        {"name": None},
    ],
)
def test_what_another_release_publishes_and_this_one_does_not_understand_is_ignored(changes: dict[str, Any]) -> None:
    engine = Capability(name="whisper", model="base", languages=("en",), speed=5.0)
    assert Capability.from_json(engine.as_json() | {"added_later": 1}) == engine
    assert Capability.from_json(engine.as_json() | changes) is None
    assert Capability.from_json("whisper") is None


ENGLISH = Capability(name="whisper", model="base", languages=("en",), speed=5.0, rank=20, model_rank=3)
BUILT_IN = Capability(name="pocketsphinx", model="en-US", languages=("en-US",), speed=3.0, rank=30)
LATER = Capability(name="later", model="v3", languages=("en", "de"), speed=90.0, rank=25)


@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize("rank", [25, None])
def test_an_engine_that_only_a_worker_knows_is_an_error_of_no_job(place: int, rank: int | None) -> None:
    fleet = [ENGLISH, BUILT_IN]
    later = replace(LATER, rank=rank)
    fleet.insert(place, later)
    assert choose_from_fleet("auto", "en", fleet) == (ENGLISH, "en-US")
    assert choose_from_fleet("whisper", "en", fleet) == (ENGLISH, "en-US")
    assert choose_from_fleet("auto", "de", fleet) == (later, "de-DE")
    assert choose_from_fleet("later", "en", fleet) == (later, "en-US")
    with pytest.raises(UnsupportedLanguage, match=r"not supported by later; supported: en, de\."):
        choose_from_fleet("later", "fr", fleet)
    with pytest.raises(EngineNotAvailable, match="No worker has the engine 'other' now; available: whisper, "):
        choose_from_fleet("other", "en", fleet)


def test_an_unknown_engine_that_ranks_first_is_chosen_and_one_without_a_rank_comes_last() -> None:
    assert choose_from_fleet("auto", "en", [BUILT_IN, replace(LATER, rank=1)])[0].name == "later"
    assert choose_from_fleet("auto", "en", [replace(LATER, rank=None), BUILT_IN])[0].name == "pocketsphinx"
    assert choose_from_fleet("auto", "en", [replace(LATER, rank=None)])[0].name == "later"


def test_the_best_model_of_the_fleet_is_chosen_whichever_worker_has_it() -> None:
    better = replace(ENGLISH, model="large-v3", model_rank=0)
    assert choose_from_fleet("auto", "en", [ENGLISH, better])[0] == better
    assert choose_from_fleet("auto", "en", [better, ENGLISH])[0] == better


def test_a_worker_of_an_earlier_release_publishes_no_rank_and_gets_the_rank_of_its_engine() -> None:
    earlier = {name: value for name, value in ENGLISH.as_json().items() if name not in ("rank", "model_rank")}
    told = Capability.from_json(earlier)
    assert told is not None
    assert told.rank is None
    assert choose_from_fleet("auto", "en", [BUILT_IN, told])[0].name == "whisper"


def test_what_a_machine_publishes_is_what_it_would_choose_from(pulled: Settings) -> None:
    assert [each.model for each in capabilities(pulled)][:2] == ["whisper-small.en", "whisper-tiny"]
    assert engines_of(pulled) == ("whisper", "pocketsphinx")
    assert capabilities(load_settings(data_dir=pulled.data_dir / "none", engine="whisper")) == ()
