"""A machine with two GPUs, one of which fails: no file fails, and the doctor names it."""

from __future__ import annotations

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from batchscribe.check import CheckResult
from batchscribe.doctor.engine_check import check_engines
from batchscribe.settings import load_settings
from batchscribe.speech import registry
from batchscribe.speech.engine import EngineSpec
from batchscribe.speech.pool import EnginePool
from batchscribe.speech.scripted import Script, ScriptedSpec
from tests.integration.flow_runner import running
from tests.recordings import write_wav
from tests.replaced_engine import replace_scripted

FILES = 12


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("fails_at", ["loading", "calls"])
@pytest.mark.parametrize("reads_ahead", [False, True])
def test_the_files_of_a_lost_device_go_to_the_others(tmp_path: Path, fails_at: str, reads_ahead: bool) -> None:
    marks = tmp_path / "marks"
    marks.mkdir()
    for number in range(FILES):
        write_wav(tmp_path / "calls" / f"{number:02}.wav", seed=number, duration_sec=100.0)
    spec = ScriptedSpec(
        device="cuda",
        devices=("cuda:0", "cuda:1"),
        batch_size=4,
        reads_ahead=reads_ahead,
        script=Script(call_sec=0.2, lost_devices=marks),
    )

    def make_pool(_spec: EngineSpec, processes: int) -> EnginePool:
        return EnginePool(spec, processes)

    with capture_logs() as logs, running(tmp_path, make_pool=make_pool, files_in_progress=8) as runner:
        job = runner.submit()
        runner.wait(job, until=lambda _job: runner.worker.in_hand.audio_sec(job.number) > 0)
        (marks / "cuda:1").write_text(fails_at)
        done = runner.wait(job)
        attempts = {file.attempt for file in runner.files(done)}
    assert (done.summary.succeeded, attempts) == (FILES, {1})
    lost = [line["device"] for line in logs if line["event"] == "engine.device_unfit"]
    assert lost == ["cuda:1"]
    assert not [line for line in logs if line["event"] == "machine.unfit"]


def test_the_doctor_tries_each_gpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cuda:1").touch()
    spec = ScriptedSpec(device="cuda", devices=("cuda:0", "cuda:1"), script=Script(lost_devices=tmp_path))
    monkeypatch.setattr(registry, "BUILT_IN", registry.BUILT_IN)  # restored at the end
    replace_scripted(lambda: spec)
    _, first, second = check_engines(load_settings(data_dir=tmp_path, engine="scripted"), load=True)
    assert (first.name, first.verdict) == ("engine scripted on cuda:0", CheckResult.OK)
    assert (second.name, second.verdict) == ("engine scripted on cuda:1", CheckResult.FAILED)
    assert "cannot load made-up words on cuda:1" in second.finding
