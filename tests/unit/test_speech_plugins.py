from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from batchscribe.errors import EngineNotAvailable
from batchscribe.settings import Settings, load_settings
from batchscribe.speech import plugins
from batchscribe.speech.plugins import NAME
from batchscribe.speech.registry import (
    BUILT_IN,
    capabilities,
    choose_engine,
    engine_names,
    find_engines,
    list_engines,
    plugin_problems,
)
from tests.plugin_package import LENGTHS, install_plugin

Install = Callable[..., Path]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Install plugins into a folder on the path. Afterwards, this process knows none of them."""
    known = set(sys.modules)

    def run(code: str = LENGTHS, **options: str) -> Path:
        folder = tmp_path / f"site-{options.get('engine', 'lengths')}"
        install_plugin(folder, code, **options)
        monkeypatch.syspath_prepend(folder)
        plugins._find_plugins.cache_clear()  # noqa: SLF001
        return folder

    yield run
    plugins._find_plugins.cache_clear()  # noqa: SLF001
    for name in set(sys.modules) - known:
        if name.startswith("batchscribe_"):
            del sys.modules[name]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(data_dir=tmp_path / "data")


def test_an_engine_of_another_package_takes_its_place_by_rank(install: Install, settings: Settings) -> None:
    before = engine_names()
    install()
    assert [name for name in engine_names() if name not in before] == ["lengths"]
    ranks = [engine.rank for engine in list_engines()]
    assert ranks == sorted(ranks)
    assert choose_engine("lengths", "de", settings).spec.model == "lengths-1"
    assert choose_engine("auto", "de", settings).spec.name == "lengths"
    published = next(each for each in capabilities(settings) if each.name == "lengths")
    assert (published.rank, published.languages) == (50, ("en", "de"))


def test_the_built_in_engines_have_valid_names_and_ranks_of_their_own() -> None:
    assert [engine.name for engine in BUILT_IN if not NAME.fullmatch(engine.name)] == []
    assert len({engine.rank for engine in BUILT_IN}) == len(BUILT_IN)


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("import a_library_that_is_not_installed", r"cannot be imported \(ModuleNotFoundError: No module named"),
        ("1 / 0", r"cannot be imported \(ZeroDivisionError: division by zero\)"),
        ("import sys; sys.exit('no licence')", r"cannot be imported \(SystemExit: no licence\)"),
        (LENGTHS.replace("rank=50", "rank='50'"), "its rank is not a whole number but str"),
        ("OTHER = 1", r"cannot be imported \(AttributeError"),
        ("ENGINE = 'whisper'", "is not an EngineRecord"),
        (LENGTHS.replace('name="lengths"', 'name="other"'), "its record has another name, 'other'"),
    ],
)
def test_a_plugin_that_cannot_be_used_is_logged_with_its_package_and_harms_no_other(
    install: Install, settings: Settings, code: str, reason: str
) -> None:
    install(engine="good", code=LENGTHS.replace('"lengths"', '"good"'))
    install(code)
    with capture_logs() as lines:
        assert {"good", "whisper", "pocketsphinx"} <= set(engine_names())
    [line] = [line for line in lines if line["event"] == "engine.plugin_unusable"]
    assert (line["engine"], line["package"]) == ("lengths", "batchscribe-lengths 1.2")
    [problem] = plugin_problems()
    assert problem.message.startswith("Engine lengths of package batchscribe-lengths 1.2 cannot be used: ")
    with pytest.raises(EngineNotAvailable, match=reason):
        find_engines("lengths", settings)
    assert choose_engine("good", "en", settings).spec.name == "good"
    with capture_logs() as lines:
        engine_names()
    assert lines == [], "once per process"


@pytest.mark.parametrize("engine", ["whisper", "auto"])
def test_a_plugin_cannot_take_the_name_of_a_built_in_engine_or_a_reserved_one(install: Install, engine: str) -> None:
    install(LENGTHS.replace('"lengths"', f'"{engine}"'), engine=engine)
    assert engine not in [engine.name for engine in list_engines() if engine not in BUILT_IN]
    assert [problem.engine for problem in plugin_problems()] == [engine]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("[LengthsSpec()]", "[1]"),
        ("[LengthsSpec()]", "1 / 0"),
        ('("en", "de")', "()"),
        ('("en", "de")', '("klingon",)'),
        ("1000.0", "0.0"),
        ("batch_size: int = 4", "batch_size: int = 0"),
        ("batch_size: int = 4", "window_sec: float = 300.0"),
        ('name: str = "lengths"', 'name: str = "whisper"'),
        ("[LengthsSpec()]", '[LengthsSpec(languages=["en"])]'),
        ('("en", "de")', '("en", 5)'),
        ("1000.0", '"fast"'),
        ("batch_size: int = 4", "batch_size: int = None"),
        ("batch_size: int = 4", "model_rank: int = '1'"),
        ("batch_size: int = 4", "revision: str = 7"),
        ("batch_size: int = 4", "batch_size: int = 4; paths: object = ([],)"),
        ("batch_size: int = 4", "batch_size: int = 4; load: object = lambda: None"),
        ("[LengthsSpec()]", "__import__('sys').exit()"),
    ],
)
def test_a_plugin_with_invalid_models_is_passed_over_with_a_warning_and_named_in_an_error(
    install: Install, settings: Settings, change: str, reason: str
) -> None:
    install(LENGTHS.replace(change, reason))
    with capture_logs() as lines:
        assert "lengths" not in [spec.name for spec in find_engines("auto", settings)]
    assert [line["engine"] for line in lines if line["event"] == "engine.models_unknown"] == ["lengths"]
    with pytest.raises(EngineNotAvailable, match=r"^Engine lengths (cannot list its models|describes a model incorr)"):
        find_engines("lengths", settings)


@pytest.mark.parametrize("others", ["1 / 0", "[1]", '[LengthsSpec(languages=["en"])]'])
def test_other_models_that_a_plugin_cannot_list_do_not_hide_its_best_one(
    install: Install, settings: Settings, others: str
) -> None:
    install(LENGTHS.replace('advice="', f'find_others=lambda settings: {others}, advice="'))
    assert [each.model for each in capabilities(settings) if each.name == "lengths"] == ["lengths-1"]
    assert choose_engine("lengths", "en", settings, model="lengths-1").spec.model == "lengths-1"


def test_a_plugin_that_fails_only_for_jobs_that_name_it_does_not_stop_the_worker(
    install: Install, settings: Settings
) -> None:
    install(LENGTHS.replace('advice="', 'find_named=lambda settings: 1 / 0, advice="'))
    with capture_logs() as lines:
        assert {"lengths", "pocketsphinx"} <= {each.name for each in capabilities(settings)}
    assert [line["engine"] for line in lines if line["event"] == "engine.models_unknown"] == ["lengths"]


@pytest.mark.parametrize("warnings", ["1 / 0", "None", "'text'", "(1,)"])
def test_a_plugin_that_cannot_say_its_warnings_is_used_without_them(
    install: Install, settings: Settings, warnings: str
) -> None:
    install(LENGTHS.replace('advice="', f'warn=lambda language, named: {warnings}, advice="'))
    with capture_logs() as lines:
        assert choose_engine("lengths", "en", settings).warnings == ()
    assert [line["event"] for line in lines] == ["engine.warnings_unknown"]
