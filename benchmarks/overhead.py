"""Overhead per file: the cost of the whole flow compared with decoding, voice activity and one write.

Bare: one process per core opens one file after another with the code of `audio`, finds the windows, and stores a
transcript of the usual size; its start is not counted. Flow: the whole flow with the scripted engine in memory.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

from batchscribe.audio.file_view import RemoteFile
from batchscribe.audio.segmenter import segmenter
from batchscribe.audio.track import AudioTrack
from batchscribe.input_formats import ALL_NAMES
from batchscribe.speech.inline import InlinePool
from batchscribe.speech.scripted import ScriptedSpec
from batchscribe.storage.access import Access
from batchscribe.storage.schemes import connect
from benchmarks.flow import bench
from benchmarks.recordings import write_short_recordings
from benchmarks.report import Figure

FILES, WARM_UP, PROCESSES = 1000, 100, 2
DURATION_SEC = 5.0
MAX_SEC = 3600.0


@dataclass(frozen=True, slots=True)
class Cost:
    files: int
    cpu_sec: float
    wall_sec: float

    @property
    def cpu_ms_per_file(self) -> float:
        return 1000 * self.cpu_sec / self.files


def measure() -> list[Figure]:
    with TemporaryDirectory() as name:
        folder = Path(name)
        paths = write_short_recordings(folder / "calls", FILES)
        flow, document = _flow(folder, paths)
        bare = _bare(folder, paths, document)
    return [
        Figure("bare: decode, voice activity and one write, CPU per file", f"{bare.cpu_ms_per_file:.1f} ms"),
        Figure("whole flow, CPU per file", f"{flow.cpu_ms_per_file:.1f} ms"),
        Figure("whole flow : bare", f"{flow.cpu_sec / bare.cpu_sec:.2f}", "at most 1.50"),
        Figure("cores busy in the flow", f"{flow.cpu_sec / flow.wall_sec:.2f}", f"{PROCESSES}"),
        Figure("files a second", f"{FILES / flow.wall_sec:.0f}"),
        Figure("files a second, bare", f"{FILES / bare.wall_sec:.0f}"),
    ]


def _flow(folder: Path, paths: list[Path]) -> tuple[Cost, bytes]:
    with bench(folder, engine_processes=PROCESSES, make_pool=InlinePool, more={"engine": "scripted"}) as flow:
        flow.run(paths[:WARM_UP], engine="scripted")
        run = flow.run([folder / "calls"], engine="scripted")
        assert run.job.summary.succeeded == FILES
        return Cost(FILES, run.cpu_sec, run.wall_sec), flow.outputs(run)[paths[0]].read_bytes()


def _bare(folder: Path, paths: list[Path], document: bytes) -> Cost:
    """Return the cost of the bare processes."""
    work = [(paths[start::PROCESSES], folder / f"bare{start}", document) for start in range(PROCESSES)]
    with get_context("forkserver").Pool(PROCESSES) as processes:
        processes.map(_bare_files, [(part[:WARM_UP], out, document) for part, out, _ in work], chunksize=1)
        began_at = time.monotonic()
        cpu_sec = sum(processes.map(_bare_files, work, chunksize=1))
        return Cost(len(paths), cpu_sec, time.monotonic() - began_at)


def _bare_files(work: tuple[list[Path], Path, bytes]) -> float:
    """CPU seconds of one process for its share of the files."""
    paths, out, document = work
    store = connect(Access(file_roots=(paths[0].parent.parent,)))
    began_at = time.process_time()
    for path in paths:
        _bare_windows(path)
        store.write((out / f"{path.stem}.json").as_uri(), document, overwrite=True)
    return time.process_time() - began_at


def _bare_windows(path: Path) -> int:
    """Return the number of windows of the recording."""
    with path.open("rb") as source:

        def fetch(offset: int, length: int) -> bytes:
            source.seek(offset)
            return source.read(length)

        file = RemoteFile(path.stat().st_size, fetch)
        track = AudioTrack(file, input_formats=ALL_NAMES, apart=False, max_sec=MAX_SEC)
        cutter = segmenter(0, "auto", ScriptedSpec().window_sec)
        count = sum(1 for block in track.blocks(_nothing) for _ in cutter.accept(block[0]))
        count += sum(1 for _ in cutter.finish())
        track.close()
        return count


def _nothing() -> None:
    """Do nothing: the parent that waits for progress is this process."""
