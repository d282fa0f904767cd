"""Two working processes never share a data directory, and a killed one leaves no lock behind."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from batchscribe.errors import DataDirectoryBusy
from batchscribe.worker.data_directory import LOCK_NAME, UNKNOWN_HOLDER, lock_data_directory, read_lock_holder

HOLD = """
import sys, time
from pathlib import Path
from batchscribe.worker.data_directory import lock_data_directory
with lock_data_directory(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_second_worker_learns_which_process_is_first_and_what_to_do(tmp_path: Path) -> None:
    with (
        lock_data_directory(tmp_path),
        pytest.raises(DataDirectoryBusy, match=rf"process \({os.getpid()}\).*--data-dir"),
        lock_data_directory(tmp_path),
    ):
        pass


def test_the_lock_ends_with_the_work(tmp_path: Path) -> None:
    for _ in range(2):
        with lock_data_directory(tmp_path / "made"):
            pass


def test_a_killed_process_holds_nothing(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(DataDirectoryBusy), lock_data_directory(tmp_path):
            pass
        holder.kill()
    with lock_data_directory(tmp_path):
        pass


def test_the_holder_is_known_without_disturbing_it(tmp_path: Path) -> None:
    assert read_lock_holder(tmp_path / "missing") is None
    assert not (tmp_path / "missing").exists()
    with lock_data_directory(tmp_path):
        assert read_lock_holder(tmp_path) == os.getpid()
        (tmp_path / LOCK_NAME).write_text("")  # it is about to write its ID
        assert read_lock_holder(tmp_path) == UNKNOWN_HOLDER
    assert read_lock_holder(tmp_path) is None


def test_a_process_that_starts_waits_for_one_that_was_stopped_while_it_looked(tmp_path: Path) -> None:
    with (tmp_path / LOCK_NAME).open("w") as looker:
        fcntl.flock(looker, fcntl.LOCK_SH)
        threading.Timer(1.0, fcntl.flock, (looker, fcntl.LOCK_UN)).start()
        with lock_data_directory(tmp_path):
            assert read_lock_holder(tmp_path) == os.getpid()


def test_a_process_that_starts_while_others_look_gets_the_lock(tmp_path: Path) -> None:
    """A look holds the lock for an instant."""
    with lock_data_directory(tmp_path):
        pass
    end = threading.Event()

    def look() -> None:
        while not end.is_set():
            read_lock_holder(tmp_path)

    lookers = [threading.Thread(target=look) for _ in range(3)]
    for looker in lookers:
        looker.start()
    try:
        for _ in range(20):
            with lock_data_directory(tmp_path):
                pass
    finally:
        end.set()
        for looker in lookers:
            looker.join()
