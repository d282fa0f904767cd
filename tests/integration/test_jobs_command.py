"""`batchscribe jobs` and `batchscribe models`, run as a person runs them."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.integration.command import DATA, QUICK, Command, Result, wait_until
from tests.integration.test_transcribe_command import MANY, recordings, some_are_done, transcripts
from tests.recordings import write_wav


@pytest.fixture
def command(tmp_path: Path) -> Command:
    return Command(tmp_path)


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> tuple[Command, Result, Result]:
    """A folder with two stored jobs: a file that succeeded, then a folder with a failure."""
    command = Command(tmp_path_factory.mktemp("history"))
    write_wav(command.folder / "a.wav")
    recordings(command.folder / "calls", 2)
    (command.folder / "calls" / "empty.wav").touch()
    (command.folder / "calls" / "notes.txt").touch()
    return command, command.transcribe("a.wav"), command.transcribe("calls", "-o", "out")


def interrupted(command: Command, number: signal.Signals) -> Result:
    recordings(command.folder / "calls", MANY)
    words = ("transcribe", "calls", "-o", "out", *QUICK)
    return command.pausing().signaled(number, *words, when=some_are_done(command.folder / "out"))


def test_resume_finishes_from_anywhere_a_job_that_sigterm_stopped(command: Command, tmp_path: Path) -> None:
    first = interrupted(command, signal.SIGTERM)
    assert first.status == 143, first
    elsewhere = Command(tmp_path / "elsewhere", {"BATCHSCRIBE_DATA_DIR": str(tmp_path / DATA)})
    elsewhere.folder.mkdir()
    result = elsewhere.run("jobs", "resume", first.job_id)
    assert result.status == 0, result
    assert result.counters().items() >= {"job": first.job_id, "succeeded": str(MANY)}.items()
    assert len(transcripts(command.folder / "out")) == MANY


def test_resuming_a_job_that_has_ended_says_so_with_its_status(history: tuple[Command, Result, Result]) -> None:
    command, good, bad = history
    for job, status in ((good, 0), (bad, 1)):
        result = command.run("jobs", "resume", job.job_id)
        assert result.status == status, result
        assert f"{job.job_id} has already ended." in result.err


def test_a_canceled_job_keeps_its_transcripts_and_is_not_resumed(command: Command) -> None:
    job = interrupted(command, signal.SIGINT)
    kept = transcripts(command.folder / "out")
    write_wav(command.folder / "other.wav")
    other = command.transcribe("other.wav")  # another job, which does not affect the interrupted one
    assert other.counters().items() >= {"files": "1", "succeeded": "1"}.items()

    assert command.run("jobs", "cancel", job.job_id).status == 0
    assert command.run("jobs", "resume", job.job_id).status == 1
    assert transcripts(command.folder / "out") == kept
    body = command.run("jobs", "show", job.job_id, "--json").json()
    assert body["state"] == "CANCELED"
    assert body["summary"]["succeeded"] + body["summary"]["canceled"] == body["summary"]["total_files"]


def test_a_job_is_canceled_while_another_process_works_on_it(command: Command) -> None:
    recordings(command.folder / "calls", 4, duration_sec=25.0)  # far longer than the rest of this test
    words = ("transcribe", "calls", "-o", "out", "--engine", "pocketsphinx", "--segmentation", "none")
    database = command.folder / DATA / "batchscribe.db"
    with command.started(*words) as process:
        wait_until(database.exists)
        wait_until(lambda: "job_" in command.run("jobs", "list", "--json").out)  # fails while the schema is created
        (job,) = command.run("jobs", "list", "--json").json()["jobs"]
        canceled = command.run("jobs", "cancel", job["job_id"])
        out, err = process.communicate(timeout=60)
    assert canceled.status == 0, canceled
    assert process.returncode == 1, err
    assert "state: CANCELED\n" in out
    assert "Traceback" not in err
    assert command.run("jobs", "cancel", job["job_id"]).status == 1


def test_commands_that_only_read_create_no_database_and_say_that_there_is_nothing(command: Command) -> None:
    for words in (["jobs", "list"], ["keys", "list"], ["search", "word"], ["models", "list"]):
        result = command.run(*words)
        assert (result.status, result.out + result.err) != (0, ""), words
        assert result.status == 0, result
    assert command.run("jobs", "list").err.startswith("No jobs found.")
    assert command.run("jobs", "list", "--json").json() == {"jobs": []}
    for words in (["show"], ["files"], ["cancel"], ["wait"]):
        result = command.run("jobs", *words, "job_1")
        assert (result.status, result.err) == (2, NO_JOBS)
    assert not (command.folder / DATA).exists()


NO_JOBS = "Error: There is no job job_1: this data directory has no jobs yet. Choose another with --data-dir.\n"


def test_the_list_can_be_limited_to_a_state(history: tuple[Command, Result, Result]) -> None:
    command, good, bad = history
    for state, expected in (("SUCCEEDED", [good.job_id]), ("PARTIAL", [bad.job_id]), ("CANCELED", [])):
        listed = command.run("jobs", "list", "--state", state, "--json").json()["jobs"]
        assert [job["job_id"] for job in listed] == expected


def test_a_folder_without_a_supported_file_is_no_silent_success(command: Command) -> None:
    (command.folder / "calls").mkdir()
    (command.folder / "calls" / "a.xyz").write_bytes(b"1")
    result = command.transcribe("calls", "-o", "out")
    assert (result.status, result.counters()["state"]) == (1, "SUCCEEDED")
    assert "no file is in an accepted format" in result.out
    assert command.run("jobs", "wait", result.job_id, "--json").status == 1


def test_list_shows_the_newest_first_for_people_and_for_scripts(history: tuple[Command, Result, Result]) -> None:
    command, first, second = history
    bodies = command.run("jobs", "list", "--json").json()["jobs"]
    assert [body["job_id"] for body in bodies] == [second.job_id, first.job_id]
    assert bodies[1]["input"] == {"mode": "SINGLE", "source": "FILE", "uri": (command.folder / "a.wav").as_uri()}
    lines = command.run("jobs", "list", "--limit", "1").out.splitlines()
    assert len(lines) == 2
    assert second.job_id in lines[1]
    assert "PARTIAL" in lines[1]


def test_show_prints_failures_for_people_and_every_file_for_scripts(history: tuple[Command, Result, Result]) -> None:
    command, _, job = history
    told = command.run("jobs", "show", job.job_id)
    assert told.status == 0
    assert "Failed: calls/empty.wav: EMPTY_RECORDING: " in told.out
    assert "Skipped: calls/notes.txt: UNSUPPORTED_MEDIA: " in told.out
    files = command.run("jobs", "show", job.job_id, "--json").json()["files"]
    assert [file["state"] for file in files].count("FILE_SUCCEEDED") == 2
    assert len(files) == 4


def test_the_output_can_be_cut_off(history: tuple[Command, Result, Result]) -> None:
    """As `| head` does."""
    command, *_ = history
    with command.started("jobs", "list") as process:
        assert process.stdout is not None
        process.stdout.close()
        process.stdout = None
        _, err = process.communicate(timeout=60)
    assert "Traceback" not in err


def test_the_version_is_shown(command: Command) -> None:
    result = command.run("--version")
    assert result.status == 0
    assert result.out.startswith("batchscribe 0.")
