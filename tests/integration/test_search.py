"""What jobs store for search: the text of their transcripts as it was written, and nothing of files without one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from batchscribe.database.segment_rows import FoundSegment
from batchscribe.database.tables import transcript_segment
from batchscribe.stages.transcript_search import search
from batchscribe.wire.choices import JobState
from batchscribe.wire.config import Config
from batchscribe.wire.output import Output
from batchscribe.wire.vocabulary import Alias, Vocabulary
from tests.integration.flow_runner import EVERYTHING, FlowRunner, running
from tests.recordings import write_wav


def find(runner: FlowRunner, query: str) -> list[FoundSegment]:
    return search(runner.records, runner.settings, "default", query, limit=100).found


def stored(runner: FlowRunner) -> int:
    with runner.records.transaction() as connection:
        return connection.scalar(sa.select(sa.func.count()).select_from(transcript_segment)) or 0


@pytest.mark.usefixtures("database")
def test_a_transcript_is_found_by_its_words_at_their_time(tmp_path: Path) -> None:
    write_wav(tmp_path / "calls" / "a.wav", duration_sec=3.0, channels=2)
    with running(tmp_path) as runner:
        runner.run(config=EVERYTHING.model_copy(update={"channel_separation": True}))
        [transcript] = runner.outputs().values()
        found = find(runner, "fox")
        assert [each.segment.text for each in found] == [each["text"] for each in transcript["result"]["segments"]]
        assert [each.segment.speaker for each in found] == ["Speaker 1L", "Speaker 1R"]
        assert [each.segment.channel for each in found] == [0, 1]
        assert [each.segment.end_sec for each in found] == [each["end"] for each in transcript["result"]["segments"]]


def test_aliases_are_found_and_masked_words_are_not(tmp_path: Path) -> None:
    write_wav(tmp_path / "calls" / "a.wav", duration_sec=3.0)
    aliases = (Alias(canonical="shit Fuchs", variants=("fox",)),)
    config: Config = EVERYTHING.model_copy(update={"profanity_filter": True, "vocabulary": Vocabulary(aliases=aliases)})
    with running(tmp_path) as runner:
        runner.run(config=config)
        [hit] = find(runner, "fuchs")
        assert "s*** Fuchs" in hit.segment.text
        assert find(runner, "fox") == []
        assert find(runner, "shit") == []


def test_a_file_whose_transcript_is_kept_stores_none_of_its_own(tmp_path: Path) -> None:
    write_wav(tmp_path / "calls" / "a.wav", duration_sec=3.0)
    with running(tmp_path) as runner:
        first = runner.run()
        assert [hit.job_id for hit in find(runner, "fox")] == [first.job_id]
        second = runner.run()
        assert (second.state, second.summary.skipped) == (JobState.SUCCEEDED, 1)
        assert [hit.job_id for hit in find(runner, "fox")] == [first.job_id]
        again = runner.run(output=replace_existing(runner))
        assert [hit.job_id for hit in find(runner, "fox")] == [again.job_id, first.job_id]


def replace_existing(runner: FlowRunner) -> Output:
    output: Output = runner.submission().output.model_copy(update={"overwrite": True})
    return output


def test_a_file_that_fails_stores_nothing(tmp_path: Path) -> None:
    write_wav(tmp_path / "calls" / "a.wav", duration_sec=3.0)
    with running(tmp_path) as runner:
        (tmp_path / "out").mkdir()
        (tmp_path / "out").chmod(0o500)  # root may write anyway
        (tmp_path / "out" / "a.json").mkdir()
        job = runner.run(output=replace_existing(runner))
        assert job.summary.failed == 1, job.summary
        assert stored(runner) == 0


def test_with_search_off_nothing_is_stored(tmp_path: Path) -> None:
    write_wav(tmp_path / "calls" / "a.wav", duration_sec=3.0)
    with running(tmp_path, search="off") as runner:
        assert runner.run().summary.succeeded == 1
        assert stored(runner) == 0
        open_again = replace(runner, settings=runner.settings.model_copy(update={"search": "on"}))
        assert find(open_again, "fox") == []
