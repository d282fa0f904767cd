"""Child processes that report their state while they load, before they are confined."""

from __future__ import annotations

import signal
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_info

from batchscribe.audio import decoder_child
from batchscribe.children.framing import send
from batchscribe.children.pipe import Pipe
from batchscribe.speakers import speaker_child


def load_speakers(connection: Connection) -> None:
    """Run a speaker process up to the point where it reads its models."""
    vars(speaker_child)["read_speaker_models"] = lambda _folder: _report(connection)
    speaker_child.serve(connection, Path(), 2, 2**30)


def load_decoder(connection: Connection) -> None:
    """Run a decoder process up to its rehearsal."""
    vars(decoder_child)["rehearse"] = lambda: _report(connection)
    decoder_child.serve(connection, 2**30)


def _report(connection: Connection) -> None:
    np.ones((2, 2)) @ np.ones((2, 2))
    ignores = signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    blas = [each["num_threads"] for each in threadpool_info() if each["user_api"] == "blas"]
    send(Pipe(connection), {"ignores_interrupt": ignores, "blas_threads": blas})
    raise SystemExit
