"""A greedy tenant: large jobs, long recordings and concurrent dry runs, some of them on storage that hangs."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from random import Random

from tests.chaos.houses import House
from tests.chaos.sickness import Ending
from tests.chaos.workload import Kind, Workload

GREEDY = "greedy"
JOBS, FILES_PER_JOB = 3, 40
LONG_RECORDINGS = 3
DRY_RUNS = 16  #: at any time
REFUSED_SEC = 0.5  #: before another dry run replaces a rejected one


def be_greedy(house: House, _random: Random) -> Ending:
    """Be greedy until the returned function is called, which cancels all jobs."""
    client = house.client(GREEDY, Random(0))  # noqa: S311 - no secret
    over = threading.Event()
    threads = ThreadPoolExecutor(DRY_RUNS + 1, thread_name_prefix="greedy")
    work = [threads.submit(_submit_all, client, house, over)]
    work += [threads.submit(_ask_dry, client, house, over) for _ in range(DRY_RUNS)]

    def end() -> None:
        over.set()
        for each in work:
            each.result()
        threads.shutdown()
        for job in client.unfinished():
            client.cancel(job)

    return end


def _submit_all(client: Workload, house: House, over: threading.Event) -> None:
    client.submit_new(Kind.SHORT, bucket=house.starving_bucket)
    client.submit_new(*[Kind.HOURS] * LONG_RECORDINGS)
    for _ in range(JOBS):
        if not over.is_set():
            client.submit_new(*[Kind.SHORT] * FILES_PER_JOB)


def _ask_dry(client: Workload, house: House, over: threading.Event) -> None:
    while not over.is_set():
        status = client.ask_dry(house.starving_bucket)
        house.ledger.note("dry", status=status)
        over.wait(REFUSED_SEC)
