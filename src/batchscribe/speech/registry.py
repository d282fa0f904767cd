"""The engines of this machine, and the choice of one for a job, made before the job is accepted.

Nothing is loaded or downloaded here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import structlog

from batchscribe.errors import BatchscribeError, EngineNotAvailable, OptionNotAvailable, UnsupportedLanguage
from batchscribe.models.at_hand import ModelInfo
from batchscribe.models.model_format import ModelFormat
from batchscribe.settings import Settings
from batchscribe.speech.capability import Capability, describe_model_at
from batchscribe.speech.engine import EngineSpec
from batchscribe.speech.engine_child import describe
from batchscribe.speech.engine_record import PULL, EngineRecord
from batchscribe.speech.languages import canonical_language
from batchscribe.speech.onnx import ONNX
from batchscribe.speech.plugins import PluginProblem, find_plugins
from batchscribe.speech.pocketsphinx import POCKETSPHINX
from batchscribe.speech.scripted import SCRIPTED
from batchscribe.speech.spec_fault import find_fault
from batchscribe.speech.whisper_record import WHISPER

log = structlog.get_logger()

Hears = TypeVar("Hears", EngineSpec, Capability)
Answer = TypeVar("Answer")
FindSpecs = Callable[[Settings], Sequence[EngineSpec]]

BUILT_IN = (ONNX, WHISPER, POCKETSPHINX, SCRIPTED)


@dataclass(frozen=True, slots=True)
class Choice:
    """The chosen engine. `language` is canonical; `warnings` must be in every transcript of the engine."""

    spec: EngineSpec
    language: str
    warnings: tuple[str, ...] = ()


def list_engines() -> tuple[EngineRecord, ...]:
    """Return the built-in engines and those of other packages, best first."""
    plugins = find_plugins([engine.name for engine in BUILT_IN])
    return tuple(sorted((*BUILT_IN, *plugins.records), key=lambda engine: (engine.rank, engine.name)))


def engine_names() -> tuple[str, ...]:
    """Return the names of all engines that this process knows, best first."""
    return tuple(engine.name for engine in list_engines())


def model_formats() -> tuple[ModelFormat, ...]:
    """Return the formats of models that can be pulled, best engine first."""
    return tuple(engine.model_format for engine in list_engines() if engine.model_format)


def speed_of(model: ModelInfo, settings: Settings) -> float | None:
    """Estimate the audio seconds per second of all engine processes of this machine. None if the model is not usable.

    Raises `InvalidSetting`.
    """
    engine = next((engine for engine in list_engines() if engine.name == model.engine), None)
    make_spec = engine.make_spec if engine else None
    try:
        spec = _ask(engine, "describe a model", lambda: make_spec(model, settings)) if engine and make_spec else None
    except EngineNotAvailable:
        return None
    return spec.speed * spec.count_processes(settings.engine_processes) if spec else None


def plugin_problems() -> tuple[PluginProblem, ...]:
    """Return why engines of other packages cannot be used."""
    return find_plugins([engine.name for engine in BUILT_IN]).problems


def choose_engine(
    name: str,
    language: str,
    settings: Settings,
    *,
    detect: bool = False,
    vocabulary: bool = False,
    model: str | None = None,
    revision: str | None = None,
) -> Choice:
    """Choose the best available engine that supports the language. A named engine is never replaced by another.

    `name` is `auto` or the name of an engine. With `detect`, the engine must support language detection, and with
    `vocabulary`, take one. With `model`, only that model at that revision is used. Raises `EngineNotAvailable`,
    `UnsupportedLanguage`, `OptionNotAvailable`.
    """
    specs = find_engines(name, settings) if model is None else [find_exact(name, model, revision, settings)]
    able = select_able(specs, detect=detect, vocabulary=vocabulary)
    spec, tag = find_by_language(able, language)
    return Choice(spec, tag, warnings_of(spec, tag, wanted=name))


def choose_from_fleet(
    name: str, language: str, fleet: Sequence[Capability], *, detect: bool = False, vocabulary: bool = False
) -> tuple[Capability, str]:
    """Choose like `choose_engine` from the engines of the workers. Return the engine and the canonical language tag.

    An engine that this process does not know is chosen like the others: its worker has it.
    """
    ranks = {engine.name: engine.rank for engine in list_engines()}
    ranked = sorted(fleet, key=lambda each: (each.rank_by(ranks), each.model_rank, each.name))
    wanted = [capability for capability in ranked if name in ("auto", capability.name)]
    if not ranked:
        raise EngineNotAvailable(
            f"No worker has an engine; run {PULL} on a machine with a worker, and restart that worker."
        )
    if not wanted:
        available = ", ".join(dict.fromkeys(capability.name for capability in ranked))
        raise EngineNotAvailable(f"No worker has the engine {name!r} now; available: {available}.")
    return find_by_language(select_able(wanted, detect=detect, vocabulary=vocabulary), language)


def select_able(engines: Sequence[Hears], *, detect: bool, vocabulary: bool) -> Sequence[Hears]:
    """Return the engines that support the options, if they are on. Raises `OptionNotAvailable`."""
    if detect:
        lack = f"cannot detect languages; name the language, or get a multilingual model: {PULL}."
        able = [engine for engine in engines if engine.detects_languages]
        engines = _unless_none(able, engines, "config.language_detection", lack)
    if vocabulary:
        lack = f"cannot use a vocabulary; omit it, or use the engine whisper, which needs a model: {PULL}."
        able = [engine for engine in engines if engine.takes_vocabulary]
        engines = _unless_none(able, engines, "config.vocabulary", lack)
    return engines


def _unless_none(able: Sequence[Hears], engines: Sequence[Hears], field: str, lack: str) -> Sequence[Hears]:
    """Return the engines that are able. If there are none, raise `OptionNotAvailable` with what all of them lack."""
    if not able:
        models = ", ".join(dict.fromkeys(f"{engine.name} with {engine.model}" for engine in engines))
        raise OptionNotAvailable(f"{field}: {models} {lack}", field=field)
    return able


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
    """Return this machine's engines for jobs that name no engine, best first; possibly none.

    Other installed models of these engines follow; they are not offered for new jobs.
    """
    try:
        offered = [rank_model(spec) for spec in find_engines(settings.engine, settings)]
    except EngineNotAvailable:
        return ()
    keys = {each.key for each in offered}
    installed = [rank_model(spec) for name in _names(offered) for spec in _find_all_if_possible(name, settings)]
    return (*offered, *(replace(each, is_offered=False) for each in installed if each.key not in keys))


def _find_all_if_possible(name: str, settings: Settings) -> list[EngineSpec]:
    """Return all installed models of an engine; none, with a line in the log, if it cannot list them."""
    try:
        return find_all_of(name, settings)
    except BatchscribeError as error:
        log.warning("engine.models_unknown", engine=name, reason=error.message)
        return []


def rank_model(spec: EngineSpec) -> Capability:
    return Capability.of(spec, next((engine.rank for engine in list_engines() if engine.name == spec.name), None))


def _names(engines: Sequence[Capability]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(each.name for each in engines))


def engines_of(settings: Settings) -> tuple[str, ...]:
    """Return the names of the engines in `capabilities`."""
    return _names(capabilities(settings))


def find_engines(name: str, settings: Settings) -> list[EngineSpec]:
    """Return the available engines with this name, best first, at least one. Raises `EngineNotAvailable`."""
    if name == "auto":
        return all_specs(settings)
    known = next((engine for engine in list_engines() if engine.name == name), None)
    if known is None:
        raise _unknown_engine(name)
    specs = find_specs(known, settings, is_named=True)
    if not specs:
        raise EngineNotAvailable(f"Engine {name} has no model; {known.advice}.")
    return specs


def find_exact(name: str, model: str, revision: str | None, settings: Settings) -> EngineSpec:
    """Return this model of an engine, even if the settings name another one. Raises `EngineNotAvailable`."""
    specs = find_all_of(name, settings)
    for spec in specs:
        if (spec.model, spec.revision) == (model, revision):
            return spec
    found = ", ".join(describe_model_at(spec.model, spec.revision) for spec in specs) or "no model"
    raise EngineNotAvailable(
        f"The job was accepted for engine {name} with {describe_model_at(model, revision)}, which is not installed "
        f"here; installed: {found}. Install that model again, or cancel the job and submit it again."
    )


def find_all_of(name: str, settings: Settings) -> list[EngineSpec]:
    """Return all installed models of an engine, also those that the settings exclude; possibly none.

    Raises `EngineNotAvailable`.
    """
    engine = next((engine for engine in list_engines() if engine.name == name), None)
    if engine is None:
        raise _unknown_engine(name)
    finders = [find for find in (engine.find_named or engine.find_models, engine.find_others) if find is not None]
    specs: list[EngineSpec] = []
    errors: list[EngineNotAvailable] = []
    for find in finders:
        try:
            specs += _list_specs(engine, find, settings)
        except EngineNotAvailable as error:  # for example, the configured model is missing
            errors.append(error)
    if len(errors) == len(finders):
        raise errors[0]
    return list(dict.fromkeys(specs))


def _unknown_engine(name: str) -> EngineNotAvailable:
    for problem in plugin_problems():
        if problem.engine == name:
            return EngineNotAvailable(problem.message)
    *names, last = ("auto", *(engine.name for engine in list_engines() if engine.is_automatic))
    return EngineNotAvailable(f"Engine {name!r} is not known; choose {', '.join(names)} or {last}.")


def all_specs(settings: Settings) -> list[EngineSpec]:
    """Return all installed models of all engines. A missing configured model is an error."""
    specs: list[EngineSpec] = []
    for engine in list_engines():
        if not engine.is_automatic:
            continue
        try:
            specs += find_specs(engine, settings, is_named=False)
        except BatchscribeError as error:
            if engine in BUILT_IN:
                raise
            log.warning("engine.models_unknown", engine=engine.name, reason=error.message)
    if not specs:
        raise EngineNotAvailable(f"No speech engine is installed; get one with {PULL}.")
    return specs


def find_specs(engine: EngineRecord, settings: Settings, *, is_named: bool) -> list[EngineSpec]:
    """Return the models of an engine, best first; possibly none.

    Raises `EngineNotAvailable` and `InvalidSetting`. Other errors of an engine from another package, and invalid
    specifications, become `EngineNotAvailable`.
    """
    return _list_specs(engine, engine.find_named or engine.find_models if is_named else engine.find_models, settings)


def _list_specs(engine: EngineRecord, find: FindSpecs, settings: Settings) -> list[EngineSpec]:
    """Call a function of an engine that lists models. Raises as `find_specs` does."""
    specs = _ask(engine, "list its models", lambda: list(find(settings)))
    for spec in () if engine in BUILT_IN else specs:
        if fault := find_fault(spec, engine.name):
            raise EngineNotAvailable(f"Engine {engine.name} describes a model incorrectly: {fault}.")
    return specs


def _ask(engine: EngineRecord, what: str, call: Callable[[], Answer]) -> Answer:
    """Call a function of an engine; `what` says what for. Errors of other packages become `EngineNotAvailable`."""
    try:
        return call()
    except BatchscribeError:
        raise
    except (Exception, SystemExit) as error:  # code of others may raise anything
        if engine in BUILT_IN:
            raise
        raise EngineNotAvailable(f"Engine {engine.name} cannot {what} ({describe(error)}).") from error


def warnings_of(spec: EngineSpec, language: str, *, wanted: str) -> tuple[str, ...]:
    """Return the warnings of the engine; none if an engine of another package cannot say them, which is logged."""
    engine = next((engine for engine in list_engines() if engine.name == spec.name), None)
    if engine is None:
        return ()
    try:
        return _ask(engine, "list its warnings", lambda: _check_warnings(engine.warn(language, wanted != "auto")))
    except EngineNotAvailable as error:
        log.warning("engine.warnings_unknown", engine=engine.name, reason=error.message)
        return ()


def _check_warnings(found: object) -> tuple[str, ...]:
    if not (isinstance(found, tuple) and all(isinstance(each, str) for each in found)):
        raise TypeError("warn does not return a tuple of str")
    return found


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
