"""The layers of a child's confinement. Some kernels do not support all layers.

`measure` tests whether each layer works: it applies them one by one, and after each tries an operation that no other
layer forbids.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from batchscribe.children.landlock import close_files
from batchscribe.children.privileges import drop_privileges, leave_namespaces
from batchscribe.children.seccomp import allow_computing, forbid_harm


class Layer(StrEnum):
    """The layers in the order in which they are applied."""

    NAMESPACES = "namespaces"  #: no network
    PRIVILEGES = "privileges"  #: no capabilities, no higher limits, no set-uid programs
    LANDLOCK = "landlock"  #: only named files, and no access to the memory of other processes
    SECCOMP = "seccomp"  #: no programs, no processes, no sockets


ALL_LAYERS = frozenset(Layer)


@dataclass(frozen=True, slots=True)
class Needs:
    """What a confined child may use, besides computing and its open pipe."""

    reads: tuple[Path, ...] = ()
    writes: tuple[Path, ...] = ()
    devices: tuple[Path, ...] = ()
    is_program: bool = False  #: opens files at run time: forbids only harmful calls, instead of all but a few
    local_sockets: bool = False


NOTHING = Needs()


def take_on(needs: Needs, layers: frozenset[Layer] = ALL_LAYERS) -> None:
    """Apply the layers permanently. Unsupported layers are skipped; `batchscribe doctor` lists them."""
    for layer in Layer:
        if layer in layers:
            _take_on(layer, needs)


def measure(needs: Needs, layers: frozenset[Layer] = ALL_LAYERS) -> dict[Layer, bool]:
    """Apply the layers and return whether each one works. Call it in a child that does nothing else."""
    held: dict[Layer, bool] = {}
    for layer in Layer:
        if layer in layers:
            _take_on(layer, needs)
        held[layer] = not _WAYS[layer]()
    return held


def _take_on(layer: Layer, needs: Needs) -> None:
    match layer:
        case Layer.NAMESPACES:
            leave_namespaces()
        case Layer.PRIVILEGES:
            drop_privileges()
        case Layer.LANDLOCK:
            close_files(readable=needs.reads, writable=needs.writes, devices=needs.devices)
        case Layer.SECCOMP if needs.is_program:
            forbid_harm(writes=bool(needs.writes or needs.devices), local_sockets=needs.local_sockets)
        case Layer.SECCOMP:
            allow_computing()


def _can_reach_network() -> bool:
    """Try the network without sending a packet: connecting a UDP socket only looks up the route."""
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as opened:
            opened.connect(("127.0.0.1", 9))
    except OSError:
        return False
    return True


def _has_privileges() -> bool:
    """Return whether the process has privileges or can gain some."""
    status = dict(line.split(":\t", 1) for line in Path("/proc/self/status").read_text().splitlines() if ":\t" in line)
    return int(status["CapEff"], 16) != 0 or status["NoNewPrivs"] != "1"


def _can_list_files() -> bool:
    try:
        list(Path("/").iterdir())
    except OSError:
        return False
    return True


def _can_open_sockets() -> bool:
    try:
        socket.socket(socket.AF_INET, socket.SOCK_STREAM).close()
    except OSError:
        return False
    return True


#: For each layer, a test of an operation that only this layer forbids.
_WAYS: Mapping[Layer, Callable[[], bool]] = {
    Layer.NAMESPACES: _can_reach_network,
    Layer.PRIVILEGES: _has_privileges,
    Layer.LANDLOCK: _can_list_files,
    Layer.SECCOMP: _can_open_sockets,
}
