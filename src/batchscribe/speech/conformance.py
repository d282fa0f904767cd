"""Checks whether an engine follows the rules of `docs/engines.md`. For authors of engines.

`python -m batchscribe.speech.conformance NAME` checks the models of an installed engine. In a test,
`assert_conforms(spec)` checks one model.
"""

from __future__ import annotations

import argparse
import json
import pickle
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from itertools import cycle, islice, pairwise

from batchscribe.check import Check, CheckResult, ok, report_failure, report_skip, warning
from batchscribe.errors import BatchscribeError, EngineError, MachineTrouble, UnsupportedLanguage
from batchscribe.settings import load_settings
from batchscribe.speech.conformance_memory import run_short_of_memory
from batchscribe.speech.conformance_vocabulary import find_vocabulary_fault, with_vocabularies
from batchscribe.speech.conformance_windows import NAMES, make_requests, silent_requests
from batchscribe.speech.engine import (
    PATIENCE,
    WINDOW_SEC,
    Engine,
    EngineSpec,
    LanguageChoice,
    PreparingEngine,
    RecognitionRequest,
)
from batchscribe.speech.engine_child import describe
from batchscribe.speech.engine_process import EngineProcess
from batchscribe.speech.engine_replies import InvalidEngineReply, validate_recognitions
from batchscribe.speech.languages import canonical_language
from batchscribe.speech.registry import find_all_of
from batchscribe.speech.spec_fault import find_fault
from batchscribe.speech.trial import EngineTrial
from batchscribe.window import Recognition

#: Seconds without CPU use, and CPU seconds, for a call in the process of the engine.
CALL_SEC = 600.0
#: Times of words may exceed the window by this, for rounding.
ROUNDING_SEC = 1e-3
#: The most languages that are tried.
LANGUAGES_TRIED = 5

ADVICE = "See docs/engines.md."


class Broken(Exception):
    """A rule is broken. The message is a sentence."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A loaded engine, with one request for each of `NAMES` and its result for each alone."""

    spec: EngineSpec
    engine: Engine
    requests: Sequence[RecognitionRequest]
    alone: Sequence[Recognition]

    @property
    def longest(self) -> RecognitionRequest:
        return max(self.requests, key=lambda request: request.window.duration_sec)


def check_engine(spec: EngineSpec, longest_sec: float = WINDOW_SEC) -> Iterator[Check]:
    """Check a model. If it cannot be loaded, or fails for a single window, the other checks are skipped.

    `longest_sec` limits the length of windows, which saves time with a slow engine.
    """
    requests = make_requests(spec, longest_sec)
    first: dict[str, Callable[[EngineSpec], Check | str]] = {
        "specification": check_spec,
        "process": check_process,
        "results": partial(check_results, requests),
    }
    for name, check in first.items():
        result = _run(name, partial(check, spec))
        yield result
        if result.verdict is CheckResult.FAILED:
            yield report_skip("other checks", "They need an engine that passes this check.")
            return
    subject = examine(spec, requests)
    for name, rule in RULES.items():
        yield _run(name, partial(rule, subject))


def examine(spec: EngineSpec, requests: Sequence[RecognitionRequest]) -> Subject:
    """Load a model, and transcribe each window alone."""
    engine = spec.build()
    return Subject(spec, engine, requests, [engine.transcribe([request])[0] for request in requests])


def assert_conforms(spec: EngineSpec, longest_sec: float = WINDOW_SEC) -> None:
    """Raise `AssertionError` with all broken rules. `longest_sec` as in `check_engine`."""
    failed = [each for each in check_engine(spec, longest_sec) if each.verdict is CheckResult.FAILED]
    broken = [f"{each.name}: {each.finding}" for each in failed]
    assert not broken, "\n".join(broken)  # noqa: S101 - for tests


def _run(name: str, check: Callable[[], Check | str]) -> Check:
    """Return the result of a check, which returns a sentence or raises. An error of the engine is a broken rule."""
    try:
        found = check()
    except (Broken, InvalidEngineReply) as error:
        return report_failure(name, str(error), ADVICE)
    except Exception as error:  # noqa: BLE001 - code of others may raise anything
        return report_failure(name, f"It raised an error ({describe(error)}).", ADVICE)
    return found if isinstance(found, Check) else ok(name, found)


def check_spec(spec: EngineSpec) -> str:
    if fault := find_fault(spec, spec.name):
        raise Broken(f"The specification is invalid: {fault}.")
    again = pickle.loads(pickle.dumps(spec))  # noqa: S301 - what this process has pickled
    if again != spec or hash(again) != hash(spec):
        raise Broken("A pickled copy of the specification is not equal to it; make it a frozen dataclass.")
    missing = [str(path) for path in (*spec.reads(), *spec.writes()) if not path.exists()]
    if missing:
        raise Broken(f"reads() or writes() names {missing[0]}, which does not exist.")
    return f"{spec.model}: {len(spec.languages)} languages, batches of {spec.batch_size}, on {spec.device}."


def check_process(spec: EngineSpec) -> str:
    """Load the model in its confined process, and run the trial of a worker."""
    process = EngineProcess(of_one_device(spec))
    try:
        EngineTrial().load_and_run(process, spec)
    except MachineTrouble as error:
        sentence = f"It fails in its confined process: {error.message} Files that it opens must be in reads()."
        raise Broken(sentence) from error
    finally:
        process.end()
    return "It works in its confined process."


def of_one_device(spec: EngineSpec) -> EngineSpec:
    return spec.on(spec.devices[0]) if spec.devices else spec


def check_results(requests: Sequence[RecognitionRequest], spec: EngineSpec) -> str:
    """Check text, words and times of windows of all kinds, one by one."""
    engine = spec.build()
    for name, request in zip(NAMES, requests, strict=True):
        found = engine.transcribe([request])
        validated(found, [request])
        if fault := find_times_fault(found[0], request.window.duration_sec):
            raise Broken(f"{name}: {fault}")
    return f"Text, words and times are valid for {', '.join(NAMES)}."


def validated(found: Sequence[Recognition], requests: Sequence[RecognitionRequest]) -> list[Recognition]:
    """Return the recognitions as the parent process gets them. Raises `InvalidEngineReply`."""
    sent = json.loads(json.dumps([asdict(each) for each in found], default=float))
    return validate_recognitions(sent, [request.window for request in requests])


def find_times_fault(found: Recognition, duration_sec: float) -> str | None:
    """Return why times are invalid: outside the window, backwards or overlapping."""
    words = [word for phrase in found.phrases for word in phrase.words]
    spans = [(word.start_sec, word.end_sec) for word in words]
    for start_sec, end_sec in (*spans, *((phrase.start_sec, phrase.end_sec) for phrase in found.phrases)):
        if not 0 <= start_sec <= end_sec <= duration_sec + ROUNDING_SEC:
            return f"{start_sec:.3f} to {end_sec:.3f} s is not inside the window of {duration_sec:.3f} s."
    for (_, end_sec), (start_sec, _) in pairwise(spans):
        if start_sec < end_sec - ROUNDING_SEC:
            return f"A word begins at {start_sec:.3f} s, before the end of the one before it, {end_sec:.3f} s."
    if any(not word.text.strip() for word in words):
        return "A word has no text."
    if any(word.confidence is not None and not 0 <= word.confidence <= 1 for word in words):
        return "A confidence is not between 0 and 1."
    return None


def check_confined(subject: Subject) -> str:
    """Compare each window with the same one in the confined process."""
    process = EngineProcess(of_one_device(subject.spec))
    try:
        process.load()
        for request, alone in zip(subject.requests, subject.alone, strict=True):
            found = process.transcribe([request], idle_sec=CALL_SEC, cpu_sec=CALL_SEC)
            if found != validated([alone], [request]):
                raise Broken("In its confined process it returns a different result than outside.")
    except EngineError as error:
        raise Broken(f"It fails in its confined process: {error.reason or error.message}") from error
    finally:
        process.end()
    return "Its results are the same in its confined process."


def check_silence(subject: Subject) -> Check:
    name = "silence"
    for request in silent_requests(subject.spec):
        [found] = subject.engine.transcribe([request])
        if found.text:
            return warning(name, f"It recognizes {found.text[:40]!r} in digital silence.", "Return no phrases for it.")
    return ok(name, "It recognizes no text in digital silence.")


def check_repeated(subject: Subject) -> str:
    again = [subject.engine.transcribe([request])[0] for request in reversed(subject.requests)]
    if again[::-1] != subject.alone:
        raise Broken("The result of a window depends on the windows before it.")
    if examine(subject.spec, subject.requests).alone != subject.alone:
        raise Broken("Another engine with the same specification returns different results.")
    return "The same window always gives the same result."


def check_batches(subject: Subject) -> str:
    """Compare windows in batches of several sizes and orders with the same windows alone."""
    engine, size = subject.engine, subject.spec.batch_size
    pairs = list(islice(cycle(zip(subject.requests, subject.alone, strict=True)), max(size, len(subject.requests))))
    for batch_size, step in ((size, 1), (size, -1), (min(3, size), 1)):
        ordered = pairs[::step]
        for at in range(0, len(ordered), batch_size):
            requests, alone = zip(*ordered[at : at + batch_size], strict=True)
            if engine.transcribe(requests) != list(alone):
                raise Broken(
                    f"In batches of {batch_size}, results differ from those of single windows, or are in another order."
                )
    if isinstance(engine, PreparingEngine):
        first = subject.requests[:size]
        if engine.transcribe_prepared(engine.prepare(first)) != list(subject.alone[:size]):
            raise Broken("transcribe_prepared() of what prepare() returns differs from transcribe().")
    if engine.transcribe([]):
        raise Broken("It returns results for no windows.")
    return f"Results do not depend on the batch, up to {size} windows."


def check_languages(subject: Subject) -> str:
    spec, engine = subject.spec, subject.engine
    tried = spec.languages[:LANGUAGES_TRIED]
    for tag in tried:
        request = replace(subject.longest, language=canonical_language(tag))
        validated(engine.transcribe([request]), [request])
    if not spec.detects_languages:
        return f"It accepts {', '.join(tried)}."
    for detection in (LanguageChoice.REPORT, LanguageChoice.CHOOSE):
        [found] = engine.transcribe([replace(subject.longest, detection=detection)])
        shares = [share for _, share in found.detected]
        if not shares or shares != sorted(shares, reverse=True):
            raise Broken("It does not report the most probable languages in descending order.")
        if (found.language is None) is (detection is LanguageChoice.CHOOSE):
            raise Broken("It must set `language` if it is asked to choose the language, and only then.")
        for tag in (*(tag for tag, _ in found.detected), *filter(None, [found.language])):
            _check_detected(tag)
    return f"It accepts {', '.join(tried)}, and detects languages."


def check_vocabulary(subject: Subject) -> Check | str:
    spec, engine = subject.spec, subject.engine
    if not spec.takes_vocabulary:
        return report_skip("vocabulary", "It takes no vocabulary.")
    for request in with_vocabularies(subject.requests):
        found = engine.transcribe([request])
        validated(found, [request])
        if fault := find_times_fault(found[0], request.window.duration_sec):
            raise Broken(f"With a vocabulary: {fault}")
    if fault := find_vocabulary_fault(engine, subject.requests, subject.alone, spec.batch_size):
        raise Broken(fault)
    return "It takes a vocabulary, and no result depends on the vocabularies of other windows."


def _check_detected(tag: str) -> None:
    try:
        canonical_language(tag)
    except UnsupportedLanguage as error:
        raise Broken(f"It detects a language with an unknown tag: {error.message}") from error


def check_speed(subject: Subject) -> Check:
    name, spec = "speed", subject.spec
    began_at = time.process_time()
    subject.engine.transcribe([subject.longest])
    used_sec = max(time.process_time() - began_at, 1e-6)
    measured = subject.longest.window.duration_sec / used_sec
    found = f"{measured:.1f} seconds of audio per CPU second; the specification says {spec.speed:.1f}."
    if measured < spec.speed / PATIENCE and not spec.is_on_gpu:
        return warning(name, found, "Lower `speed`: a call that takes ten times as long as expected counts as hung.")
    return ok(name, found)


def check_memory(subject: Subject) -> Check:
    name, spec = "memory", subject.spec
    if spec.is_on_gpu:
        return report_skip(name, "This is only checked on a CPU.")
    outcome = run_short_of_memory(spec, [subject.longest] * spec.batch_size)
    if outcome.is_recognized:
        return ok(name, "If memory runs out, it raises an error that is recognized; then its batches are halved.")
    if outcome.is_done:
        return report_skip(name, "It needs too little memory for this check.")
    advice = "Raise MemoryError, or an error whose message contains `out of memory`."
    return warning(name, f"If memory runs out, its error is not recognized. {outcome.reason}", advice)


Rule = Callable[[Subject], Check | str]
#: In the order in which they are checked.
RULES: dict[str, Rule] = {
    "silence": check_silence,
    "repeated windows": check_repeated,
    "batches": check_batches,
    "confined results": check_confined,
    "languages": check_languages,
    "vocabulary": check_vocabulary,
    "speed": check_speed,
    "memory": check_memory,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Check the models of an engine, print the results, and return the exit status: 1 if a rule is broken."""
    parser = argparse.ArgumentParser(prog="python -m batchscribe.speech.conformance", description=__doc__)
    parser.add_argument("name", help="name of an installed engine")
    parser.add_argument("--model", help="name of a model; by default all installed ones")
    options = parser.parse_args(arguments)
    try:
        specs = [spec for spec in find_all_of(options.name, load_settings()) if options.model in (None, spec.model)]
    except BatchscribeError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    if not specs:
        missing = "model" if options.model is None else f"model {options.model!r}"
        sys.stderr.write(f"Engine {options.name} has no {missing}; `batchscribe doctor` lists what is installed.\n")
        return 2
    is_broken = False
    for spec in specs:
        sys.stdout.write(f"{spec.name} with {spec.model} on {spec.device}\n")
        for check in check_engine(spec):
            is_broken |= check.verdict is CheckResult.FAILED
            sys.stdout.write(f"  {check.verdict:<8} {check.name}: {check.finding} {check.advice}".rstrip() + "\n")
    return int(is_broken)


if __name__ == "__main__":
    raise SystemExit(main())
