"""Checks of the decoder, the engine and the confinement of their processes."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping

from batchscribe.audio.decode_limits import DecodeLimits
from batchscribe.audio.decoder import DecoderPool
from batchscribe.check import Check, ok, report_failure, report_skip, warning
from batchscribe.children.layers import Layer
from batchscribe.errors import EngineNotAvailable, InvalidSetting, MachineTrouble
from batchscribe.settings import Settings
from batchscribe.speech.engine import EngineSpec
from batchscribe.speech.engine_record import PULL
from batchscribe.speech.pool import EnginePool
from batchscribe.speech.registry import find_engines, plugin_problems, warnings_of
from batchscribe.worker.capacity import Capacity, capacity_of, speaker_processes
from batchscribe.worker.confinement_report import ADVICE, ESSENTIAL, measure_children, missing_layers
from batchscribe.worker.headroom import check_headroom

DECODER_CHECK = "decoder"


def check_decoder(settings: Settings | None) -> Check:
    """Check the process's limits, and decode a tiny recording in a decoder process, as a worker does when it starts."""
    limits = DecodeLimits() if settings is None else DecodeLimits.from_settings(settings)
    began_at = time.monotonic()
    try:
        if settings:
            check_headroom(capacity_of(settings), speaker_processes())
        else:
            check_headroom(Capacity(shards=1, files=1, decoders=1))
        with DecoderPool(1, limits) as pool:
            pool.try_out()
    except MachineTrouble as trouble:
        return report_failure(
            DECODER_CHECK,
            trouble.message,
            "Check the limits with `ulimit -a`, the disks with `df` and the memory with `free`.",
        )
    return ok(DECODER_CHECK, f"It decoded a trial recording in {time.monotonic() - began_at:.2f} s.")


NAME = "engine"
PULL_ADVICE = (
    f"Get a model with {PULL}; BATCHSCRIBE_ENGINE, BATCHSCRIBE_WHISPER_MODEL and BATCHSCRIBE_ONNX_MODEL select which "
    "one is used."
)


def check_engines(settings: Settings, *, load: bool) -> Iterator[Check]:
    """Check which engines are installed. With `load`, also run a trial of the best one, on each GPU if it uses them."""
    for plugin in plugin_problems():
        yield report_failure(
            f"engine {plugin.engine}", plugin.message, f"Upgrade or uninstall the package {plugin.package}."
        )
    try:
        engines = find_engines(settings.engine, settings)
    except (EngineNotAvailable, InvalidSetting) as error:
        yield report_failure(NAME, error.message, PULL_ADVICE)
        return
    yield check_installed(engines)
    if load:
        best = engines[0]
        yield from map(check_loading, [best.on(device) for device in best.devices] or [best])


def check_installed(engines: list[EngineSpec]) -> Check:
    found = f"Installed: {', '.join(f'{each.name} with {each.model} on {each.device}' for each in engines)}."
    if all(warnings_of(each, each.languages[0], wanted="auto") for each in engines):
        return warning(NAME, f"{found} There is no model with good accuracy.", PULL_ADVICE)
    return ok(NAME, found)


def check_loading(engine: EngineSpec) -> Check:
    """Start the engine in its own process, as a worker does."""
    name = f"engine {engine.name} on {engine.device}" if engine.is_on_gpu else f"engine {engine.name}"
    began_at = time.monotonic()
    try:
        with EnginePool(engine, 1) as pool:
            pool.try_out()
    except MachineTrouble as error:
        return report_failure(name, error.message, PULL_ADVICE)
    return ok(
        name,
        f"It loaded {engine.model} on {engine.device} and transcribed a trial recording "
        f"in {time.monotonic() - began_at:.2f} s.",
    )


#: What a child can do if a layer is missing and the others work.
LEFT_OPEN: Mapping[str, Mapping[Layer, str]] = {
    "decoder": {
        Layer.LANDLOCK: "only the seccomp filter blocks its access to files",
        Layer.SECCOMP: "it can start processes and use sockets of this machine",
    },
    "engine": {
        Layer.LANDLOCK: "it can read every file that this user can read",
        Layer.SECCOMP: "it can start processes and use sockets of this machine",
    },
}


def check_confinement(settings: Settings) -> Iterator[Check]:
    """Start a child of each kind, which applies all layers and tries what they forbid."""
    try:
        measured = measure_children(settings)
    except OSError as error:
        yield report_skip("confinement", f"No process could be started to test it ({error}).")
        return
    for child, held in measured.items():
        yield judge_confinement(child, held)


def judge_confinement(child: str, held: Mapping[Layer, bool]) -> Check:
    name = f"confinement of the {child}"
    missing = missing_layers(held)
    found = f"These layers work: {', '.join(layer for layer in Layer if held[layer]) or 'none'}."
    if not missing:
        return ok(name, found)
    found += f" Missing: {', '.join(missing)}."
    essential = [layer for layer in missing if layer in ESSENTIAL]
    if not essential:
        return ok(name, f"{found} The other layers provide the same protection.")
    left_open = "; ".join(LEFT_OPEN[child][layer] for layer in essential)
    return warning(
        name, f"{found} If a recording compromises it, {left_open}.", " ".join(ADVICE[layer] for layer in missing)
    )
