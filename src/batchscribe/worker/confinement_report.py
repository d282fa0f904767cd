"""Report on the confinement of child processes: measured once at the start, logged and exported as a metric."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from functools import partial
from multiprocessing import get_context

import structlog

from batchscribe.audio.decoder_process import CHILD
from batchscribe.children.layer_measurement import measure_layers
from batchscribe.children.layers import NOTHING, Layer, Needs
from batchscribe.errors import EngineNotAvailable, InvalidSetting
from batchscribe.metrics import CONFINEMENT
from batchscribe.settings import Settings
from batchscribe.speech.engine_confinement import needs_of
from batchscribe.speech.registry import find_engines
from batchscribe.speech.scripted import ScriptedSpec

log = structlog.get_logger()

MEASUREMENT = "batchscribe.children.layer_measurement"
#: Without these, a child can do harm; the other layers are additional protection.
ESSENTIAL = frozenset({Layer.LANDLOCK, Layer.SECCOMP})
#: What to do if a layer is missing.
ADVICE: Mapping[Layer, str] = {
    Layer.NAMESPACES: "Allow user namespaces (sysctl user.max_user_namespaces, or the container's seccomp profile).",
    Layer.PRIVILEGES: "Allow prctl and capset in the container's seccomp profile.",
    Layer.LANDLOCK: "Use Linux 5.13 or later with landlock in its list of security modules (boot parameter lsm=).",
    Layer.SECCOMP: "Install libseccomp: `apt-get install libseccomp2`.",
}


def measure_children(settings: Settings, preload: str = MEASUREMENT) -> dict[str, dict[Layer, bool]]:
    """Measure which layers confine a decoder and the best available engine. Raises `OSError` if no process starts.

    `preload` is the module that the fork server loads, if this call starts the fork server.
    """
    get_context("forkserver").set_forkserver_preload([preload])
    needs = {"decoder": NOTHING, "engine": _needs_of_engine(settings)}
    return {child: measure_layers(each) for child, each in needs.items()}


def start_confinement_report(settings: Settings, *, only_trouble: bool = False) -> threading.Thread:
    """Measure in a separate thread, so nothing waits for it. With `only_trouble`, log only missing layers."""
    tell = partial(_report, settings, only_trouble=only_trouble)
    thread = threading.Thread(target=tell, name="confinement", daemon=True)
    thread.start()
    return thread


def missing_layers(held: Mapping[Layer, bool]) -> list[Layer]:
    return [layer for layer in Layer if not held[layer]]


def _report(settings: Settings, *, only_trouble: bool) -> None:
    try:
        measured = measure_children(settings, CHILD)
    except OSError as error:
        log.warning("children.not_measured", error=str(error))
        return
    for child, held in measured.items():
        for layer, holds in held.items():
            CONFINEMENT.labels(child, layer).set(holds)
    missing = {child: ", ".join(missing_layers(held)) or "none" for child, held in measured.items()}
    if any(ESSENTIAL & set(missing_layers(held)) for held in measured.values()):
        log.warning("children.not_confined", missing=missing, see="batchscribe doctor")
    elif not only_trouble:
        log.info("children.confined", missing=missing)


def _needs_of_engine(settings: Settings) -> Needs:
    """Return the needs of the best engine. If none is available, those of an engine that reads no model."""
    try:
        return needs_of(find_engines(settings.engine, settings)[0])
    except (EngineNotAvailable, InvalidSetting):
        return needs_of(ScriptedSpec())
