"""The engine `onnx` on tiny models: the real loading and decoding of onnx-asr and ONNX Runtime."""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from batchscribe.errors import EngineNotAvailable, UnsupportedLanguage
from batchscribe.settings import Settings, load_settings
from batchscribe.speech.engine import RecognitionRequest
from batchscribe.speech.fitting_batches import is_out_of_memory
from batchscribe.speech.onnx import BATCHABLE, OnnxSpec, find_onnx_specs, is_batchable
from batchscribe.speech.onnx_models import EUROPEAN
from batchscribe.speech.onnx_words import TOKEN_SEC, Token, build_recognition
from batchscribe.speech.pool import EnginePool
from batchscribe.speech.registry import capabilities, choose_engine, find_engines
from batchscribe.window import SAMPLE_RATE, Recognition, Samples, Window
from tests.models.onnx_graphs import (
    fixed_canary,
    melody,
    name_languages,
    tone_ctc,
    tone_transducer,
)

SENTENCE = "hello world, good day."
TUNE = (None, 0, None, 1, 2, 3, None, 4, None, 5, 6, None)  #: its tokens, each half a second long


def rnnt(folder: Path) -> Path:
    return tone_transducer(folder, durations=False)


BUILDERS = pytest.mark.parametrize("build", [tone_ctc, tone_transducer, rnnt], ids=["ctc", "tdt", "rnnt"])
Build = Callable[[Path], Path]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "model"


def spec_of(folder: Path, *languages: str) -> OnnxSpec:
    name_languages(folder, *(languages or ("en",)))
    [spec] = find_onnx_specs(load_settings(onnx_model=str(folder), data_dir=folder.parent, device="cpu"))
    assert isinstance(spec, OnnxSpec)
    return spec


def request_of(samples: Samples, language: str = "en-US") -> RecognitionRequest:
    return RecognitionRequest(Window(0, 0.0, samples), language)


def random_melody(seed: int, notes: int) -> Samples:
    rng = np.random.default_rng(seed)
    return melody([None if rng.random() < 0.3 else int(rng.integers(7)) for _ in range(notes)], sec=0.37)


# --- text, words, times ----------------------------------------------------------------------------------------


@BUILDERS
def test_tokens_become_words_with_times_and_confidence(build: Build, folder: Path) -> None:
    [found] = spec_of(build(folder)).build().transcribe([request_of(melody(TUNE))])
    words = found.phrases[0].words
    assert found.text == SENTENCE
    assert [word.text for word in words] == ["hello", "world,", "good", "day."]
    starts = [0.5, 1.5, 3.5, 4.5]  # of the tones
    assert [word.start_sec for word in words] == pytest.approx(starts, abs=0.08)
    assert words[1].end_sec == pytest.approx(2.5 + TOKEN_SEC, abs=0.08), "the end of its comma"
    assert all(word.confidence is not None and 0.5 < word.confidence <= 1.0 for word in words)


def test_canary_gets_the_language_and_gives_text_without_times_and_confidence(folder: Path) -> None:
    spec = spec_of(fixed_canary(folder), "en", "de")
    found = spec.build().transcribe([request_of(melody(TUNE)), request_of(melody(TUNE), "de-AT")])
    assert [each.text for each in found] == ["good day.", "guten Tag."]
    assert [each.phrases[0].words for each in found] == [(), ()]
    assert found[0].phrases[0].end_sec == pytest.approx(6.0)


def test_silence_and_windows_of_any_length_are_fine(folder: Path) -> None:
    engine = spec_of(tone_transducer(folder)).build()
    windows = [np.zeros(SAMPLE_RATE, np.float32), np.zeros(0, np.float32), melody([0], 0.001), melody([0], 0.05)]
    found = engine.transcribe([request_of(samples) for samples in windows])
    assert found[:2] == [Recognition(), Recognition()]
    [long] = engine.transcribe([request_of(melody([None, 0] * 30))])
    assert long.phrases[0].words[-1].end_sec <= 30.0


def test_the_end_of_a_word_is_before_the_next_word_and_inside_the_window() -> None:
    tokens = [Token(" a", 0.0), Token(" b", 0.1), Token(" c", 0.95), Token("d", 0.95)]
    words = build_recognition(tokens, "en", 1.0).phrases[0].words
    assert [(word.start_sec, word.end_sec) for word in words] == [(0.0, 0.1), (0.1, 0.1 + TOKEN_SEC), (0.95, 1.0)]
    assert [word.confidence for word in words] == [None, None, None]


@pytest.mark.parametrize(
    ("tokens", "language", "words"),
    [
        ([" Hi", ",", " you", " ?", " (", "so", ")"], "en-US", ["Hi,", "you?", "(so)"]),
        ([" ¿", "Qué", " tal", "?"], "es-ES", ["¿Qué", "tal?"]),
        ([" ", "a", "b", " c"], "en-US", ["ab", "c"]),
        ([" tea", "-", "time"], "en-US", ["tea-time"]),
        ([" tell", " '", "em"], "en-US", ["tell", "'em"]),
        ([" said", ' "', "hello", '"', " twice"], "en-US", ["said", '"hello"', "twice"]),
        ([" said", ' "', "hello", ' "', " twice"], "en-US", ["said", '"hello"', "twice"]),
        ([" is", " -", "5"], "en-US", ["is", "-5"]),
        ([" is", " .", "5"], "en-US", ["is", ".5"]),
        ([" number", " #", "1"], "en-US", ["number", "#1"]),
        ([" R", " &", " D"], "en-US", ["R", "&", "D"]),
        ([" write", " @", "home"], "en-US", ["write", "@home"]),
        ([" tea", " -", " time"], "en-US", ["tea", "-", "time"]),
        ([" so", " )", " .", '"', " Yes", " !"], "en-US", ['so)."', "Yes!"]),
        (["今", "日", "。", "雨"], "ja-JP", ["今", "日。", "雨"]),
        ([], "en-US", []),
    ],
)
def test_punctuation_is_joined_to_its_word(tokens: list[str], language: str, words: list[str]) -> None:
    found = build_recognition([Token(text, at * 0.4) for at, text in enumerate(tokens)], language, 9.0)
    assert [word.text for phrase in found.phrases for word in phrase.words] == words
    assert found.text == ("" if language == "ja-JP" else " ").join(words)


@pytest.mark.parametrize("score", [3.5, float("nan"), float("inf")])
def test_scores_that_are_not_probabilities_give_no_confidence(score: float) -> None:
    tokens = [Token(" a", 0.0, -0.1), Token("b", 0.1, score)]
    assert build_recognition(tokens, "en", 1.0).phrases[0].words[0].confidence is None


# --- batches ---------------------------------------------------------------------------------------------------


def transcribe_in_batches(spec: OnnxSpec, requests: list[RecognitionRequest], size: int) -> list[Recognition]:
    engine = spec.build()
    parts = [requests[at : at + size] for at in range(0, len(requests), size)]
    return [found for part in parts for found in engine.transcribe(part)]


@BUILDERS
def test_the_words_of_a_window_do_not_depend_on_its_batch(build: Build, folder: Path) -> None:
    """Neither without padding, as on a CPU, nor with the padding for a GPU."""
    on_cpu = spec_of(build(folder))
    requests = [request_of(random_melody(seed, 3 + seed % 7)) for seed in range(24)]
    for spec in (on_cpu, replace(on_cpu, pad_sec=5.0, batch_size=32)):
        alone = transcribe_in_batches(spec, requests, 1)
        assert any(each.phrases for each in alone)
        assert transcribe_in_batches(spec, requests, 24) == alone
        assert transcribe_in_batches(spec, requests[::-1], 5)[::-1] == alone


def test_windows_of_one_padded_length_share_a_call(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = replace(spec_of(tone_ctc(folder)), pad_sec=5.0, batch_size=32)
    engine = spec.build()
    calls: list[tuple[int, ...]] = []
    asr = engine._model.asr  # type: ignore[attr-defined]  # noqa: SLF001
    recognize = asr.recognize_batch

    def record(samples: Samples, *rest: Any, **options: Any) -> Any:
        calls.append(samples.shape)
        return recognize(samples, *rest, **options)

    monkeypatch.setattr(asr, "recognize_batch", record)
    engine.transcribe([request_of(random_melody(seed, notes)) for seed, notes in enumerate([3, 9, 4, 20, 8])])
    assert sorted(calls) == [(1, 10 * SAMPLE_RATE), (4, 5 * SAMPLE_RATE)]


def test_a_model_with_dynamic_quantization_gets_one_window_per_call(folder: Path) -> None:
    """Such a model scales by the loudest window of a batch, so its neighbors would change its words."""
    spec = replace(spec_of(tone_ctc(folder, quantized=True)), pad_sec=5.0, batch_size=32)
    assert not is_batchable(spec)
    requests = [request_of(random_melody(seed, 5) * (1.0 if seed % 2 else 0.01)) for seed in range(6)]
    assert transcribe_in_batches(spec, requests, 6) == transcribe_in_batches(spec, requests, 1)


def test_canary_gets_one_window_per_call(folder: Path) -> None:
    assert "nemo-conformer-aed" not in BATCHABLE
    assert not is_batchable(spec_of(fixed_canary(folder)))


def test_running_out_of_memory_is_recognized(folder: Path) -> None:
    """In a process with little address space, as ONNX Runtime reports it."""
    spec = spec_of(tone_transducer(folder))
    program = (
        "import pickle, resource, sys, numpy as np\n"
        "from batchscribe.speech.engine import RecognitionRequest\n"
        "from batchscribe.speech.fitting_batches import is_out_of_memory\n"
        "from batchscribe.window import Window\n"
        "engine = pickle.loads(bytes.fromhex(sys.argv[1])).build()\n"
        "request = RecognitionRequest(Window(0, 0.0, np.ones(16_000, np.float32)), 'en-US')\n"
        "engine.transcribe([request])\n"
        "used = int(open('/proc/self/statm').read().split()[0]) * resource.getpagesize()\n"
        "resource.setrlimit(resource.RLIMIT_AS, (used + 2**26, used + 2**26))\n"
        "long = RecognitionRequest(Window(0, 0.0, np.ones(8_000_000, np.float32)), 'en-US')\n"
        "try:\n    engine.transcribe([long])\n"
        "except Exception as error:\n    print(is_out_of_memory(error), type(error).__name__)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, pickle.dumps(spec).hex()], capture_output=True, text=True, check=False
    )
    assert done.stdout.startswith("True "), (done.stdout, done.stderr)


@pytest.mark.parametrize(
    "message",
    [
        "[ONNXRuntimeError] : 6 : RUNTIME_EXCEPTION : bfc_arena.cc:376 Failed to allocate memory for requested buffer",
        "[ONNXRuntimeError] : 1 : FAIL : CUDA failure 2: out of memory ; GPU=0 ; hostname=x",
        "[ONNXRuntimeError] : 6 : RUNTIME_EXCEPTION : std::bad_alloc",
    ],
)
def test_the_messages_of_onnx_runtime_about_memory_are_known(message: str) -> None:
    assert is_out_of_memory(RuntimeError(message))


# --- processes -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("build", [tone_transducer, fixed_canary], ids=["tdt", "canary"])
def test_it_runs_in_a_confined_process(build: Build, folder: Path) -> None:
    spec = spec_of(build(folder))
    with EnginePool(spec, 1) as pool:
        pool.try_out()
        found = pool.submit(request_of(melody(TUNE))).result(60)
    assert found.text in (SENTENCE, "good day.")
    assert pickle.loads(pickle.dumps(spec)) == spec  # noqa: S301


def test_a_model_of_links_is_read_in_its_process(folder: Path, tmp_path: Path) -> None:
    """The hub's cache keeps the files elsewhere."""
    real = tone_ctc(tmp_path / "blobs")
    folder.mkdir()
    for file in real.iterdir():
        (folder / file.name).symlink_to(file)
    with EnginePool(spec_of(folder), 1) as pool:
        assert pool.submit(request_of(melody(TUNE))).result(60).text == SENTENCE


# --- installed models ------------------------------------------------------------------------------------------


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(data_dir=tmp_path / "data", device="cpu")


def test_known_models_have_known_languages(settings: Settings) -> None:
    tone_transducer(settings.models_dir / "parakeet-tdt-0.6b-v3")
    tone_transducer(settings.models_dir / "parakeet-tdt-0.6b-v2")
    found = find_engines("onnx", settings)
    assert [(spec.model, spec.languages) for spec in found] == [
        ("parakeet-tdt-0.6b-v3", EUROPEAN),
        ("parakeet-tdt-0.6b-v2", ("en",)),
    ]
    assert choose_engine("auto", "uk", settings).spec.model == "parakeet-tdt-0.6b-v3"
    assert capabilities(settings)[0].name == "onnx"
    with pytest.raises(UnsupportedLanguage, match="'ja' is not supported by onnx"):
        choose_engine("onnx", "ja", settings)


def test_a_model_with_unknown_languages_is_not_used_until_a_file_names_them(settings: Settings) -> None:
    folder = tone_ctc(settings.models_dir / "my--model")
    with pytest.raises(EngineNotAvailable, match=r"languages of the ONNX model my/model are not known; write a file"):
        find_engines("onnx", settings)
    assert "onnx" not in [spec.name for spec in find_engines("auto", settings)]
    name_languages(folder, "sw", "en-KE")
    assert find_engines("onnx", settings)[0].languages == ("sw", "en-KE")
    assert choose_engine("onnx", "sw", settings).language == "sw-TZ"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ('{"languages": ["klingon"]}', "unknown language 'klingon'"),
        ('{"languages": ["en", "de-"]}', "unknown language 'de-'"),
        ('{"languages": "en"}', "languages"),
        ('{"language": ["en"]}', "language"),
        ('{"languages": ["en"], "type": "whisper"}', "unknown type 'whisper'; use one of nemo-conformer-ctc"),
        ("not JSON", "Invalid JSON"),
    ],
)
def test_an_invalid_file_is_refused_by_its_name(settings: Settings, content: str, reason: str) -> None:
    folder = tone_ctc(settings.models_dir / "mine")
    (folder / "onnx.json").write_text(content)
    with pytest.raises(EngineNotAvailable) as caught:
        find_engines("onnx", settings)
    assert str(folder / "onnx.json") in str(caught.value)
    assert reason in str(caught.value)


@pytest.mark.parametrize("config", ['{"model_type": ["nemo"]}', '{"model_type": {}}', "[]", "not JSON"])
def test_a_model_with_an_unreadable_type_is_not_used_and_harms_no_other(settings: Settings, config: str) -> None:
    (tone_transducer(settings.models_dir / "mine") / "config.json").write_text(config)
    tone_ctc(settings.models_dir / "parakeet-ctc-0.6b")
    assert [each.model for each in find_engines("onnx", settings)] == ["parakeet-ctc-0.6b"]


def test_a_model_whose_type_its_files_do_not_show_needs_it_in_the_file(settings: Settings) -> None:
    folder = tone_transducer(settings.models_dir / "mine", durations=False)
    name_languages(folder, "en")
    (folder / "config.json").write_text("{}")
    with pytest.raises(EngineNotAvailable, match="The type of the ONNX model mine is not known"):
        find_engines("onnx", settings)
    (folder / "onnx.json").write_text('{"type": "nemo-conformer-rnnt", "languages": ["en"]}')
    [spec] = find_engines("onnx", settings)
    assert isinstance(spec, OnnxSpec)
    assert spec.model_type == "nemo-conformer-rnnt"


def test_a_configured_folder_without_a_model_is_an_error(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    wrong = settings.model_copy(update={"onnx_model": str(tmp_path / "empty")})
    with pytest.raises(EngineNotAvailable, match="is not a complete ONNX model for onnx-asr"):
        find_engines("onnx", wrong)
    with pytest.raises(EngineNotAvailable, match=r"get one with `batchscribe models pull parakeet-tdt-0\.6b-v3`"):
        find_engines("onnx", settings)


def test_without_cuda_in_onnx_runtime_auto_means_the_cpu_and_cuda_is_an_error(folder: Path) -> None:
    spec = replace(spec_of(tone_ctc(folder)), device="cuda:0")
    with pytest.raises(EngineNotAvailable, match="install onnxruntime-gpu instead of onnxruntime"):
        spec.build()


def test_on_a_gpu_it_gets_batches_and_one_process_for_each(folder: Path) -> None:
    name_languages(tone_ctc(folder), "en")
    settings = load_settings(onnx_model=str(folder), data_dir=folder.parent, device="cuda:0,cuda:1")
    [spec] = find_onnx_specs(settings)
    assert (spec.devices, spec.count_processes(8), spec.batch_size) == (("cuda:0", "cuda:1"), 2, 32)
    assert spec.reads_ahead
    of_3_sec, of_4_sec, of_8_sec = (
        spec.kind_of_request(request_of(np.zeros(sec * SAMPLE_RATE, np.float32))) for sec in (3, 4, 8)
    )
    assert of_3_sec == of_4_sec != of_8_sec
