"""The rows of `batchscribe watch`, on both databases."""

from __future__ import annotations

import sqlalchemy as sa

from batchscribe.database.watched_rows import (
    WatchedRecording,
    find_unfinished_jobs,
    forget_watched,
    mark_done,
    read_watched,
    store_watched,
    take_back,
)

NEW = WatchedRecording("file:///a.wav", "1", "x", "job_1", is_done=False)
REPLACED = WatchedRecording("file:///" + "b" * 5000 + ".wav", "2", "y", "job_1", replaces=True, is_done=False)


def test_a_watch_sees_only_its_own_recordings_in_their_latest_version(connection: sa.Connection) -> None:
    store_watched(connection, "one", [NEW, REPLACED])
    store_watched(connection, "two", [WatchedRecording(NEW.uri, "9", "z")])
    mark_done(connection, "one", "job_1")
    assert find_unfinished_jobs(connection, "one") == []
    assert set(read_watched(connection, "one")) == {NEW.uri, REPLACED.uri}
    store_watched(connection, "one", [WatchedRecording(NEW.uri, "3", "w")])
    assert read_watched(connection, "one")[NEW.uri].content == "w"
    forget_watched(connection, "one", [NEW.uri])
    assert set(read_watched(connection, "one")) == {REPLACED.uri}
    assert read_watched(connection, "two")[NEW.uri].content == "z"


def test_what_a_job_took_is_new_again_but_a_transcript_is_still_to_be_replaced(connection: sa.Connection) -> None:
    store_watched(connection, "one", [NEW, REPLACED])
    assert find_unfinished_jobs(connection, "one") == ["job_1"]
    take_back(connection, "one", "job_1")
    (left,) = read_watched(connection, "one").values()
    assert (left.uri, left.content, left.is_done) == (REPLACED.uri, "", True)
    assert find_unfinished_jobs(connection, "one") == []
