"""What an engine process inherits, and that it never outlives its parent."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil

ENDS_SEC = 60.0  #: on a busy machine

PROGRAM = """
import sys
from pathlib import Path
import numpy as np
from batchscribe.speech.engine import RecognitionRequest
from batchscribe.speech.pool import EnginePool
from batchscribe.speech.scripted import Script, ScriptedSpec
from batchscribe.window import Window

if __name__ == "__main__":
    script = Script(cpu_per_audio_sec=3600.0) if sys.argv[1] == "busy" else Script()
    pool = EnginePool(ScriptedSpec(script=script), processes=1)
    future = pool.submit(RecognitionRequest(Window(0, 0.0, np.ones(16_000, np.float32)), "en-US"))
    if sys.argv[1] == "idle":
        future.result()
    Path(sys.argv[2]).touch()
    import time
    time.sleep(60)
"""


def start(tmp_path: Path, mode: str, **environment: str) -> tuple[subprocess.Popen[bytes], psutil.Process]:
    """Start a parent program with one engine process, which works in the mode `busy` and waits in `idle`."""
    program, mark = tmp_path / "program.py", tmp_path / "mark"
    program.write_text(PROGRAM)
    parent = subprocess.Popen([sys.executable, program, mode, mark], env={**os.environ, **environment})
    while not mark.exists() or not (engines := engines_of(parent.pid)):
        time.sleep(0.02)
    time.sleep(0.5)  # so that the engine is in the middle of its call
    return parent, engines[0]


def engines_of(pid: int) -> list[psutil.Process]:
    return [engine for server in psutil.Process(pid).children() for engine in server.children()]


def kill(parent: subprocess.Popen[bytes]) -> None:
    parent.send_signal(signal.SIGKILL)
    parent.wait()


def test_a_busy_engine_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    """It works without reading its connection, as pocketsphinx does for seconds."""
    parent, engine = start(tmp_path, "busy")
    server = engine.parent()
    kill(parent)
    engine.wait(timeout=ENDS_SEC)
    assert server is not None
    server.wait(timeout=ENDS_SEC)


def test_an_idle_engine_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    parent, engine = start(tmp_path, "idle")
    kill(parent)
    engine.wait(timeout=ENDS_SEC)
