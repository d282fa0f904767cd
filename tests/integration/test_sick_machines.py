"""Machines that lack a resource, with real processes: no file fails because of it, and repaired workers continue."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import ctranslate2
import httpx2
import pytest

from batchscribe.audio.decode_limits import DecodeLimits
from batchscribe.audio.decoder import DECODER, DecoderPool
from batchscribe.errors import MachineTrouble
from tests.integration.command import Command, Result, wait_until
from tests.integration.server import serving
from tests.integration.test_fleet import ANY_SEC, QUICK, living, succeeded, worker
from tests.models.whisper import Line, scripted_whisper
from tests.recordings import write_wav
from tests.servers.postgresql import PostgreSQL

FILES = 40


def damage(model: Path) -> bytes:
    """Cut the file in half. Return its content."""
    whole = model.read_bytes()
    model.write_bytes(whole[: len(whole) // 2])
    return whole


def test_a_worker_with_a_truncated_model_fails_no_file_of_the_fleet_and_comes_back(
    postgresql: PostgreSQL, tmp_path: Path
) -> None:
    models = [scripted_whisper(tmp_path / name, Line(" yes")) for name in ("sound", "damaged")]
    whole = damage(models[1] / "model.bin")
    settings = QUICK | postgresql.settings(postgresql.new_database())
    command = Command(tmp_path, settings | {"BATCHSCRIBE_FILE_ROOTS": str(tmp_path), "BATCHSCRIBE_ENGINE": "whisper"})
    for number in range(FILES):
        write_wav(tmp_path / "calls" / f"{number:03}.wav", duration_sec=0.3, seed=number)
    with (
        serving(command, "--no-worker") as server,
        worker(command, "sick", WHISPER_MODEL=str(models[1])),
        worker(command, "sound", WHISPER_MODEL=str(models[0])),
    ):
        wait_until(lambda: any("whisper" in each.troubles for each in living(command)))
        job_id = server.submit(tmp_path)
        server.wait(job_id)
        assert succeeded(server, job_id) == FILES
        [sick] = [each for each in living(command, ANY_SEC) if each.name == "sick"]
        assert "cannot load whisper-damaged on cpu" in sick.troubles["whisper"]
        told = "sick: Engine whisper cannot load whisper-damaged"
        wait_until(lambda: told in command.run("doctor").out)  # a stalled worker counts as silent for a moment
        (models[1] / "model.bin").write_bytes(whole)
        wait_until(lambda: not any(each.troubles for each in living(command)))


def test_a_server_whose_machine_is_unfit_takes_jobs_and_does_them_when_it_is_well(tmp_path: Path) -> None:
    model = scripted_whisper(tmp_path / "model", Line(" yes"))
    whole = damage(model / "model.bin")
    own = {"BATCHSCRIBE_ENGINE": "whisper", "BATCHSCRIBE_WHISPER_MODEL": str(model)}
    command = Command(tmp_path, QUICK | own | {"BATCHSCRIBE_FILE_ROOTS": str(tmp_path)})
    write_wav(tmp_path / "calls" / "a.wav")
    with serving(command) as server:
        wait_until(lambda: httpx2.get(f"{server.url}/readyz").status_code == 503)
        answer = httpx2.get(f"{server.url}/readyz").json()
        assert answer["reason"] == "MACHINE_TROUBLE"
        assert "cannot load whisper-model on cpu" in answer["message"]
        assert 'batchscribe_unfit{part="whisper"} 1.0' in httpx2.get(f"{server.url}/metrics").text
        job_id = server.submit(tmp_path)
        (model / "model.bin").write_bytes(whole)
        server.wait(job_id)
        assert httpx2.get(f"{server.url}/readyz").status_code == 200
        assert 'batchscribe_unfit{part="whisper"} 0.0' in httpx2.get(f"{server.url}/metrics").text


def test_a_command_on_an_unfit_machine_says_so_and_leaves_no_job_behind(tmp_path: Path) -> None:
    model = scripted_whisper(tmp_path / "model", Line(" yes"))
    whole = damage(model / "model.bin")
    command = Command(tmp_path, {"BATCHSCRIBE_WHISPER_MODEL": str(model)})
    write_wav(tmp_path / "a.wav")
    line = ("transcribe", "a.wav", "-o", "out", "--engine", "whisper", "--segmentation", "none")
    refused = command.run(*line)
    assert refused.status == 1
    assert "Error: Engine whisper cannot load whisper-model on cpu" in refused.err
    assert "Traceback" not in refused.err
    assert "job_" not in command.run("jobs", "list").out
    (model / "model.bin").write_bytes(whole)
    assert command.run(*line).status == 0


@pytest.mark.skipif(ctranslate2.get_cuda_device_count() > 0, reason="this machine has a GPU")
def test_a_worker_without_its_gpu_fails_no_file_and_says_what_to_do(postgresql: PostgreSQL, tmp_path: Path) -> None:
    model = scripted_whisper(tmp_path / "model", Line(" yes"))
    settings = QUICK | postgresql.settings(postgresql.new_database())
    own = {"BATCHSCRIBE_ENGINE": "whisper", "BATCHSCRIBE_WHISPER_MODEL": str(model)}
    command = Command(tmp_path, settings | own | {"BATCHSCRIBE_FILE_ROOTS": str(tmp_path)})
    write_wav(tmp_path / "calls" / "a.wav")
    with serving(command, "--no-worker") as server, worker(command, "blind", DEVICE="cuda"):
        wait_until(lambda: any("set BATCHSCRIBE_DEVICE=cpu" in str(each.troubles) for each in living(command)))
        job_id = server.submit(tmp_path)
        with worker(command, "sound"):
            server.wait(job_id)
        assert succeeded(server, job_id) == 1


# --- limits and folders -------------------------------------------------------------------------------------------


def limited(command: Command, limit: str, *words: str) -> Result:
    """Run a command with a limit of the shell."""
    line = ["sh", "-c", f'ulimit {limit} && exec "$0" "$@"', sys.executable, "-m", "batchscribe", *words]
    environment = {**os.environ, "BATCHSCRIBE_DATA_DIR": str(command.folder / "data"), **command.environment}
    done = subprocess.run(
        line, cwd=command.folder, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    return Result(done.returncode, done.stdout, done.stderr)


def quick(name: str) -> tuple[str, ...]:
    return ("transcribe", name, "-o", "out", "--engine", "scripted", "--segmentation", "none")


@pytest.fixture
def command(tmp_path: Path) -> Command:
    write_wav(tmp_path / "a.wav")
    return Command(tmp_path, {"BATCHSCRIBE_ENGINE_PROCESSES": "1"})


def test_a_limit_below_the_settings_own_is_enough_for_small_recordings(command: Command) -> None:
    done = limited(command, f"-v {2 * 2**20}", *quick("a.wav"))
    assert done.status == 0, done
    assert command.run("jobs", "list").out.count("SUCCEEDED") == 1


def test_a_process_out_of_descriptors_is_the_machines_trouble_until_there_are_some() -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    with DecoderPool(1, DecodeLimits()) as pool:
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, before[1]))
        try:
            with pytest.raises(MachineTrouble, match="Too many open files") as caught:
                pool.try_out()
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, before)
        assert caught.value.part == DECODER
        pool.try_out()


def test_a_long_name_of_the_temporary_folder_is_supported(command: Command) -> None:
    folder = command.folder / ("x" * 100)
    folder.mkdir()
    command.environment["TMPDIR"] = str(folder)
    assert command.run(*quick("a.wav")).status == 0


def test_without_a_home_the_next_step_is_shown_and_the_doctor_continues(command: Command) -> None:
    shutil.which("setpriv") or pytest.skip("setpriv is not here")
    gone = ("HOME", "XDG_DATA_HOME", "PWD", "COVERAGE_PROCESS_CONFIG")  # the last, since the user may not write here
    bare = {name: value for name, value in os.environ.items() if name not in gone}
    nobody = ["setpriv", "--reuid", "12345", "--regid", "12345", "--clear-groups"] if os.geteuid() == 0 else []
    for words, wanted in ((["jobs", "list"], "set HOME, or name a folder with"), (["doctor"], "decoder")):
        line = [*nobody, sys.executable, "-m", "batchscribe", *words]
        done = subprocess.run(line, cwd="/", env=bare, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode != 0
        assert wanted in done.stdout + done.stderr
        assert "Traceback" not in done.stderr


@pytest.mark.parametrize("mebibytes", [400, 1200])
def test_a_process_without_memory_ends_with_a_sentence_and_fails_no_file(command: Command, mebibytes: int) -> None:
    """How far it gets depends on the machine. What counts is how it reports that it cannot continue."""
    done = limited(command, f"-v {mebibytes * 1024}", *quick("a.wav"))
    assert "Traceback" not in done.err
    if done.status != 0:
        assert "Error: " in done.err
    assert command.run(*quick("a.wav")).status == 0
    assert "FAILED" not in command.run("jobs", "list").out
