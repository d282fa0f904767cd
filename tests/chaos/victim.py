"""The `batchscribe` command with the ledger's engine in it, which dies at a step of the flow when it is ordered to.

Usage: python -m tests.chaos.victim COMMAND... with CHAOS_LEDGER and CHAOS_ORDERS set. Nothing but what `main` wraps
differs from the command of users. Kept free of heavy imports: each engine and decoder imports the main module again.
"""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path


def main() -> None:
    from batchscribe.cli.app import main as run
    from batchscribe.speech import registry
    from tests.chaos.engine import ChaosSpec
    from tests.chaos.ledger import Ledger
    from tests.chaos.orders import Orders
    from tests.chaos.steps import STEPS

    ledger = Ledger(Path(os.environ["CHAOS_LEDGER"]))
    orders = Orders(Path(os.environ["CHAOS_ORDERS"]))
    deadly = os.environ.get("CHAOS_DEADLY")
    spec = partial(ChaosSpec, ledger=ledger.path, deadly=int(deadly) if deadly else None)
    vars(registry)["ScriptedSpec"] = spec
    for step in STEPS:
        step.watch(partial(orders.obey, step.name, ledger))
    run()


if __name__ == "__main__":
    main()
