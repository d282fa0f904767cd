"""The HTTP interface with a stored job of a million files: how long its answers take, and how many a core serves.

The job is in SQLite with its tasks in the queue, and the worker of the measured server process works on it: real
recordings of a second, scripted engine. The client shares the machine's cores with both. `/healthz`, which needs no
database, is measured between the other requests: its time is the machine's, not the route's.
"""

from __future__ import annotations

import json
import math
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from http.client import HTTPConnection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx2
import psutil
import sqlalchemy as sa

from batchscribe.api.app import PREFIX, VERSION
from batchscribe.api.body import token_after
from batchscribe.database.file_rows import insert_files
from batchscribe.database.job_rows import advance, begin_job, insert_job
from batchscribe.database.shard_rows import insert_shards
from batchscribe.database.tables import file, job, shard
from batchscribe.intake.checks import plan_job
from batchscribe.intake.submission import Submission, new_job_id
from batchscribe.jobs.model import Cursor, Job, ShardState, file_id_of
from batchscribe.jobs.source import Source, SourceKind
from batchscribe.jobs.summary import Summary
from batchscribe.queue.records import Records, open_records
from batchscribe.queue.tasks import SERVER_LANE, SHARD, Task
from batchscribe.settings import Settings, load_settings
from batchscribe.wire.choices import FileState, OutputLayout, SegmentationMode
from batchscribe.wire.config import Config
from batchscribe.wire.output import Output
from benchmarks.recordings import write_short_recordings
from benchmarks.report import Figure

FILES, SHARD_FILES, DONE_SHARDS, RUNNING_SHARDS = 1_000_000, 64, 1000, 4
FAILED_EVERY = 64  #: of the files that are done
DEEP = 900_000  #: the file before the deep page
TENANT = "bench"
RECORDINGS = MANIFEST = 1000
ROWS_AT_ONCE, TASKS_AT_ONCE = 64_000, 1000
ENQUEUE_MAX_SEC = 60.0
SHOWS, PAGES, SUBMITS, CANCELS = 500, 200, 30, 20
CONNECTIONS, THROUGHPUT_SEC = 4, 8.0
LISTED_MAX_SEC, WORKING_MAX_SEC, END_MAX_SEC = 120.0, 120.0, 90.0
LOOK_SEC, LOOKED_SEC = 0.01, 4.0  #: for files that start after the job was canceled

Ask = Callable[[], float]  #: makes a request; the seconds until its whole answer is there


@dataclass(frozen=True, slots=True)
class Scene:
    """The stored job, and the API secret of its tenant."""

    folder: Path
    records: Records
    recordings: list[Path]
    big: Job
    secret: str


@dataclass(frozen=True, slots=True)
class Server:
    process: subprocess.Popen[str]
    url: str


def measure() -> list[Figure]:
    with TemporaryDirectory() as name:
        folder = Path(name)
        settings = load_settings(data_dir=folder / "data", engine="scripted", file_roots=(folder,))
        records = open_records(settings)
        records.flow.prepare()
        recordings = write_short_recordings(folder / "calls", RECORDINGS, duration_sec=1.0)
        began_at = time.monotonic()
        big = _put_on_record(records, settings, recordings)
        figures = [Figure(f"{FILES:,} files put on record", f"{time.monotonic() - began_at:.0f} s")]
        figures.append(_enqueue(records, big))
        scene = Scene(folder, records, recordings, big, _make_key(folder))
        with _serving(folder, "--no-worker", core=_cores()[-1]) as server:
            figures += _requests_a_second(scene, server)
        with _serving(folder, "--engine-processes", "1") as server, _client(scene, server) as client:
            figures += [*_reads(scene, client), *_writes(scene, client), *_big_cancel(scene, client)]
        records.database.dispose()
        return figures


# The stored job


def _put_on_record(records: Records, settings: Settings, recordings: Sequence[Path]) -> Job:
    """Fully listed; the first shards are done, the next ones running, as a killed worker would leave them."""
    shards = math.ceil(FILES / SHARD_FILES)
    folder = recordings[0].parent
    submission = Submission(
        job_id=new_job_id(),
        lane=SERVER_LANE,
        tenant=TENANT,
        input={"mode": "PREFIX", "source": "FILE", "uri": f"{folder.as_uri()}/"},
        sources=(Source(SourceKind.PREFIX, f"{folder.as_uri()}/"),),
        output=Output(uri=f"{(folder.parent / 'out').as_uri()}/", layout=OutputLayout.PREFIX),
        config=Config(segmentation_mode=SegmentationMode.NONE),
        engine="scripted",
    )
    with records.transaction() as connection:
        big = insert_job(connection, plan_job(submission, settings), fingerprint=submission.fingerprint)
        begin_job(connection, big)
        insert_shards(connection, big.number, range(1, shards + 1))
        listed, found = Cursor(1, None, FILES, shards, True), Summary(total_files=FILES)
        assert advance(connection, big, listed, found, audio_sec=FILES)
        _work_first_shards(connection, big)
    inputs = [path.as_uri() for path in recordings]
    for first in range(1, FILES + 1, ROWS_AT_ONCE):
        with records.transaction() as connection:
            seqs = range(first, min(first + ROWS_AT_ONCE, FILES + 1))
            insert_files(connection, [_file_row(big, seq, inputs[seq % len(inputs)]) for seq in seqs])
    return replace(big, cursor=listed)


def _work_first_shards(connection: sa.Connection, big: Job) -> None:
    done, failed = DONE_SHARDS * SHARD_FILES, DONE_SHARDS * SHARD_FILES // FAILED_EVERY
    of_job = sa.update(shard).where(shard.c.job == big.number)
    running = shard.c.number.between(DONE_SHARDS + 1, DONE_SHARDS + RUNNING_SHARDS)
    connection.execute(of_job.where(shard.c.number <= DONE_SHARDS).values(state=ShardState.DONE))
    connection.execute(of_job.where(running).values(state=ShardState.RUNNING))
    counters = {"shards_done": DONE_SHARDS, "succeeded": done - failed, "failed": failed, "audio_sec": done - failed}
    connection.execute(sa.update(job).where(job.c.number == big.number).values(counters))


def _file_row(big: Job, seq: int, input_uri: str) -> dict[str, Any]:
    is_done = seq <= DONE_SHARDS * SHARD_FILES
    failed = is_done and seq % FAILED_EVERY == 0
    done_state = FileState.FAILED if failed else FileState.SUCCEEDED
    return {
        "job": big.number,
        "seq": seq,
        "shard": (seq - 1) // SHARD_FILES + 1,
        "input_uri": input_uri,
        "output_uri": f"{big.output.uri}{seq:07}.json",
        "size_bytes": 32_044,
        "state": done_state if is_done else FileState.QUEUED,
        "attempt": int(is_done),
        "duration_sec": 1.0 if is_done else None,
        "error_code": "corrupt_media" if failed else None,
        "error_message": "The recording cannot be decoded." if failed else None,
    }


def _enqueue(records: Records, big: Job) -> Figure:
    """The tasks of all shards that are not done, or as many as there is time for."""
    began_at, first, count = time.monotonic(), DONE_SHARDS + 1, 0
    while first <= big.cursor.shard and time.monotonic() - began_at < ENQUEUE_MAX_SEC:
        numbers = range(first, min(first + TASKS_AT_ONCE, big.cursor.shard + 1))
        with records.transaction() as connection:
            for number in numbers:
                records.flow.enqueue(
                    connection, Task(SHARD, big.job_id, number, lane=big.lane, tenant=TENANT, engine=big.queue_key)
                )
        first, count = numbers.stop, count + len(numbers)
    return Figure(f"{count:,} shards enqueued", f"{time.monotonic() - began_at:.0f} s")


# The server and its client


def _environment(folder: Path) -> dict[str, str]:
    ours = {"DATA_DIR": str(folder / "data"), "AUTH": "on", "ENGINE": "scripted", "FILE_ROOTS": str(folder)}
    others = {name: value for name, value in os.environ.items() if not name.startswith("BATCHSCRIBE_")}
    return others | {f"BATCHSCRIBE_{name}": value for name, value in ours.items()}


def _make_key(folder: Path) -> str:
    command = [sys.executable, "-m", "batchscribe", "keys", "create", "--tenant", TENANT, "--json"]
    made = subprocess.run(command, env=_environment(folder), cwd=folder, capture_output=True, check=True)
    return str(json.loads(made.stdout)["api_secret"])


def _cores() -> list[int]:
    return sorted(os.sched_getaffinity(0))


@contextmanager
def _on_core(core: int | None) -> Iterator[None]:
    """This thread, and what it starts meanwhile."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, before if core is None else {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextmanager
def _serving(folder: Path, *options: str, core: int | None = None) -> Iterator[Server]:
    command = [sys.executable, "-m", "batchscribe", "serve", "--port", "0", *options]
    with _on_core(core):
        process = subprocess.Popen(command, env=_environment(folder), cwd=folder, stdout=subprocess.PIPE, text=True)
    try:
        found = re.search(r"http://\S+", process.stdout.readline() if process.stdout else "")
        assert found, "the server did not start"
        yield Server(process, found[0])
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(END_MAX_SEC)
        except subprocess.TimeoutExpired:
            process.kill()


def _client(scene: Scene, server: Server) -> httpx2.Client:
    return httpx2.Client(base_url=server.url, headers={"Authorization": f"Bearer {scene.secret}"}, timeout=60.0)


def _ask(client: httpx2.Client, method: str, path: str, *, status: int = 200, **options: Any) -> float:
    began_at = time.perf_counter()
    answer = client.request(method, path, **options)
    took_sec = time.perf_counter() - began_at
    assert answer.status_code == status, answer.text
    return took_sec


def _path(scene: Scene, rest: str = "") -> str:
    return f"{VERSION}{PREFIX}/jobs/{scene.big.job_id}{rest}"


def _figure(name: str, took_sec: Sequence[float], goal: str = "") -> Figure:
    """Percentiles are requests that were measured; of fewer than 100 the 99th is the slowest."""
    ordered = sorted(took_sec)
    p50, p99 = (1000 * ordered[math.ceil(part * len(ordered)) - 1] for part in (0.5, 0.99))
    return Figure(f"{name} (n={len(ordered)}), p50, p99", f"{p50:.1f}, {p99:.1f} ms", goal and f"p99 under {goal}")


# What is measured


def _requests_a_second(scene: Scene, server: Server) -> list[Figure]:
    """The server has one core for itself, the client another one if there is one; no worker works."""
    with _client(scene, server) as client:
        idle = _in_turn({name: (ask, PAGES) for name, (ask, _) in _reading(scene, client).items()})
    figures = [_figure(f"workers idle: {name}", took_sec) for name, took_sec in idle.items()]
    process = psutil.Process(server.process.pid)
    before, until = process.cpu_times(), time.monotonic() + THROUGHPUT_SEC
    with _on_core(_cores()[0]), ThreadPoolExecutor(CONNECTIONS) as threads:
        counts = list(threads.map(partial(_shows, scene, server), [until] * CONNECTIONS))
    after = process.cpu_times()
    busy = (after.user + after.system - before.user - before.system) / THROUGHPUT_SEC
    name = f"workers idle: shows a second on one core, {CONNECTIONS} connections"
    return [
        *figures,
        Figure(name, f"{sum(counts) / THROUGHPUT_SEC:.0f}"),
        Figure("workers idle: of that core the server used", f"{busy:.0%}"),
    ]


def _shows(scene: Scene, server: Server, until: float) -> int:
    """How many one connection gets; with a client that costs less than the server."""
    connection = HTTPConnection(server.url.removeprefix("http://"))
    count = 0
    while time.monotonic() < until:
        connection.request("GET", _path(scene), headers={"Authorization": f"Bearer {scene.secret}"})
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 200
        count += 1
    connection.close()
    return count


def _reading(scene: Scene, client: httpx2.Client) -> dict[str, tuple[Ask, int]]:
    """Each request, and how often it is made."""
    get = partial(_ask, client, "GET")
    files = partial(get, _path(scene, "/files"))
    token = token_after(file_id=file_id_of(DEEP))
    return {
        "healthz": (partial(get, "/healthz"), SHOWS),
        "show": (partial(get, _path(scene)), SHOWS),
        "200 files, first page": (files, PAGES),
        f"200 files, after {DEEP:,}": (partial(files, params={"next_page_token": token}), PAGES),
        "200 failed files": (partial(files, params={"state": FileState.FAILED}), PAGES),
    }


def _in_turn(requests: dict[str, tuple[Ask, int]]) -> dict[str, list[float]]:
    """One after another, so that all meet the same neighbors on the machine."""
    took_sec: dict[str, list[float]] = {name: [] for name in requests}
    for turn in range(max(count for _, count in requests.values())):
        for name, (ask, count) in requests.items():
            if turn < count:
                took_sec[name].append(ask())
    return took_sec


def _reads(scene: Scene, client: httpx2.Client) -> list[Figure]:
    goals = {"show": "20 ms", "healthz": ""}
    done_before, began_at = _done(scene, client), time.monotonic()
    took_sec = _in_turn(_reading(scene, client))
    rate = (_done(scene, client) - done_before) / (time.monotonic() - began_at)
    figures = [_figure(name, each, goals.get(name, "30 ms")) for name, each in took_sec.items()]
    return [Figure("files of the big job that end in a second meanwhile", f"{rate:.0f}"), *figures]


def _done(scene: Scene, client: httpx2.Client) -> int:
    summary = client.get(_path(scene)).json()["summary"]
    return int(summary["succeeded"] + summary["failed"])


def _writes(scene: Scene, client: httpx2.Client) -> list[Figure]:
    """Submit jobs one after another while earlier ones are listed, and cancel them when all have started."""
    submitted, job_ids, health = [], [], []
    for number in range(SUBMITS):
        health.append(_ask(client, "GET", "/healthz"))
        took_sec, job_id = _submit(scene, client, f"{number}")
        submitted.append(took_sec)
        job_ids.append(job_id)
    began_at = time.monotonic()
    _wait_listed(client, job_ids)
    listed_sec = time.monotonic() - began_at
    cancel = [_ask(client, "DELETE", f"{VERSION}{PREFIX}/jobs/{each}", status=204) for each in job_ids]
    return [
        _figure("healthz between submits", health),
        _figure(f"submit {MANIFEST:,} URIs", submitted, "150 ms"),
        Figure("until all of these are listed, after the last submit", f"{listed_sec:.1f} s"),
        _figure(f"cancel a job of {MANIFEST:,} URIs", cancel[:CANCELS], "100 ms"),
    ]


def _submit(scene: Scene, client: httpx2.Client, name: str) -> tuple[float, str]:
    content = json.dumps(
        {
            "input": {"mode": "MANIFEST", "manifest": [path.as_uri() for path in scene.recordings[:MANIFEST]]},
            "output": {"uri": f"{(scene.folder / 'out' / name).as_uri()}/"},
            "config": {"segmentation_mode": "none"},
        }
    )
    began_at = time.perf_counter()
    answer = client.post(f"{VERSION}{PREFIX}/jobs", content=content, headers={"Content-Type": "application/json"})
    took_sec = time.perf_counter() - began_at
    assert answer.status_code == 201, answer.text
    return took_sec, answer.json()["job_id"]


def _wait_listed(client: httpx2.Client, job_ids: Sequence[str]) -> None:
    until = time.monotonic() + LISTED_MAX_SEC
    for job_id in job_ids:
        while client.get(f"{VERSION}{PREFIX}/jobs/{job_id}").json()["summary"]["total_files"] < MANIFEST:
            assert time.monotonic() < until, f"{job_id} is not listed"
            time.sleep(0.1)


def _big_cancel(scene: Scene, client: httpx2.Client) -> list[Figure]:
    """While files of it run; and what others meet while its shards are taken out of the queue."""
    _wait_working(scene, client)
    took_sec = _ask(client, "DELETE", _path(scene), status=204)
    last_start_sec = _last_start_sec(scene)
    submitted = [_submit(scene, client, f"after{number}")[0] for number in range(5)]
    return [
        Figure(f"cancel the job of {FILES:,} files (n=1)", f"{1000 * took_sec:.1f} ms", "under 100 ms"),
        Figure("after that answer its last file starts in", f"{last_start_sec:.2f} s"),
        _figure("submit while its queue is cleared", submitted),
    ]


def _wait_working(scene: Scene, client: httpx2.Client) -> None:
    """Wait until the job runs. Canceled jobs precede it in the queue until they are cleared."""
    before, until = _done(scene, client), time.monotonic() + WORKING_MAX_SEC
    while _done(scene, client) < before + SHARD_FILES:
        assert time.monotonic() < until, "no file of the big job ends"
        time.sleep(0.1)


def _last_start_sec(scene: Scene) -> float:
    """Return the time of the last observed start of a file. Shards of an ended job stay recorded as running."""
    running = sa.select(shard.c.number).where(shard.c.job == scene.big.number, shard.c.state == ShardState.RUNNING)
    query = sa.select(sa.func.sum(file.c.attempt)).where(file.c.job == scene.big.number, file.c.shard.in_(running))
    began_at, last_start_sec, seen = time.monotonic(), 0.0, math.inf
    while (now_sec := time.monotonic() - began_at) < LOOKED_SEC:
        with scene.records.transaction() as connection:
            attempts = connection.scalar(query) or 0
        if attempts > seen:
            last_start_sec = now_sec
        seen = attempts
        time.sleep(LOOK_SEC)
    return last_start_sec
