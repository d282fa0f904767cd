"""The `batchscribe` command with the engine of the ledger. It dies at a step of the flow if ordered to.

Usage: python -m tests.chaos.victim COMMAND... with CHAOS_LEDGER, CHAOS_ORDERS and CHAOS_MACHINE set. Only what
`main` wraps differs from the real command. It has no heavy imports, because each engine and decoder imports the main
module again.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from batchscribe.speech.engine import RecognitionRequest
    from batchscribe.speech.engine_process import EngineProcess
    from batchscribe.window import Recognition


def main() -> None:
    from batchscribe.cli.app import main as run
    from tests.chaos.engine import spec_at_hand
    from tests.chaos.ledger import Ledger
    from tests.chaos.machine import Machine
    from tests.chaos.orders import Orders
    from tests.chaos.steps import STEPS
    from tests.replaced_engine import replace_scripted

    ledger = Ledger(Path(os.environ["CHAOS_LEDGER"]))
    orders = Orders(Path(os.environ["CHAOS_ORDERS"]))
    replace_scripted(partial(spec_at_hand, ledger.path, Machine.here()))
    if deadly := os.environ.get("CHAOS_DEADLY"):
        die_of(int(deadly))
    for step in STEPS:
        step.watch(partial(orders.obey, step.name, ledger))
    run()


def die_of(number: int) -> None:
    """Make this process die when an engine gets the call of this number. An engine cannot kill it itself."""
    from batchscribe.speech import engine_process
    from tests.chaos.calls import number_in

    transcribe = engine_process.EngineProcess.transcribe

    def dying(self: EngineProcess, requests: Sequence[RecognitionRequest], **options: Any) -> list[Recognition]:
        if number in {number_in(request.window.samples) for request in requests}:
            os.kill(os.getpid(), signal.SIGKILL)
        return transcribe(self, requests, **options)

    vars(engine_process)["EngineProcess"].transcribe = dying


if __name__ == "__main__":
    main()
