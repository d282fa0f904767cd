"""A test of which layers work on this machine, in a child process."""

from __future__ import annotations

import json
from multiprocessing import get_context
from multiprocessing.connection import Connection

from batchscribe.children.child import Child
from batchscribe.children.layers import ALL_LAYERS, Layer, Needs, measure
from batchscribe.children.start import begin_child, start_child

#: Seconds. On a busy machine, the fork server may have to start first.
ANSWER_SEC = 60.0


def measure_layers(needs: Needs, layers: frozenset[Layer] = ALL_LAYERS) -> dict[Layer, bool]:
    """Return for each layer whether it works, in a child that applies `layers`.

    Raises `OSError` if the child cannot be started or does not answer.
    """
    context = get_context("forkserver")
    ours, theirs = context.Pipe()
    process = context.Process(target=_measure, args=(theirs, needs, layers), name="measurement", daemon=True)
    with ours:
        with theirs:
            start_child(process)
        child = Child(process)
        try:
            if not ours.poll(ANSWER_SEC):
                raise TimeoutError("the child that tests its confinement does not answer")
            held = json.loads(ours.recv_bytes())
        except EOFError as error:
            raise ConnectionError("the child that tests its confinement died") from error
        finally:
            child.end()
    return {layer: held[layer] for layer in Layer}


def _measure(connection: Connection, needs: Needs, layers: frozenset[Layer]) -> None:
    begin_child()
    connection.send_bytes(json.dumps(measure(needs, layers)).encode())
