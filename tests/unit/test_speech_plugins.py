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
