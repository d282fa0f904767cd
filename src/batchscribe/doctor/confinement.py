"""Check of the confinement of decoders and engines, which a hostile recording might compromise."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from batchscribe.children.layers import Layer
from batchscribe.doctor.check import Check, ok, skipped, warning
from batchscribe.settings import Settings
from batchscribe.work.confinement import ADVICE, ESSENTIAL, measure_children, missing_layers

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
        yield skipped("confinement", f"No process could be started to test it ({error}).")
        return
    for child, held in measured.items():
        yield judged(child, held)


def judged(child: str, held: Mapping[Layer, bool]) -> Check:
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
