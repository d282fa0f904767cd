"""Resources that a worker's machine can lack: how they are taken from a running worker, and returned."""

from __future__ import annotations

import resource
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from random import Random

import psutil

from tests.chaos.machine import MODEL
from tests.chaos.service import DECODER, ENGINE, FORK_SERVER, Service, kind_of, session_of

#: Bytes of address space left to a process. With 0 it fails at the next allocation, with more it fails later, within
#: a larger operation.
SPARE_BYTES = (0, 2**23, 2**26)
SPARE_DESCRIPTORS = (0, 1, 4)

Ending = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Sickness:
    """`begin` takes a resource from a running worker, and returns the function that gives it back.

    Children of the kinds in `killed` are killed, because only their replacements are affected.
    """

    name: str
    meaning: str  #: in the report
    begin: Callable[[Service, Random], Ending]
    killed: Sequence[str]
    is_of_machine: bool = True  #: whether it also affects a worker that is started later
    needs_disk: bool = False

    def befall(self, service: Service, random: Random) -> Ending:
        """Begin the sickness. Raises `psutil.NoSuchProcess` if the worker has just ended, before anything is taken."""
        ending = self.begin(service, random)
        for process in session_of(service.pid):
            if kind_of(process) in self.killed:
                with suppress(psutil.NoSuchProcess):
                    process.kill()
        return ending


def _fill_temporary_folder(service: Service, _random: Random) -> Ending:
    disk = service.machine.disk
    assert disk is not None
    disk.fill()
    return disk.free


def _truncate_model(service: Service, random: Random) -> Ending:
    service.machine.store_model(MODEL[: random.randrange(len(MODEL))])
    return partial(service.machine.store_model, MODEL)


def _remove_model(service: Service, _random: Random) -> Ending:
    service.machine.model.unlink()
    return partial(service.machine.store_model, MODEL)


def _remove_gpu(service: Service, _random: Random) -> Ending:
    service.machine.gpu.unlink()
    return service.machine.gpu.touch


def _limit_memory(service: Service, random: Random) -> Ending:
    """Limit the memory of the worker, its children and the fork server, so that later children inherit the limit."""
    pid, spare_bytes = service.pid, random.choice(SPARE_BYTES)
    return _limit(
        resource.RLIMIT_AS,
        lambda: session_of(pid),
        lambda process: int(process.memory_info().vms) + spare_bytes,
    )


def _limit_descriptors(service: Service, random: Random) -> Ending:
    """Limit the descriptors of the worker alone. Each child has its own limit."""
    spare = random.choice(SPARE_DESCRIPTORS)
    worker = psutil.Process(service.pid)
    return _limit(resource.RLIMIT_NOFILE, lambda: [worker], lambda process: int(process.num_fds()) + spare)


def _limit(
    name: int, processes: Callable[[], Sequence[psutil.Process]], value_of: Callable[[psutil.Process], int]
) -> Ending:
    """Set the soft limit, because in containers not even root can raise the hard one again. Processes that start
    in the meantime inherit it, and it is lifted from them at the end.
    """
    before: dict[psutil.Process, tuple[int, int]] = {}
    for process in processes():
        with suppress(psutil.NoSuchProcess):
            _soft, hard = before[process] = process.rlimit(name)
            process.rlimit(name, (value_of(process), hard))

    def give_back() -> None:
        for process in processes():
            with suppress(psutil.NoSuchProcess):
                hard = process.rlimit(name)[1]
                process.rlimit(name, before.get(process, (hard, hard)))

    return give_back


#: In the order of the report.
SICKNESSES = (
    Sickness(
        "full temporary folder",
        "a full temporary folder, and restarted children",
        _fill_temporary_folder,
        killed=(FORK_SERVER, DECODER, ENGINE),
        needs_disk=True,
    ),
    Sickness(
        "no memory",
        "no memory left (RLIMIT_AS)",
        _limit_memory,
        killed=(DECODER, ENGINE),
        is_of_machine=False,
    ),
    Sickness(
        "no descriptors",
        "no descriptors left (RLIMIT_NOFILE)",
        _limit_descriptors,
        killed=(DECODER, ENGINE),
        is_of_machine=False,
    ),
    Sickness("truncated model", "a truncated model", _truncate_model, killed=(ENGINE,)),
    Sickness("missing model", "no model", _remove_model, killed=(ENGINE,)),
    Sickness("no GPU", "no GPU", _remove_gpu, killed=(ENGINE,)),
)
