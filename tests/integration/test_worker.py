"""Jobs through the whole flow: every file gets one final state, a bad file affects no other, counters add up."""

from __future__ import annotations

import time
from collections.abc import Hashable, Iterator
from concurrent.futures import Future
from pathlib import Path

import psutil
import pytest
import sqlalchemy as sa
from structlog.testing import capture_logs

from batchscribe.errors import InvalidRequest, StorageUnavailable, UnsupportedLanguage
from batchscribe.jobs.summary import Summary
from batchscribe.metrics import REGISTRY, Retry
from batchscribe.speech.engine import EngineSpec, RecognitionRequest
from batchscribe.speech.inline import InlinePool
from batchscribe.speech.pool import EnginePool
from batchscribe.speech.scripted import Script, ScriptedSpec
from batchscribe.stages.finish import cancel_job
from batchscribe.stages.settle import wait_settled
from batchscribe.storage.local.file_store import FileStore
from batchscribe.storage.s3.s3_credentials import AwsCredentials
from batchscribe.storage.store import Recording
from batchscribe.window import Recognition
from batchscribe.wire.choices import FileState, JobState, OutputLayout
from batchscribe.wire.config import Config
from batchscribe.wire.output import Output
from batchscribe.worker import hooks
from tests.databases import engine_tasks, stored_bytes
from tests.integration.command import wait_until
from tests.integration.flow_runner import FlowRunner, running
from tests.integration.pausing_pool import PausingPool, pausing_after
from tests.recordings import write_wav

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
def runner(tmp_path: Path) -> Iterator[FlowRunner]:
    with running(tmp_path) as started:
        yield started


def counted(summary: Summary) -> dict[str, int]:
    return {name: value for name, value in summary.answer().model_dump().items() if value}


def test_every_recording_below_a_prefix_becomes_a_transcript(runner: FlowRunner) -> None:
    for number in range(70):  # more than one shard
        write_wav(runner.folder / "calls" / f"day{number % 3}" / f"{number:02}.wav", seed=number)
    job = runner.run()
    assert job.state is JobState.SUCCEEDED
    assert counted(job.summary) == {"total_files": 70, "succeeded": 70}
    assert job.summary.audio_sec == pytest.approx(70.0)
    outputs = runner.outputs()
    assert sorted(outputs) == sorted(f"day{number % 3}/{number:02}.json" for number in range(70))
    assert outputs["day0/00.json"]["result"]["text_display"] == "the quick"


def test_one_bad_file_stops_no_other(runner: FlowRunner) -> None:
    for name in ("a", "c"):
        write_wav(runner.folder / "calls" / f"{name}.wav")
    (runner.folder / "calls" / "b.wav").write_text("this is not a recording")
    (runner.folder / "calls" / "notes.txt").write_text("neither is this")
    job = runner.run()
    assert job.state is JobState.PARTIAL
    assert counted(job.summary) == {"total_files": 4, "succeeded": 2, "failed": 1, "skipped": 1}
    ends = {Path(file.input_uri).name: (file.state, file.error_code) for file in runner.files(job)}
    assert ends["b.wav"] == (FileState.FAILED, "UNSUPPORTED_MEDIA")
    assert ends["notes.txt"] == (FileState.SKIPPED, "UNSUPPORTED_MEDIA")


def test_a_job_in_which_every_file_fails_has_failed(runner: FlowRunner) -> None:
    (runner.folder / "calls").mkdir()
    (runner.folder / "calls" / "a.wav").write_bytes(b"")
    job = runner.run()
    assert (job.state, job.error_code) == (JobState.FAILED, "ALL_FILES_FAILED")
    assert runner.files(job)[0].error_code == "EMPTY_RECORDING"


def test_a_job_that_finds_nothing_says_so(runner: FlowRunner) -> None:
    (runner.folder / "calls").mkdir()
    job = runner.run()
    assert (job.state, job.error_code) == (JobState.FAILED, "NO_INPUT_FILES")


def test_a_missing_folder_fails_the_job_by_name(runner: FlowRunner) -> None:
    job = runner.run()
    assert job.state is JobState.FAILED
    assert job.error_code in {"BUCKET_NOT_FOUND", "OBJECT_NOT_FOUND"}
    assert "calls" in (job.error_message or "")


def test_more_files_than_allowed_fail_the_job(tmp_path: Path) -> None:
    for number in range(3):
        write_wav(tmp_path / "calls" / f"{number}.wav")
    with running(tmp_path, max_files=2) as runner:
        job = runner.run()
    assert (job.state, job.error_code) == (JobState.FAILED, "TOO_MANY_FILES")


def test_a_manifest_keeps_its_order_and_fails_what_is_missing(runner: FlowRunner) -> None:
    write_wav(runner.folder / "calls" / "b.wav")
    write_wav(runner.folder / "calls" / "a.wav")
    names = ("calls/b.wav", "calls/none.wav", "calls/a.wav", "calls/text.txt")
    job = runner.run(sources=tuple(runner.file(name) for name in names))
    assert [(file.state, file.error_code) for file in runner.files(job)] == [
        (FileState.SUCCEEDED, None),
        (FileState.FAILED, "OBJECT_NOT_FOUND"),
        (FileState.SUCCEEDED, None),
        (FileState.FAILED, "UNSUPPORTED_MEDIA"),
    ]


def test_globs_decide_what_is_counted(runner: FlowRunner) -> None:
    for name in ("a.wav", "a_draft.wav", "deep/b.wav", "deep/c.mp3"):
        write_wav(runner.folder / "calls" / name)
    job = runner.run(sources=(runner.prefix("calls", include=("**/*.wav",), exclude=("*_draft.*",)),))
    assert counted(job.summary) == {"total_files": 2, "succeeded": 2}
    assert list(runner.outputs()) == ["a.json", "deep/b.json"]


def test_two_recordings_of_one_name_get_two_transcripts(runner: FlowRunner) -> None:
    for name in ("x/a.wav", "y/a.wav", "z/a.wav"):
        write_wav(runner.folder / "calls" / name)
    names = ("calls/x/a.wav", "calls/y/a.wav", "calls/z/a.wav")
    runner.run(sources=tuple(runner.file(name) for name in names))
    assert sorted(runner.outputs()) == ["a.json", "a.wav-2.json", "a.wav.json"]


def test_an_existing_transcript_is_kept_and_reported(runner: FlowRunner) -> None:
    write_wav(runner.folder / "calls" / "a.wav")
    write_wav(runner.folder / "calls" / "b.wav")
    existing = runner.folder / "out" / "a.json"
    existing.parent.mkdir()
    existing.write_text("{}")
    job = runner.run()
    assert job.state is JobState.SUCCEEDED
    assert counted(job.summary) == {"total_files": 2, "succeeded": 1, "skipped": 1}
    assert runner.files(job)[0].error_code == "OUTPUT_EXISTS"
    assert existing.read_text() == "{}"


def test_overwrite_replaces_an_existing_transcript(runner: FlowRunner) -> None:
    write_wav(runner.folder / "calls" / "a.wav")
    existing = runner.folder / "out" / "a.json"
    existing.parent.mkdir()
    existing.write_text("{}")
    output = Output(uri=f"{(runner.folder / 'out').as_uri()}/", layout=OutputLayout.PREFIX, overwrite=True)
    assert runner.run(output=output).state is JobState.SUCCEEDED
    assert runner.outputs()["a.json"]["duration_sec"] == 1.0


def test_a_second_adjacent_run_does_not_count_transcripts_as_skipped(runner: FlowRunner) -> None:
    write_wav(runner.folder / "calls" / "a.wav")
    adjacent = Output(layout=OutputLayout.ADJACENT)
    assert counted(runner.run(output=adjacent).summary) == {"total_files": 1, "succeeded": 1}
    assert counted(runner.run(output=adjacent).summary) == {"total_files": 1, "skipped": 1}


def test_the_same_input_gives_the_same_bytes_whatever_the_number_of_engine_processes(tmp_path: Path) -> None:
    for number in range(6):
        write_wav(tmp_path / "calls" / f"{number}.wav", duration_sec=40.0, seed=number)
    written: list[dict[str, bytes]] = []
    for processes in (1, 3):
        with running(tmp_path, engine_processes=processes, data_dir=tmp_path / f"data{processes}") as runner:
            out = tmp_path / f"out{processes}"
            runner.run(output=Output(uri=f"{out.as_uri()}/", layout=OutputLayout.PREFIX))
            written.append({path.name: path.read_bytes() for path in out.iterdir()})
    assert len(written[0]) == 6
    assert written[0] == written[1]


def test_a_canceled_job_keeps_what_is_finished_and_starts_nothing_new(tmp_path: Path) -> None:
    for number in range(30):
        write_wav(tmp_path / "calls" / f"{number:02}.wav")
    pool = PausingPool(6)
    with running(tmp_path, make_pool=lambda *_: pool) as runner:
        job = runner.wait(runner.submit(), until=lambda job: job.summary.succeeded >= 2)
        assert cancel_job(job, runner.records)
        assert wait_settled(job, runner.records, within_sec=60)  # a transcript that is being written counts
        canceled = runner.job(job.job_id)
        assert canceled.state is JobState.CANCELED
        pool.resume()
        runner.run(sources=(runner.file("calls/00.wav"),))  # the worker continues with other jobs
        later = runner.job(job.job_id)
        assert later.answer().summary == canceled.answer().summary
        shown = [file.state_in(later.state) for file in runner.files(later)]
    assert shown.count(FileState.SUCCEEDED) == later.summary.succeeded
    assert shown.count(FileState.CANCELED) == 30 - later.summary.succeeded


def test_an_engine_that_fails_on_one_file_costs_only_that_file(tmp_path: Path) -> None:
    for number in range(4):
        write_wav(tmp_path / "calls" / f"{number}.wav", duration_sec=1.0 + number)

    class Mistaken(InlinePool):
        def submit(self, request: RecognitionRequest, file: Hashable = None) -> Future[Recognition]:
            if request.window.duration_sec == 2.0:
                raise ZeroDivisionError("a mistake of ours")
            return super().submit(request, file)

    def make_pool(spec: EngineSpec, processes: int) -> Mistaken:
        return Mistaken(spec, processes)

    with running(tmp_path, make_pool=make_pool) as runner:
        job = runner.run()
        assert counted(job.summary) == {"total_files": 4, "succeeded": 3, "failed": 1}
        assert runner.files(job)[1].error_code == "INTERNAL_ERROR"


def test_an_engine_that_cannot_be_loaded_keeps_its_jobs_waiting_until_it_can(tmp_path: Path) -> None:
    for number in range(3):
        write_wav(tmp_path / "calls" / f"{number}.wav")
    broken = tmp_path / "broken"
    broken.touch()
    spec = ScriptedSpec(script=Script(cannot_load_while=broken))
    with running(tmp_path, make_pool=lambda _spec, processes: EnginePool(spec, processes)) as runner:
        wait_until(lambda: "scripted" in runner.worker.health.troubles)
        job = runner.wait(runner.submit(), until=lambda job: job.cursor.listed)
        assert "cannot load made-up words" in runner.worker.health.troubles["scripted"]
        broken.unlink()
        job = runner.wait(job)
    assert counted(job.summary) == {"total_files": 3, "succeeded": 3}


def test_running_files_are_requeued_without_an_attempt_when_the_machine_fails(tmp_path: Path) -> None:
    """The engine dies during a file, and cannot be loaded again, which is not the file's fault."""
    for number in range(6):
        write_wav(tmp_path / "calls" / f"{number}.wav", duration_sec=1.0)
    broken, died = tmp_path / "broken", tmp_path / "died"
    broken.symlink_to(died)  # so that it is there as soon as the engine has died
    spec = ScriptedSpec(script=Script(cannot_load_while=broken, dies_at=frozenset({0.0}), only_once=died))
    with running(tmp_path, make_pool=lambda _spec, processes: EnginePool(spec, processes)) as runner:
        job = runner.submit()
        wait_until(lambda: bool(runner.worker.health.troubles))
        assert all(file.state is not FileState.FAILED for file in runner.files(job))
        broken.unlink()
        job = runner.wait(job)
        assert counted(job.summary) == {"total_files": 6, "succeeded": 6}
        assert {file.attempt for file in runner.files(job)} == {1}


def test_a_long_window_for_which_an_engine_has_no_memory_waits_until_it_has_some(tmp_path: Path) -> None:
    """The engine is not tried on half a second, which would fit, but on a long window."""
    write_wav(tmp_path / "calls" / "long.wav", duration_sec=3)
    short_of = tmp_path / "marks" / "short of memory"
    short_of.parent.mkdir()
    short_of.touch()
    spec = ScriptedSpec(script=Script(no_memory_while=short_of))
    with (
        capture_logs() as logs,
        running(tmp_path, make_pool=lambda _spec, processes: EnginePool(spec, processes)) as runner,
    ):
        job = runner.submit()
        wait_until(lambda: "there is no memory" in runner.worker.health.troubles.get("scripted", ""))
        time.sleep(3.5)
        assert not [line for line in logs if line["event"] == "machine.fit_again"]
        assert all(file.state is not FileState.FAILED for file in runner.files(job))
        short_of.unlink()
        assert runner.wait(job).state is JobState.SUCCEEDED


def test_a_window_that_never_fits_fails_its_file_if_the_engine_has_memory_for_a_long_one(tmp_path: Path) -> None:
    """Otherwise the job would never end, and a damaged or hostile recording could stop all others."""
    write_wav(tmp_path / "calls" / "a.wav", duration_sec=1)
    spec = ScriptedSpec(script=Script(never_fits_at=frozenset({0.0})))
    with running(tmp_path, make_pool=lambda _spec, processes: EnginePool(spec, processes)) as runner:
        [file] = runner.files(runner.run())
        assert (file.error_code, file.attempt) == ("ENGINE_ERROR", 1)
        assert "does not have enough memory for part of the speech. Use a smaller model" in str(file.error_message)
        assert runner.worker.health.troubles == {}


def test_a_file_that_kills_an_engine_is_to_blame_where_the_machine_passes_its_trial(tmp_path: Path) -> None:
    write_wav(tmp_path / "calls" / "a.wav")
    spec = ScriptedSpec(script=Script(dies_at=frozenset({0.0})))
    with running(tmp_path, make_pool=lambda _spec, processes: EnginePool(spec, processes)) as runner:
        job = runner.run()
        assert runner.files(job)[0].error_code == "ENGINE_CRASHED"
        assert runner.worker.health.troubles == {}


def test_credentials_are_gone_when_the_job_has_ended_and_never_lie_open(runner: FlowRunner, database: str) -> None:
    write_wav(runner.folder / "calls" / "a.wav")
    marked = AwsCredentials("AKIAMARKED", "MARKEDSECRET", session_token="MARKEDTOKEN")
    job = runner.run(input_credentials=marked)
    assert job.state is JobState.SUCCEEDED
    with runner.records.transaction() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM secret")) == 0
    everything = stored_bytes(database)
    assert job.job_id.encode() in everything
    assert b"MARKED" not in everything


def test_the_engines_rows_of_an_ended_job_are_deleted(runner: FlowRunner) -> None:
    write_wav(runner.folder / "calls" / "a.wav")
    job = runner.run()

    def left() -> set[str]:
        with runner.records.transaction() as connection:
            return set(engine_tasks(connection))

    # They are deleted right after the transaction that ends the job.
    wait_until(lambda: left() <= {f"finish-{job.job_id}", f"{job.job_id}-1"})


def test_an_unsupported_language_is_refused_before_the_job_exists(runner: FlowRunner) -> None:
    with pytest.raises(UnsupportedLanguage, match="en"):
        runner.submit(config=Config(language="de-DE"))
    with runner.records.transaction() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM job")) == 0


def test_a_place_outside_the_allowed_folders_is_refused_at_submit(runner: FlowRunner) -> None:
    with pytest.raises(InvalidRequest, match="etc"):
        runner.submit(output=Output(uri="file:///etc/", layout=OutputLayout.PREFIX))


def test_the_work_of_a_stopped_worker_is_finished_by_the_next(tmp_path: Path) -> None:
    for number in range(12):
        write_wav(tmp_path / "calls" / f"{number:02}.wav")
    with running(tmp_path, make_pool=pausing_after(4)) as runner:
        job = runner.wait(runner.submit(), until=lambda job: job.summary.succeeded >= 2)
    with running(tmp_path) as runner:
        done = runner.wait(job)
        assert done.state is JobState.SUCCEEDED
        assert counted(done.summary) == {"total_files": 12, "succeeded": 12}
        finished_before = [file for file in runner.files(done) if file.attempt == 1]
        assert len(finished_before) >= 2
        assert max(file.attempt for file in runner.files(done)) <= 2


def test_a_database_in_trouble_postpones_the_work_and_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Like a full disk: every write fails for a while."""
    for number in range(6):
        write_wav(tmp_path / "calls" / f"{number}.wav")
    monkeypatch.setattr(hooks, "RETRY_SEC", 0.2)
    slow = ScriptedSpec(script=Script(call_sec=0.1))
    with running(tmp_path, make_pool=lambda _spec, processes: InlinePool(slow, processes)) as runner:
        job = runner.wait(runner.submit(), until=lambda job: job.summary.succeeded >= 1)

        @sa.event.listens_for(runner.records.database, "before_cursor_execute")
        def fail(_connection: object, _cursor: object, statement: str, *_: object) -> None:
            if statement.startswith("UPDATE file"):
                raise sa.exc.OperationalError(statement, None, Exception("database or disk is full"))

        time.sleep(1.0)
        sa.event.remove(runner.records.database, "before_cursor_execute", fail)
        done = runner.wait(job)
    assert done.state is JobState.SUCCEEDED
    assert counted(done.summary) == {"total_files": 6, "succeeded": 6}


def decoder_retries() -> float:
    return REGISTRY.get_sample_value("batchscribe_retries_total", {"what": Retry.DECODER}) or 0.0


def test_a_decoder_that_dies_costs_its_file_one_retry_and_nothing_else(tmp_path: Path) -> None:
    for number in range(2):
        write_wav(tmp_path / "calls" / f"{number}.wav", duration_sec=400.0)  # more windows than wait for an engine

    class Busy(PausingPool):
        has_enough = True  # so the decoder has to wait until its windows are taken

    pool, retries_before = Busy(4), decoder_retries()
    with running(tmp_path, make_pool=lambda *_: pool, engine_processes=1) as runner:
        job = runner.submit()
        runner.wait(job, until=lambda _job: runner.worker.in_hand.audio_sec(job.number) > 0)
        killed = kill_decoders()
        pool.resume()
        done = runner.wait(job)
        attempts = {file.attempt for file in runner.files(done)}
        texts = [document["result"]["segments"] for document in runner.outputs().values()]
    assert counted(done.summary) == {"total_files": 2, "succeeded": 2}
    assert killed in (1, 2)  # one for each recording, as they take turns
    assert decoder_retries() == retries_before + killed
    assert attempts == {1}
    assert {len(segments) for segments in texts} == {len(texts[0])}  # nothing twice, nothing lost
    assert len(texts[0]) >= 400 / 30


def kill_decoders() -> int:
    """Kill the children of the fork server: with engines in this process they are decoders."""
    servers = [child for child in psutil.Process().children() if "forkserver" in " ".join(child.cmdline())]
    decoders = [child for server in servers for child in server.children()]
    for decoder in decoders:
        decoder.kill()
    return len(decoders)


def test_unresponsive_storage_is_tried_three_times_whatever_the_limit_of_worker_deaths(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_wav(tmp_path / "calls" / "a.wav")
    asked: list[str] = []

    def no_answer(_store: FileStore, uri: str) -> Recording:
        asked.append(uri)
        raise StorageUnavailable("The storage does not answer.")

    monkeypatch.setattr(FileStore, "open", no_answer)
    with running(tmp_path, max_deaths=10) as runner:
        job = runner.run()
        assert runner.files(job)[0].error_code == "STORAGE_UNAVAILABLE"
    assert len(asked) == 3
