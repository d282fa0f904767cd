"""An output name belongs to one recording forever, whatever recordings are added or removed beside it."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from batchscribe.database.file_rows import find_output_holder
from batchscribe.database.tables import file as file_table
from batchscribe.intake.dry_run import dry_run
from batchscribe.jobs.model import File, Job
from batchscribe.stages.naming import FileRegister
from batchscribe.wire.choices import FileState, OutputLayout
from batchscribe.wire.output import Output
from tests.integration.flow_runner import FlowRunner, running
from tests.recordings import write_wav


@pytest.fixture
def runner(tmp_path: Path) -> Iterator[FlowRunner]:
    with running(tmp_path) as started:
        yield started


def recording(runner: FlowRunner, name: str, duration_sec: float) -> None:
    write_wav(runner.folder / "calls" / name, duration_sec=duration_sec)


def durations(runner: FlowRunner) -> dict[str, float]:
    """Return the recording of each transcript, identified by its length."""
    return {name: transcript["duration_sec"] for name, transcript in runner.outputs().items()}


def told(runner: FlowRunner, job: Job) -> dict[str, tuple[str, FileState]]:
    """Return the name and state of each recording, by its path below `calls/`."""
    return {
        file.input_uri.partition("/calls/")[2]: (file.output_uri.partition("/out/")[2], file.state)
        for file in runner.files(job)
    }


def preview(runner: FlowRunner, **changes: Any) -> dict[str, str]:
    settings = runner.settings.model_copy(update={"file_roots": (runner.folder,)})
    planned = dry_run(runner.submission(**changes), settings).planned
    return {uri.partition("/calls/")[2]: output.partition("/out/")[2] for uri, output in planned}


def overwriting(runner: FlowRunner, name: str = "", layout: OutputLayout = OutputLayout.PREFIX) -> Output:
    return Output(uri=f"{(runner.folder / 'out').as_uri()}/{name}", layout=layout, overwrite=True)


def by_an_older_release(runner: FlowRunner) -> None:
    """Rewrite transcripts like the first release, without the URI of their input."""
    for path in (runner.folder / "out").rglob("*.json"):
        document = json.loads(path.read_bytes())
        del document["metadata"]["input"]["uri"]
        path.write_text(json.dumps(document))


def as_they_are(_: FlowRunner) -> None:
    """Keep this release's transcripts."""


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("age", [as_they_are, by_an_older_release])
def test_a_recording_that_arrives_later_takes_no_name_from_another(
    runner: FlowRunner, age: Callable[[FlowRunner], None]
) -> None:
    recording(runner, "meeting.wav", 4)
    runner.run()
    age(runner)
    recording(runner, "meeting.mp3", 6)  # sorts before meeting.wav
    expected = {"meeting.mp3": "meeting.mp3.json", "meeting.wav": "meeting.json"}
    assert preview(runner) == expected
    job = runner.run()
    assert told(runner, job) == {
        "meeting.mp3": ("meeting.mp3.json", FileState.SUCCEEDED),
        "meeting.wav": ("meeting.json", FileState.SKIPPED),
    }
    assert durations(runner) == {"meeting.json": 4.0, "meeting.mp3.json": 6.0}
    assert {name for name, _ in told(runner, runner.run()).values()} == set(expected.values())
    assert preview(runner) == expected
    assert told(runner, runner.run(output=overwriting(runner))) == {
        "meeting.mp3": ("meeting.mp3.json", FileState.SUCCEEDED),
        "meeting.wav": ("meeting.json", FileState.SUCCEEDED),
    }
    assert durations(runner) == {"meeting.json": 4.0, "meeting.mp3.json": 6.0}


@pytest.mark.usefixtures("database")
def test_two_recordings_renamed_at_once_get_their_own_names(
    runner: FlowRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording(runner, "meeting.mp3", 6)
    recording(runner, "meeting.wav", 4)
    job = runner.run()
    with runner.records.transaction() as connection:  # as if they were in progress
        connection.execute(sa.update(file_table).values(state=FileState.PROCESSING))
    mp3, wav = sorted(runner.files(job), key=lambda file: file.input_uri)
    own_name = mp3.output_uri.replace("meeting.json", "meeting.mp3.json")
    names = FileRegister(job, runner.records)
    mover = threading.Thread(target=names.take_over, args=(mp3, own_name))
    asked: list[str] = []

    def holder_while_it_moves(connection: sa.Connection, job_number: int, uri: str) -> File | None:
        holder = find_output_holder(connection, job_number, uri)
        asked.append(uri)
        if len(asked) == 2:  # its current name, if a new one is requested
            mover.start()
            mover.join(0.5)  # it may have to wait for this very transaction
        return holder

    monkeypatch.setattr("batchscribe.stages.naming.find_output_holder", holder_while_it_moves)
    names.take_over(wav, mp3.output_uri)
    mover.join()
    assert told(runner, job) == {
        "meeting.mp3": ("meeting.mp3.json", FileState.PROCESSING),
        "meeting.wav": ("meeting.json", FileState.PROCESSING),
    }


@pytest.mark.parametrize("overwrite", [False, True])
def test_the_records_tell_whose_an_old_transcript_is_though_another_recording_has_its_bytes(
    runner: FlowRunner, overwrite: bool
) -> None:
    recording(runner, "meeting.mp3", 4)
    runner.run()
    by_an_older_release(runner)
    (runner.folder / "calls" / "meeting.mp3").rename(runner.folder / "calls" / "meeting.wav")
    recording(runner, "meeting.mp3", 6)
    sources = (runner.file("calls/meeting.wav"), runner.file("calls/meeting.mp3"))  # the one with its bytes first
    job = runner.run(sources=sources, **({"output": overwriting(runner)} if overwrite else {}))
    assert told(runner, job) == {
        "meeting.mp3": ("meeting.json", FileState.SUCCEEDED if overwrite else FileState.SKIPPED),
        "meeting.wav": ("meeting.wav.json", FileState.SUCCEEDED),
    }
    assert durations(runner) == {"meeting.json": 6.0 if overwrite else 4.0, "meeting.wav.json": 4.0}


def test_without_records_an_old_transcript_is_not_that_of_a_recording_of_another_size(runner: FlowRunner) -> None:
    recording(runner, "meeting.wav", 4)
    runner.run()
    by_an_older_release(runner)
    recording(runner, "meeting.mp3", 6)
    job = runner.run(tenant="newcomer")  # without records
    assert told(runner, job) == {
        "meeting.mp3": ("meeting.mp3.json", FileState.SUCCEEDED),
        "meeting.wav": ("meeting.json", FileState.SKIPPED),
    }


def test_without_records_a_copy_of_a_folder_keeps_its_names(runner: FlowRunner) -> None:
    recording(runner, "meeting.wav", 4)
    runner.run()
    by_an_older_release(runner)
    (runner.folder / "calls" / "meeting.wav").touch()
    job = runner.run(tenant="newcomer")
    assert told(runner, job) == {"meeting.wav": ("meeting.json", FileState.SKIPPED)}


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_name_stays_with_a_recording_that_has_gone(runner: FlowRunner, overwrite: bool) -> None:
    recording(runner, "meeting.wav", 4)
    runner.run()
    (runner.folder / "calls" / "meeting.wav").unlink()
    recording(runner, "meeting.mp3", 6)
    job = runner.run(**({"output": overwriting(runner)} if overwrite else {}))
    assert told(runner, job) == {"meeting.mp3": ("meeting.mp3.json", FileState.SUCCEEDED)}
    assert durations(runner) == {"meeting.json": 4.0, "meeting.mp3.json": 6.0}


def test_a_recording_keeps_the_second_name_after_the_first_recording_is_gone(runner: FlowRunner) -> None:
    recording(runner, "meeting.mp3", 6)
    recording(runner, "meeting.wav", 4)
    runner.run()
    (runner.folder / "calls" / "meeting.mp3").unlink()
    (runner.folder / "out" / "meeting.json").unlink()
    assert told(runner, runner.run()) == {"meeting.wav": ("meeting.wav.json", FileState.SKIPPED)}
    assert preview(runner) == {"meeting.wav": "meeting.wav.json"}


def test_a_manifest_in_another_order_changes_no_name(runner: FlowRunner) -> None:
    names = [f"{folder}/call.wav" for folder in "abcde"]
    for number, name in enumerate(names, 1):
        recording(runner, name, number)
    sources = [runner.file(f"calls/{name}") for name in names]
    first = told(runner, runner.run(sources=tuple(sources)))
    assert {name: output for name, (output, _) in first.items()} == {
        "a/call.wav": "call.json",
        "b/call.wav": "call.wav.json",
        "c/call.wav": "call.wav-2.json",
        "d/call.wav": "call.wav-3.json",
        "e/call.wav": "call.wav-4.json",
    }
    recording(runner, "z/call.wav", 9)
    shuffled = (runner.file("calls/z/call.wav"), *(sources[at] for at in (3, 4, 2, 0)))
    before = durations(runner)
    again = told(runner, runner.run(sources=shuffled))
    assert again.pop("z/call.wav")[1] is FileState.SUCCEEDED
    assert again == {name: (first[name][0], FileState.SKIPPED) for name in again}
    after = durations(runner)
    assert {name: after[name] for name in before} == before
    assert [after[name] for name in after if name not in before] == [9.0]


def test_the_same_names_in_another_folder_are_other_recordings(runner: FlowRunner) -> None:
    recording(runner, "monday/001.wav", 2)
    recording(runner, "tuesday/001.wav", 3)
    runner.run(sources=(runner.prefix("calls/monday"),))
    runner.run(sources=(runner.prefix("calls/tuesday"),), output=overwriting(runner))
    assert durations(runner) == {"001.json": 2.0, "001.wav.json": 3.0}


def test_a_copy_of_a_recording_has_not_moved_while_the_first_one_is_there(runner: FlowRunner) -> None:
    recording(runner, "a/call.wav", 4)
    runner.run(sources=(runner.file("calls/a/call.wav"),))
    (runner.folder / "calls" / "b").mkdir()
    shutil.copy2(runner.folder / "calls" / "a" / "call.wav", runner.folder / "calls" / "b")
    sources = (runner.file("calls/b/call.wav"), runner.file("calls/a/call.wav"))
    for state in (FileState.SUCCEEDED, FileState.SKIPPED):
        names = told(runner, runner.run(sources=sources))
        assert names["a/call.wav"] == ("call.json", FileState.SKIPPED)
        assert names["b/call.wav"][1] is state
        assert set(runner.outputs()) == {"call.json", names["b/call.wav"][0]}


def test_a_folder_that_was_moved_is_not_done_again(runner: FlowRunner) -> None:
    recording(runner, "here/meeting.wav", 4)
    runner.run(sources=(runner.prefix("calls/here"),))
    (runner.folder / "calls" / "here").rename(runner.folder / "calls" / "there")
    recording(runner, "there/meeting.mp3", 6)
    job = runner.run(sources=(runner.prefix("calls/there"),))
    assert told(runner, job) == {
        "there/meeting.mp3": ("meeting.mp3.json", FileState.SUCCEEDED),
        "there/meeting.wav": ("meeting.json", FileState.SKIPPED),
    }


def test_records_tell_whose_an_old_transcript_is_when_its_recording_has_changed(runner: FlowRunner) -> None:
    recording(runner, "meeting.wav", 4)
    runner.run()
    by_an_older_release(runner)
    recording(runner, "meeting.wav", 5)
    recording(runner, "meeting.mp3", 6)
    assert told(runner, runner.run()) == {
        "meeting.mp3": ("meeting.mp3.json", FileState.SUCCEEDED),
        "meeting.wav": ("meeting.json", FileState.SKIPPED),
    }


def test_a_changed_recording_keeps_its_name(runner: FlowRunner) -> None:
    recording(runner, "meeting.wav", 4)
    runner.run()
    recording(runner, "meeting.wav", 5)
    assert told(runner, runner.run(output=overwriting(runner))) == {
        "meeting.wav": ("meeting.json", FileState.SUCCEEDED)
    }
    assert durations(runner) == {"meeting.json": 5.0}


def test_an_output_that_is_named_exactly_never_becomes_another_recordings(runner: FlowRunner) -> None:
    recording(runner, "a.wav", 4)
    recording(runner, "b.wav", 6)
    output = overwriting(runner, "told.json", OutputLayout.SINGLE)
    runner.run(sources=(runner.file("calls/a.wav"),), output=output)
    job = runner.run(sources=(runner.file("calls/b.wav"),), output=output)
    file = runner.files(job)[0]
    assert (file.state, file.error_code) == (FileState.FAILED, "OUTPUT_EXISTS")
    assert file.error_message is not None
    assert "calls/a.wav" in file.error_message
    assert durations(runner) == {"told.json": 4.0}


def test_a_file_that_is_not_a_transcript_is_kept_and_reported(runner: FlowRunner) -> None:
    recording(runner, "call.wav", 1)
    adjacent = runner.folder / "calls" / "call.json"
    adjacent.write_text('{"agent": 7}')
    job = runner.run(output=Output(layout=OutputLayout.ADJACENT))
    file = runner.files(job)[0]
    assert (file.state, file.error_code) == (FileState.SKIPPED, "OUTPUT_EXISTS")
    assert "not a transcript" in (file.error_message or "")
    assert adjacent.read_text() == '{"agent": 7}'


def test_two_jobs_at_once_do_each_recording_and_mix_up_none(runner: FlowRunner) -> None:
    for folder, duration_sec in (("x", 2), ("y", 3)):
        for name in ("a.wav", "b.wav", "c.wav"):
            recording(runner, f"{folder}/{name}", duration_sec)
    jobs = [runner.submit(sources=(runner.prefix(f"calls/{folder}"),)) for folder in ("x", "y")]
    for job in jobs:
        assert {state for _, state in told(runner, runner.wait(job)).values()} == {FileState.SUCCEEDED}
    for job, expected in zip(jobs, (2.0, 3.0), strict=True):
        assert {durations(runner)[name] for name, _ in told(runner, job).values()} == {expected}
    assert len(durations(runner)) == 6


def test_a_name_that_is_too_long_fails_before_the_work_and_in_the_dry_run(runner: FlowRunner) -> None:
    (runner.folder / "calls").mkdir()
    for name in ("n" * 251 + ".wav", "m" * 250 + ".wav"):  # with .json: 256 and 255 bytes
        recording(runner, name, 1)
    settings = runner.settings.model_copy(update={"file_roots": (runner.folder,)})
    planned = dry_run(runner.submission(), settings)
    assert (planned.matched, planned.too_long) == (1, 1)
    assert any("longer than the storage allows" in warning for warning in planned.warnings())
    job = runner.run()
    assert [(file.state, file.error_code, file.attempt) for file in runner.files(job)] == [
        (FileState.SUCCEEDED, None, 1),
        (FileState.FAILED, "OUTPUT_NAME_TOO_LONG", 0),
    ]
    assert told(runner, runner.run())["m" * 250 + ".wav"] == ("m" * 250 + ".json", FileState.SKIPPED)


def test_a_folder_of_links_says_so_and_what_macos_leaves_gets_no_row(runner: FlowRunner) -> None:
    write_wav(runner.folder / "elsewhere" / "a.wav")
    (runner.folder / "calls" / "__MACOSX").mkdir(parents=True)
    (runner.folder / "calls" / "a.wav").symlink_to(runner.folder / "elsewhere" / "a.wav")
    (runner.folder / "calls" / "._a.wav").write_bytes(b"x")
    (runner.folder / "calls" / "__MACOSX" / "a.wav").write_bytes(b"x")
    job = runner.run()
    files = runner.files(job)
    assert [(file.state, file.error_code) for file in files] == [(FileState.SKIPPED, "LOCATION_NOT_ALLOWED")]
    assert "Symbolic links in a folder are not followed" in (files[0].error_message or "")
