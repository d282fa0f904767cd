"""Whether a process has enough memory for its work. The limits are real limits of separate processes."""

from __future__ import annotations

import resource
import subprocess
import sys

import pytest

#: Starts concurrent threads, and reports how much address space they took.
GROWTH = """
import pathlib, threading
from batchscribe.worker.headroom import limit_arenas

def size_mib():
    [line] = [line for line in pathlib.Path("/proc/self/status").read_text().splitlines() if line.startswith("VmSize")]
    return int(line.split()[1]) // 1024

def allocate():
    kept = [bytes(1000) for _ in range(100)]
    ready.wait()
    end.wait()

limit_arenas()
ready, end = threading.Barrier(17), threading.Event()
before = size_mib()
for _ in range(16):
    threading.Thread(target=allocate).start()
ready.wait()
print(size_mib() - before)
end.set()
"""
CHECK = """
from batchscribe.errors import MachineTrouble
from batchscribe.worker.capacity import Capacity
from batchscribe.worker.headroom import check_headroom

try:
    check_headroom(Capacity(shards=2 * {engines}, files=2 * {engines}, decoders={engines}), {speakers})
except MachineTrouble as trouble:
    print(trouble.part, trouble.message)
"""
STACK_MIB = 8


def run(program: str, limits: dict[int, int]) -> str:
    def limit() -> None:
        for number, value in limits.items():
            resource.setrlimit(number, (value, value))

    done = subprocess.run(
        [sys.executable, "-c", program], preexec_fn=limit, capture_output=True, text=True, timeout=60, check=True
    )
    return done.stdout


@pytest.mark.parametrize(
    ("limits", "wanted"),
    [
        ({resource.RLIMIT_NOFILE: 40}, "decoder This machine lacks a resource: Too many open files."),
        ({resource.RLIMIT_FSIZE: 512}, "decoder This process may write files of at most 512 bytes"),
        ({resource.RLIMIT_AS: 1024 * 2**20}, "decoder This machine lacks a resource: "),
        ({}, ""),
    ],
    ids=["descriptors", "file size", "memory", "enough"],
)
def test_a_process_without_room_for_its_work_is_in_trouble(limits: dict[int, int], wanted: str) -> None:
    engines = 64 if resource.RLIMIT_AS in limits else 4
    found = run(CHECK.format(engines=engines, speakers=0), limits)
    assert found.startswith(wanted)
    assert bool(found) == bool(wanted)


def test_speaker_processes_need_descriptors_too() -> None:
    limits = {resource.RLIMIT_NOFILE: 100}
    assert run(CHECK.format(engines=4, speakers=2), limits) == ""
    assert "Too many open files" in run(CHECK.format(engines=4, speakers=20), limits)


def test_threads_take_little_more_than_their_stacks_where_memory_is_limited() -> None:
    """glibc reserves 64 MiB for each: below 1.2 GB nothing was left for the stacks of later threads."""
    stack = {resource.RLIMIT_STACK: STACK_MIB * 2**20}
    assert int(run(GROWTH, stack | {resource.RLIMIT_AS: 4096 * 2**20})) < 16 * (STACK_MIB + 8)
