"""Speaker processes: recordings through them, their confinement, and what happens if they fail."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest

from batchscribe.errors import DiarizationTimeout, DiarizerDied, MachineTrouble, WorkInterrupted
from batchscribe.models.folders import folder_of
from batchscribe.models.pull import pull_model
from batchscribe.settings import Settings, load_settings
from batchscribe.speakers import speaker_pool, speaker_process
from batchscribe.speakers.speaker_count import SpeakerCount
from batchscribe.speakers.speaker_format import EMBEDDING, NAME
from batchscribe.speakers.speaker_pool import SpeakerPool
from batchscribe.speakers.speaker_process import SPEAKERS, SpeakerProcess
from batchscribe.window import SAMPLE_RATE, Samples, SpeakerTurn
from tests.integration import false_speakers
from tests.integration.command import wait_until
from tests.models.carriers import flipped
from tests.models.speakers import random_speakers


def noise(sec: float, seed: int = 0) -> Samples:
    values = 0.1 * np.random.default_rng(seed).standard_normal(int(sec * SAMPLE_RATE))
    return values.clip(-1, 1).astype(np.float32)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings of a data directory with speaker models, whose weights are random."""
    folder = tmp_path_factory.mktemp("speakers")
    settings = load_settings(data_dir=folder / "data")
    pull_model(NAME, settings, [random_speakers(folder / "published")], source=str(folder / "published"))
    return settings


@pytest.fixture
def pool(installed: Settings) -> Iterator[SpeakerPool]:
    opened = SpeakerPool(installed, threads=2, most_idle=1)
    yield opened
    opened.close()


def turns_of(pool: SpeakerPool, sound: Samples, check: Callable[[], None] = lambda: None) -> tuple[SpeakerTurn, ...]:
    return turns_and_process(pool, sound, check)[0]


def turns_and_process(
    pool: SpeakerPool, sound: Samples, check: Callable[[], None] = lambda: None
) -> tuple[tuple[SpeakerTurn, ...], int]:
    """Return the turns, and the ID of the process that found them."""
    with pool.diarize(SpeakerCount(), check) as speakers:
        for start in range(0, len(sound), SAMPLE_RATE):
            speakers.feed(sound[start : start + SAMPLE_RATE])
        return speakers.finish(), speakers.pid


def is_spoken_throughout(turns: tuple[SpeakerTurn, ...], sound: Samples) -> bool:
    """Whether the turns are those of these weights: a speaker from the start to the end."""
    return turns[0].start_sec < 0.1 and turns[-1].end_sec == pytest.approx(len(sound) / SAMPLE_RATE, abs=0.1)


def feed_until(pool: SpeakerPool, act: Callable[[SpeakerProcess], None] = lambda _: None) -> None:
    """Feed sound until the process fails; `act` is called first."""
    sound = noise(1)
    with pool.diarize(SpeakerCount()) as speakers:
        act(speakers)
        while True:
            speakers.feed(sound)


# --- recordings ---------------------------------------------------------------------------------------------------


def test_a_process_serves_several_recordings_with_the_same_result(pool: SpeakerPool) -> None:
    sound = noise(25)
    turns, pid = turns_and_process(pool, sound)
    assert is_spoken_throughout(turns, sound)
    assert turns_and_process(pool, sound) == (turns, pid)


def test_sound_of_any_length_may_be_fed_at_once(pool: SpeakerPool) -> None:
    sound = noise(95)
    with pool.diarize(SpeakerCount()) as speakers:
        speakers.feed(sound)
        turns = speakers.finish()
    assert is_spoken_throughout(turns, sound)
    assert turns == turns_of(pool, sound)


def test_a_recording_may_begin_again(pool: SpeakerPool) -> None:
    """The decoder may decode a track in vain, and then another one."""
    sound = noise(25)
    with pool.diarize(SpeakerCount()) as speakers:
        speakers.feed(noise(15, seed=1))
        speakers.begin(SpeakerCount())
        speakers.feed(sound)
        turns = speakers.finish()
    assert is_spoken_throughout(turns, sound)
    assert turns == turns_of(pool, sound)


def test_a_recording_without_sound_has_no_turns(pool: SpeakerPool) -> None:
    assert turns_of(pool, noise(0)) == ()


def test_after_many_recordings_a_process_is_replaced(pool: SpeakerPool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speaker_pool, "FILES_PER_PROCESS", 2)
    first, second, third = (turns_and_process(pool, noise(1))[1] for _ in range(3))
    assert first == second != third


def test_an_idle_process_that_ended_is_replaced(pool: SpeakerPool) -> None:
    _, pid = turns_and_process(pool, noise(1))
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not Path(f"/proc/{pid}").exists())
    assert turns_and_process(pool, noise(1))[1] != pid


def test_the_process_is_confined(pool: SpeakerPool) -> None:
    with pool.diarize(SpeakerCount()) as speakers:
        status = Path(f"/proc/{speakers.pid}/status").read_text()
        limits = Path(f"/proc/{speakers.pid}/limits").read_text()
    assert status.startswith("Name:\tspeakers\n")
    assert "\nSeccomp:\t2\n" in status
    assert "\nNoNewPrivs:\t1\n" in status
    assert f"Max address space         {speaker_process.MEMORY_BYTES}" in limits


def test_the_trial_leaves_a_process_for_the_first_recording(pool: SpeakerPool) -> None:
    before = {each.pid for each in psutil.Process().children(recursive=True)}
    pool.try_out()
    assert turns_and_process(pool, noise(1))[1] not in before
    after = {each.pid for each in psutil.Process().children(recursive=True) if each.name() == "speakers"}
    assert len(after - before) == 1


# --- ends ---------------------------------------------------------------------------------------------------------


def test_a_recording_that_is_no_longer_wanted_ends_while_the_process_computes(
    pool: SpeakerPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(speaker_process, "_serve", false_speakers.compute)
    deadline = time.monotonic() + 1

    def check() -> None:
        if time.monotonic() > deadline:
            raise WorkInterrupted("It is no longer wanted.")

    with pytest.raises(WorkInterrupted, match="no longer wanted"):
        turns_of(pool, noise(1), check)
    assert time.monotonic() < deadline + 30


def test_closing_the_pool_interrupts_a_recording(pool: SpeakerPool) -> None:
    with pytest.raises(WorkInterrupted, match="stopped"):
        feed_until(pool, lambda _: threading.Timer(0.3, pool.close).start())
    with pytest.raises(WorkInterrupted):
        turns_of(pool, noise(1))
    with pytest.raises(WorkInterrupted):
        pool.try_out()


def test_a_killed_process_is_an_error_of_its_recording(pool: SpeakerPool) -> None:
    with pytest.raises(DiarizerDied):
        feed_until(pool, lambda speakers: threading.Timer(0.3, speakers.kill).start())
    assert is_spoken_throughout(turns_of(pool, noise(1)), noise(1))


# --- processes that fail ------------------------------------------------------------------------------------------


def test_a_process_that_sleeps_hangs(pool: SpeakerPool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speaker_process, "_serve", false_speakers.sleep)
    monkeypatch.setattr(speaker_process, "IDLE_LIMIT_SEC", 2.0)
    with pytest.raises(DiarizationTimeout, match="used no CPU for 2 s"):
        feed_until(pool)


def test_a_process_that_computes_without_end_hangs(pool: SpeakerPool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speaker_process, "_serve", false_speakers.compute)
    monkeypatch.setattr(speaker_process, "FINISH_CPU_SEC", 1.0)
    with pytest.raises(DiarizationTimeout, match="of CPU without an answer"):
        turns_of(pool, noise(1))


@pytest.mark.parametrize("serve", [false_speakers.repeat_sound, false_speakers.boast])
def test_an_answer_that_is_not_turns_is_refused(
    pool: SpeakerPool, monkeypatch: pytest.MonkeyPatch, serve: Callable[..., None]
) -> None:
    monkeypatch.setattr(speaker_process, "_serve", serve)
    with pytest.raises(DiarizerDied, match="answer"):
        turns_of(pool, noise(3))


@pytest.mark.parametrize(
    ("serve", "reason"),
    [(false_speakers.refuse, "could not be confined"), (false_speakers.end, "ended before it was ready")],
)
def test_a_process_that_cannot_work_is_trouble_of_the_machine(
    pool: SpeakerPool, monkeypatch: pytest.MonkeyPatch, serve: Callable[..., None], reason: str
) -> None:
    monkeypatch.setattr(speaker_process, "_serve", serve)
    with pytest.raises(MachineTrouble, match=reason) as caught:
        pool.try_out()
    assert caught.value.part == SPEAKERS


def test_a_trial_that_fails_is_trouble_of_the_machine(pool: SpeakerPool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speaker_process, "_serve", false_speakers.boast)
    with pytest.raises(MachineTrouble, match="Diarization of the trial recording fails on this machine") as caught:
        pool.try_out()
    assert caught.value.part == SPEAKERS


def test_too_little_memory_is_trouble_of_the_machine(pool: SpeakerPool, monkeypatch: pytest.MonkeyPatch) -> None:
    def start(folder: Path, threads: int) -> SpeakerProcess:
        return SpeakerProcess(folder, threads, memory_bytes=64 * 2**20)

    monkeypatch.setattr(speaker_pool, "SpeakerProcess", start)
    # Python waits forever for a thread that has no memory to begin, so the parent's watchdog ends the process.
    monkeypatch.setattr(speaker_process, "IDLE_LIMIT_SEC", 5.0)
    with pytest.raises(MachineTrouble):
        pool.try_out()


def test_damaged_models_are_named_with_the_next_step(installed: Settings, tmp_path: Path) -> None:
    settings = load_settings(data_dir=tmp_path)
    pull_model(NAME, settings, [random_speakers(tmp_path / "published")], source=str(tmp_path / "published"))
    model = folder_of(NAME, settings) / EMBEDDING
    model.write_bytes(flipped(model.read_bytes()))
    with pytest.raises(MachineTrouble, match=r"damaged\. `batchscribe models remove speakers`"):
        SpeakerPool(settings, threads=1, most_idle=1).try_out()


def test_missing_models_are_named_with_the_next_step(tmp_path: Path) -> None:
    with pytest.raises(MachineTrouble, match="not installed; get them with `batchscribe models pull speakers`"):
        SpeakerPool(load_settings(data_dir=tmp_path), threads=1, most_idle=1).try_out()
