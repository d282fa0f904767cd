"""Dry runs against what the job then does."""

from __future__ import annotations

from pathlib import Path

import pytest

from batchscribe.errors import StorageError
from batchscribe.intake.dry_run import dry_run
from batchscribe.intake.preview import MOST_PLANNED, Preview
from tests.integration.flow_runner import FlowRunner, running
from tests.recordings import write_wav
from tests.servers.s3_server import S3Server


def looked_at(runner: FlowRunner, **changes: object) -> Preview:
    settings = runner.settings.model_copy(update={"file_roots": (runner.folder,)})
    return dry_run(runner.submission(**changes), settings)


@pytest.mark.usefixtures("database")
def test_what_is_planned_is_what_the_job_then_does(tmp_path: Path) -> None:
    for name in ("a.wav", "b/a.wav", "c.wav", "c.mp3", "notes.txt", "drafts/d.wav"):
        write_wav(tmp_path / "calls" / name)
    with running(tmp_path) as runner:
        sources = (runner.prefix("calls", exclude=("drafts/**",)),)
        preview = looked_at(runner, sources=sources)
        job = runner.run(sources=sources)
        files = [file for file in runner.files(job) if file.output_uri]
    assert preview.complete
    assert (preview.matched, preview.skipped, preview.excluded) == (len(files), job.summary.skipped, 1) == (4, 1, 1)
    assert preview.planned == [(file.input_uri, file.output_uri) for file in files]
    assert preview.bytes == sum(file.size_bytes or 0 for file in files)
    assert any("another name" in warning for warning in preview.warnings())


@pytest.mark.usefixtures("database")
def test_nothing_is_stored(tmp_path: Path) -> None:
    write_wav(tmp_path / "calls" / "a.wav")
    with running(tmp_path) as runner:
        looked_at(runner)
        assert runner.outputs() == {}
        with pytest.raises(AssertionError, match="no job"):
            _first_job(runner)


def _first_job(runner: FlowRunner) -> None:
    from batchscribe.database.job_rows import newest_jobs

    with runner.records.transaction() as connection:
        assert newest_jobs(connection, limit=1), "no job"


def test_a_hundred_pairs_are_shown_and_all_are_counted(tmp_path: Path) -> None:
    for number in range(MOST_PLANNED + 20):
        write_wav(tmp_path / "calls" / f"{number}.wav", duration_sec=0.01)
    with running(tmp_path) as runner:
        preview = looked_at(runner)
    assert (len(preview.planned), preview.matched) == (MOST_PLANNED, MOST_PLANNED + 20)


def test_a_manifest_reports_missing_files_and_files_that_are_not_recordings(tmp_path: Path) -> None:
    write_wav(tmp_path / "calls" / "a.wav")
    write_wav(tmp_path / "calls" / "notes.txt")
    with running(tmp_path) as runner:
        names = ("calls/a.wav", "calls/missing.wav", "calls/notes.txt")
        preview = looked_at(runner, sources=tuple(runner.file(name) for name in names))
    assert (preview.matched, preview.refused) == (2, 1)
    assert "Named files that were not found and would fail: 1." in preview.warnings()


def test_sizes_of_a_manifest_in_s3_are_requested(tmp_path: Path, moto_s3: S3Server) -> None:
    from batchscribe.jobs.source import Source, SourceKind

    bucket = moto_s3.new_bucket(**{"a.wav": b"x" * 1000})
    sources = tuple(Source(SourceKind.FILE, f"s3://{bucket}/{key}") for key in ("a.wav", "gone.wav"))
    with running(tmp_path, s3_endpoint=moto_s3.endpoint, s3_allow_http=True, s3_path_style=True) as runner:
        preview = looked_at(runner, sources=sources, input_credentials=moto_s3.access().credentials)
    assert preview.bytes == 1000
    assert preview.missing == 1


def test_a_folder_with_nothing_in_it_is_worth_a_warning(tmp_path: Path) -> None:
    (tmp_path / "calls").mkdir()
    with running(tmp_path) as runner:
        assert "No file would be transcribed" in looked_at(runner).warnings()[0]


def test_a_missing_folder_is_an_error(tmp_path: Path) -> None:
    with running(tmp_path) as runner, pytest.raises(StorageError):
        looked_at(runner)


def test_a_dry_run_stops_at_its_time_limit_and_says_so(tmp_path: Path) -> None:
    write_wav(tmp_path / "calls" / "a.wav")
    with running(tmp_path, dry_run_max_sec=1e-9) as runner:
        preview = looked_at(runner)
    assert not preview.complete
    assert any("The listing stopped after" in warning for warning in preview.warnings())
