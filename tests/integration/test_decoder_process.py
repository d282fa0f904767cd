"""Failures of decoder processes, and that they affect nothing else."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from itertools import pairwise
from pathlib import Path
from threading import Timer

import psutil
import pytest

from batchscribe.audio import decoder
from batchscribe.audio.decode_limits import DecodeLimits
from batchscribe.audio.decoder import ByteSource, DecoderPool, Segmentation
from batchscribe.errors import DecoderDied, DecodeTimeout, ObjectChanged, WorkInterrupted
from tests.audio_files import Bytes, EndlessWav, noise, wav
from tests.integration.command import wait_until
from tests.starvation import starved

SHORT = wav(noise(0.5))


@pytest.fixture
def pool() -> Iterator[DecoderPool]:
    with DecoderPool(1, DecodeLimits(stall_sec=1.5)) as opened:
        yield opened


def decode(pool: DecoderPool, source: ByteSource, segmentation: Segmentation = "none") -> float:
    with pool.decode(source, channels_apart=False, segmentation=segmentation, window_sec=0.0) as decoding:
        for _ in decoding.windows():
            pass
        return decoding.media.duration_sec


def decoder_pids() -> list[int]:
    return [child.pid for child in multiprocessing.active_children() if child.name == "decoder" and child.pid]


class MeanwhileWav(EndlessWav):
    """A WAV that runs a function while the decoder waits for its second block."""

    def __init__(self, meanwhile: Callable[[], None]) -> None:
        super().__init__(120)
        self._meanwhile = meanwhile

    def read(self, offset: int, length: int) -> bytes:
        if offset:
            self._meanwhile()
        return super().read(offset, length)


def send_decoders(sent: signal.Signals) -> None:
    for pid in decoder_pids():
        os.kill(pid, sent)


def test_a_decoder_that_dies_fails_its_own_recording_only(pool: DecoderPool) -> None:
    with pytest.raises(DecoderDied, match="process died"):
        decode(pool, MeanwhileWav(partial(send_decoders, signal.SIGSEGV)))
    assert decode(pool, Bytes(SHORT)) == 0.5


def test_a_decoder_that_makes_no_progress_is_ended(pool: DecoderPool) -> None:
    began_at = time.monotonic()
    with pytest.raises(DecodeTimeout, match="BATCHSCRIBE_DECODE_STALL_SEC"):
        decode(pool, MeanwhileWav(partial(send_decoders, signal.SIGSTOP)))
    assert time.monotonic() - began_at < 30, "not only after the usual limit"
    assert decode(pool, Bytes(SHORT)) == 0.5


def test_a_decoder_without_a_core_is_not_killed() -> None:
    """It waits 15 times as long as it may be without progress."""
    starved_sec = 15.0
    with DecoderPool(1, DecodeLimits(stall_sec=1.0)) as pool, ExitStack() as starvation:
        times_sec: list[float] = []
        end = Timer(starved_sec, starvation.close)
        end.daemon = True

        def starve() -> None:
            """Starve the decoder when it asks for its second block."""
            if not times_sec:
                (pid,) = decoder_pids()
                starvation.enter_context(starved(pid, 4 * starved_sec))
                end.start()
            times_sec.append(time.monotonic())

        assert decode(pool, MeanwhileWav(starve), segmentation="auto") == 120.0
        assert time.monotonic() - times_sec[0] > starved_sec, "it was not starved, so this proves nothing"
        assert max(after - before for before, after in pairwise(times_sec)) > 2.0


def test_an_error_of_the_storage_passes_through_as_it_is(pool: DecoderPool) -> None:
    def replaced() -> None:
        raise ObjectChanged("The object was replaced.")

    with pytest.raises(ObjectChanged, match="The object was replaced"):
        decode(pool, MeanwhileWav(replaced))
    assert decode(pool, Bytes(SHORT)) == 0.5


def test_an_abandoned_decoding_leaves_a_working_pool(pool: DecoderPool) -> None:
    with pool.decode(EndlessWav(600), channels_apart=False, segmentation="none", window_sec=0.0) as decoding:
        next(decoding.windows())
    assert decode(pool, Bytes(SHORT)) == 0.5


def test_a_process_serves_many_recordings_and_is_then_replaced(
    pool: DecoderPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decoder, "FILES_PER_PROCESS", 2)
    served_by = []
    for _ in range(4):
        with pool.decode(Bytes(SHORT), channels_apart=False, segmentation="none", window_sec=0.0) as decoding:
            list(decoding.windows())
            served_by.append(decoder_pids())
    assert [len(pids) for pids in served_by] == [1, 1, 1, 1]
    assert served_by[0] == served_by[1]
    assert served_by[1] != served_by[2]
    assert served_by[2] == served_by[3]


def test_a_decoder_that_was_ended_while_idle_costs_no_recording(pool: DecoderPool) -> None:
    decode(pool, Bytes(SHORT))
    send_decoders(signal.SIGKILL)
    wait_until(lambda: decoder_pids() == [])
    assert decode(pool, Bytes(SHORT)) == 0.5


def test_closing_the_pool_interrupts_decoding_and_ends_all_processes() -> None:
    pool = DecoderPool(1, DecodeLimits())
    with pytest.raises(WorkInterrupted):
        decode(pool, MeanwhileWav(pool.close))
    assert decoder_pids() == []
    with pytest.raises(WorkInterrupted):
        decode(pool, Bytes(SHORT))


def test_the_memory_of_a_decoder_does_not_grow_with_the_recording() -> None:
    peaks = []
    for duration_sec in (300, 1500):
        with (
            DecoderPool(1, DecodeLimits()) as pool,
            pool.decode(
                EndlessWav(duration_sec), channels_apart=False, segmentation="auto", window_sec=30.0
            ) as decoding,
        ):
            list(decoding.windows())
            (pid,) = decoder_pids()
            peaks.append(peak_memory_bytes(pid))
    assert peaks[1] < 1.2 * peaks[0]


def test_decoders_end_with_a_killed_parent_and_hold_no_secret_of_it() -> None:
    secret = "k3y-that-nobody-may-see"
    environment = os.environ | {"AWS_SECRET_ACCESS_KEY": secret}
    script = [sys.executable, "-m", "tests.integration.decoder_victim"]
    root = Path(__file__).resolve().parents[2]
    with subprocess.Popen(script, env=environment, cwd=root, stdout=subprocess.PIPE, text=True) as victim:
        assert victim.stdout is not None
        pids = [int(pid) for pid in victim.stdout.readline().split()]
        assert len(pids) == 2
        seen = [confinement(pid) for pid in pids]
        os.kill(victim.pid, signal.SIGKILL)
    wait_until(lambda: not any(is_running(pid) for pid in pids))
    for environ, limits, folder in seen:
        assert secret.encode() not in environ
        assert limits == {"core": (0, 0), "file": (0, 0), "memory": (3 * 2**30, 3 * 2**30)}
        assert folder.endswith("(deleted)")


def confinement(pid: int) -> tuple[bytes, dict[str, tuple[int, int]], str]:
    process = psutil.Process(pid)
    limits = {
        "core": process.rlimit(psutil.RLIMIT_CORE),
        "file": process.rlimit(psutil.RLIMIT_FSIZE),
        "memory": process.rlimit(psutil.RLIMIT_AS),
    }
    place = Path(f"/proc/{pid}")
    return (place / "environ").read_bytes(), limits, str((place / "cwd").readlink())


def peak_memory_bytes(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


def is_running(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
