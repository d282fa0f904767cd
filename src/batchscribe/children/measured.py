"""Which layers hold on this machine: a child takes them on and tries what they forbid."""

from __future__ import annotations

import json
from multiprocessing import get_context
from multiprocessing.connection import Connection

from batchscribe.children.layers import ALL_LAYERS, Layer, Needs, measure
from batchscribe.children.start import begin_child, start_child

#: Seconds. The fork server may have to start first, on a busy machine.
ANSWER_SEC = 60.0


def measured_layers(needs: Needs, layers: frozenset[Layer] = ALL_LAYERS) -> dict[Layer, bool]:
    """Each layer, and whether it holds; `layers` are those that the child takes on.

    Raises `OSError` when no process can be started, or gives no answer.
    """
    context = get_context("forkserver")
    ours, theirs = context.Pipe()
    process = context.Process(target=_measure, args=(theirs, needs, layers), name="measurement", daemon=True)
    with ours:
        with theirs:
            start_child(process)
        try:
            if not ours.poll(ANSWER_SEC):
                raise TimeoutError("the child that tries its confinement gives no answer")
            held = json.loads(ours.recv_bytes())
        except EOFError as error:
            raise ConnectionError("the child that tries its confinement died") from error
        finally:
            process.kill()
            process.join()
            process.close()
    return {layer: held[layer] for layer in Layer}


def _measure(connection: Connection, needs: Needs, layers: frozenset[Layer]) -> None:
    begin_child()
    connection.send_bytes(json.dumps(measure(needs, layers)).encode())
