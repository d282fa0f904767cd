"""Coverage is not measured in processes that cannot save their figures: decoders and engines, which are confined.

They are children of a fork server, which starts without the variables of coverage. Measuring them anyway made
decoding cost a quarter more CPU time.
"""

from __future__ import annotations

import os
from multiprocessing import forkserver


def leave_out_fork_servers() -> None:
    """Start the fork servers of this process without the variables of coverage."""
    start = forkserver.ForkServer.ensure_running

    def ensure_running(server: forkserver.ForkServer) -> None:
        left_out = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith("COVERAGE_")}
        try:
            start(server)
        finally:
            os.environ.update(left_out)

    setattr(forkserver.ForkServer, "ensure_running", ensure_running)  # noqa: B010 (mypy refuses an assignment)


def untraced_environment() -> dict[str, str]:
    """Return the environment without the variables of coverage, for processes that a test kills."""
    return {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
