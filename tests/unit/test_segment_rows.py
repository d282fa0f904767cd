"""Search on both databases: many languages, tenants apart, newest first, and what is no longer found."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
import sqlalchemy as sa

from batchscribe.database.file_rows import begin_write, claim, commit_outcome, end_write, get_file, requeue
from batchscribe.database.reader_rows import find_waveform
from batchscribe.database.segment_index import MARK_CHARS, mark_of
from batchscribe.database.segment_rows import FoundSegment, delete_segments, search_segments, store_segments
from batchscribe.database.shard_rows import begin_shard
from batchscribe.database.tables import file, job, transcript_segment
from batchscribe.jobs.model import File, Job, Outcome, WrittenTranscript
from batchscribe.jobs.search_query import SearchQuery
from batchscribe.jobs.spoken_segment import SpokenSegment
from batchscribe.window import Waveform
from batchscribe.wire.choices import FileState
from tests.jobs_on_record import stored_job

#: Each text with queries that find it, and queries that find none of the texts.
TEXTS: dict[str, tuple[list[str], list[str]]] = {
    "Hello world, this is the billing department.": (
        ["hello", "HELLO department", '"the billing"', "depart*", '"billing" hello', "WORLD,"],
        ['"world hello"', "depart", "hello missing", '"hello billing"'],
    ),
    "Die Größe der Straße ist schön.": (["grosse", "GRÖSSE", "straße", "strasse", "schon"], ["groß"]),
    "À l'école, le garçon était naïf.": (["ecole", "l'école", "garcon", "a", "Naif"], ["lecole"]),
    "\u0130stanbul'da ISPARTA g\u00fcl\u00fc ve \u0131s\u0131.": (
        ["istanbul", "\u0130STANBUL", "\u0131sparta", "gulu", "isi"],
        [],
    ),
    "\u0623\u0647\u0644\u0627\u064b \u0645\u064f\u062d\u064e\u0645\u0651\u064e\u062f": (
        ["\u0627\u0647\u0644\u0627", "\u0645\u062d\u0645\u062f"],
        [],
    ),
    "\u05e9\u05b8\u05dc\u05d5\u05b9\u05dd \u05e2\u05d5\u05dc\u05dd": (
        ["\u05e9\u05dc\u05d5\u05dd", '"\u05e9\u05dc\u05d5\u05dd \u05e2\u05d5\u05dc\u05dd"'],
        [],
    ),
    "नमस्ते, आप कैसे हैं?": (["नमस्ते", "कैसे", "नमस्*"], ["नमस"]),
    "我们在北京工作。": (["北京", "京工", "我们 工作", '"北京工作"'], ["京北", "上海"]),
    "東京タワーへ行きました。": (["東京", "タワー", "ﾀﾜｰ", "行きました"], ["京東"]),
    "저는 학교에서 공부합니다.": (["학교", "학교에서", "공부"], ["교학"]),
    "สวัสดีครับ ผมชื่อสมชาย": (["สวัสดี", "สมชาย", "ชื่อ"], ["ครู"]),
    "The total is 1,234.56 euros, order 0042.": (
        ["1,234.56", "0042", '"1 234"'],
        ["42"],
    ),
    "I don't know; it's O'Brien's e-mail: ada.lovelace@example.com": (
        ["don't", "don\u2019t", "o'brien", "e-mail", "ada.lovelace@example.com", "lovelace"],
        ["dont", "com@example"],
    ),
    "Great job 👍🏽 everyone 🎉": (["everyone", '"great job everyone"', "job 👍🏽"], []),
    'f*** off AND out OR NEAR (the) : "caret" ^ end': (
        ["f***", "AND", "or near", "near(the)", ":caret^"],
        ["fuck", "f*** missing"],
    ),
}
TEXT_LIST = list(TEXTS)
FOUND = [(query, text) for text, (queries, _) in TEXTS.items() for query in queries]
NOT_FOUND = [query for _, queries in TEXTS.values() for query in queries]


def spoken(*texts: str, **fields: Any) -> list[SpokenSegment]:
    return [SpokenSegment(number, number + 1.0, 0, fields.get("speaker"), text) for number, text in enumerate(texts)]


def transcribed(connection: sa.Connection, *transcripts: Iterable[str], **changes: Any) -> Job:
    """Store a job whose files have these transcripts."""
    item = stored_job(connection, files=len(transcripts), **changes)
    connection.execute(sa.update(file).where(file.c.job == item.number).values(state=FileState.SUCCEEDED))
    for seq, texts in enumerate(transcripts, 1):
        store_segments(connection, item.number, seq, spoken(*texts))
    return item


def find(connection: sa.Connection, query: str, tenant: str = "default", **page: Any) -> list[FoundSegment]:
    return search_segments(connection, tenant, SearchQuery.parse(query), **({"limit": 100} | page)).found


def texts(found: Iterable[FoundSegment]) -> list[str]:
    return [each.segment.text for each in found]


@pytest.fixture
def many_languages(connection: sa.Connection) -> sa.Connection:
    transcribed(connection, TEXT_LIST)
    return connection


@pytest.mark.parametrize(("query", "text"), FOUND)
def test_a_text_is_found_by_its_words_in_any_spelling(many_languages: sa.Connection, query: str, text: str) -> None:
    found = find(many_languages, query)
    assert text in texts(found)
    assert all(each.spans for each in found), "what the database found is marked"


@pytest.mark.parametrize("query", NOT_FOUND)
def test_other_words_find_nothing(many_languages: sa.Connection, query: str) -> None:
    assert find(many_languages, query) == []


def test_every_hit_is_one_by_our_own_matching_and_no_other_segment_is(many_languages: sa.Connection) -> None:
    for query in {query for query, _ in FOUND}:
        phrases = SearchQuery.parse(query).phrases
        wanted = {text for text in TEXT_LIST if all(SearchQuery((phrase,)).spans(text) for phrase in phrases)}
        assert set(texts(find(many_languages, query))) == wanted, query


def test_the_latest_transcript_comes_first_and_its_segments_in_their_order(connection: sa.Connection) -> None:
    transcribed(connection, ["yes 1", "no", "yes 2"], ["yes 3"])
    transcribed(connection, ["yes 4", "yes 5"], job_id="job_2")
    assert texts(find(connection, "yes")) == ["yes 4", "yes 5", "yes 3", "yes 1", "yes 2"]


def test_pages_continue_where_the_last_one_ended(connection: sa.Connection) -> None:
    transcribed(connection, [f"yes {number}" for number in range(25)])
    shown: list[str] = []
    before: int | None = None
    while page := find(connection, "yes", limit=10, before=before):
        shown += texts(page)
        before = page[-1].number
    assert shown == [f"yes {number}" for number in range(25)]


def test_a_hit_says_where_it_is(connection: sa.Connection) -> None:
    item = transcribed(connection, [])
    segments = [SpokenSegment(61.5, 64.25, 1, "Speaker 1R", "The late refund")]
    store_segments(connection, item.number, 1, segments)
    [hit] = find(connection, "refund late")
    assert hit.answer().body() == {
        "job_id": "job_1",
        "file_id": "f_000001",
        "input_uri": "memory://calls/1.wav",
        "output_uri": "memory://out/1.json",
        "start": 61.5,
        "end": 64.25,
        "channel": 1,
        "speaker": "Speaker 1R",
        "text": "The late refund",
        "matches": [[4, 8], [9, 15]],
    }


WAVEFORM, OTHER_WAVEFORM = Waveform(0.02, (b"\x01\x02",)), Waveform(0.04, (b"\x03", b"\x04"))
ODD_NAMES = ["default", "o'tenant\" -- %", "名前", "a b*", "A B*", "mark"]


def test_tenants_never_see_each_others_text(connection: sa.Connection) -> None:
    for number, tenant in enumerate(ODD_NAMES):
        transcribed(connection, [f"common word of {number}"], tenant=tenant, job_id=f"job_{number}")
    for number, tenant in enumerate(ODD_NAMES):
        assert texts(find(connection, "common", tenant)) == [f"common word of {number}"]
    assert find(connection, "common", "nobody") == []


def test_tenants_with_the_same_mark_are_distinguished(
    connection: sa.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("batchscribe.database.segment_index.mark_of", lambda _tenant: "0" * MARK_CHARS)
    transcribed(connection, ["common word"])
    transcribed(connection, ["common place"], tenant="other", job_id="job_2")
    assert texts(find(connection, "common")) == ["common word"]
    assert texts(find(connection, "common", "other")) == ["common place"]


def test_the_mark_of_a_tenant_is_no_word_of_its_transcripts(connection: sa.Connection) -> None:
    transcribed(connection, ["common word"])
    assert find(connection, mark_of("default")) == []
    assert find(connection, f"{mark_of('default')}*") == []


# --- what is replaced or removed -------------------------------------------------------------------------------


def claimed(connection: sa.Connection, item: Job) -> File:
    begin_shard(connection, item.number, 1)
    assert claim(connection, get_file(connection, item.number, 1), run=1)
    return get_file(connection, item.number, 1)


def succeed(connection: sa.Connection) -> None:
    connection.execute(sa.update(file).values(state=FileState.SUCCEEDED))


def written(*texts: str) -> WrittenTranscript:
    return WrittenTranscript(1.0, (), ("digest",), tuple(spoken(*texts)))


def stored(connection: sa.Connection) -> int:
    return connection.scalar(sa.select(sa.func.count()).select_from(transcript_segment)) or 0


def test_a_transcript_is_found_when_its_file_has_succeeded(connection: sa.Connection) -> None:
    item = stored_job(connection, files=1)
    assert begin_write(connection, claimed(connection, item), written("spoken words"))
    assert find(connection, "spoken") == [], "it may not be there yet"
    succeed(connection)
    assert texts(find(connection, "spoken")) == ["spoken words"]


def test_a_later_attempt_replaces_the_text(connection: sa.Connection) -> None:
    item = stored_job(connection, files=1)
    attempt = claimed(connection, item)
    for words in ("first words", "second words"):
        assert begin_write(connection, attempt, written(words, words))
    succeed(connection)
    assert texts(find(connection, "words")) == ["second words"] * 2
    assert find(connection, "first") == []


def test_an_attempt_that_is_lost_stores_nothing(connection: sa.Connection) -> None:
    item = stored_job(connection, files=1)
    attempt = claimed(connection, item)
    assert claim(connection, attempt, run=1)
    assert not begin_write(connection, attempt, written("late words"))
    assert stored(connection) == 0


def test_text_without_a_transcript_is_removed(connection: sa.Connection) -> None:
    item = stored_job(connection, files=1)
    attempt = claimed(connection, item)
    begin_write(connection, attempt, written("words"))
    end_write(connection, attempt)
    assert stored(connection) == 0


def test_text_stays_for_the_next_attempt_which_may_find_its_transcript(connection: sa.Connection) -> None:
    item = stored_job(connection, files=1)
    attempt = claimed(connection, item)
    begin_write(connection, attempt, written("late refund"))
    requeue(connection, attempt)
    assert get_file(connection, item.number, 1).output_digests == ("digest",)
    assert find(connection, "refund") == []
    assert claim(connection, get_file(connection, item.number, 1), run=1)
    assert commit_outcome(connection, attempt, Outcome.succeeded(duration_sec=1.0))
    assert texts(find(connection, "refund")) == ["late refund"]


def test_a_later_attempt_replaces_the_waveform(connection: sa.Connection) -> None:
    item = stored_job(connection, files=1)
    attempt = claimed(connection, item)
    for waveform in (WAVEFORM, OTHER_WAVEFORM):
        begin_write(connection, attempt, WrittenTranscript(1.0, (), ("digest",), waveform=waveform))
    assert find_waveform(connection, item.number, 1) == OTHER_WAVEFORM


def test_text_goes_with_its_job_also_from_the_index(connection: sa.Connection) -> None:
    transcribed(connection, ["common word"])
    kept = transcribed(connection, ["common word"], job_id="job_2")
    connection.execute(sa.delete(job).where(job.c.job_id == "job_1"))
    assert [hit.job_id for hit in find(connection, "common")] == ["job_2"]
    delete_segments(connection, kept.number, 1)
    assert stored(connection) == 0
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("INSERT INTO segment_index(segment_index, rank) VALUES ('integrity-check', 1)")
        rows = connection.exec_driver_sql("SELECT count(*) FROM segment_index WHERE segment_index MATCH 'w*'")
        assert rows.scalar() == 0


def test_a_deleted_job_is_hidden_before_its_rows_are_gone(connection: sa.Connection) -> None:
    transcribed(connection, ["common word"])
    connection.execute(sa.update(job).values(deleted_at=1.0))
    assert find(connection, "common") == []


def test_hidden_text_does_not_end_a_page_early(connection: sa.Connection) -> None:
    transcribed(connection, ["common word"])
    transcribed(connection, ["common word"] * 35, job_id="job_2")
    connection.execute(sa.update(job).where(job.c.job_id == "job_2").values(deleted_at=1.0))
    assert [hit.job_id for hit in find(connection, "common", limit=5)] == ["job_1"]


def test_a_page_ends_early_before_it_reads_all_text_of_deleted_jobs(
    connection: sa.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("batchscribe.database.segment_rows.MOST_LEFT_OUT", 100)
    transcribed(connection, ["common word"])
    transcribed(connection, ["common word"] * 500, job_id="job_2")
    connection.execute(sa.update(job).where(job.c.job_id == "job_2").values(deleted_at=1.0))
    query = SearchQuery.parse("common")
    before: int | None = None
    pages: list[list[str]] = []
    while not pages or before is not None:
        page = search_segments(connection, "default", query, before=before, limit=5)
        pages.append([hit.job_id for hit in page.found])
        before = page.before
    assert pages == [[], [], [], ["job_1"]]


# --- long segments ---------------------------------------------------------------------------------------------


LONG_TEXTS = [
    " ".join([*(f"word{number}" for number in range(20_000)), "the late refund arrives"]),
    " ".join(["the rest"] * 400 + ["of the refund"]),
    " ".join(["quiet"] * 17_000 + ["refund", "late"]),
]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ('"late refund"', [0]),
        ('"refund late"', [2]),
        ('"the refund"', [1]),
        ('"the late" arrives', [0]),
        ('"late refu"', []),
        ('"quiet arrives"', []),
        ('"word19998 word19999 the"', [0]),
        ("the-late-ref*", [0]),
        ("refund", [0, 1, 2]),
    ],
)
def test_phrases_are_found_anywhere_in_a_long_segment(connection: sa.Connection, query: str, found: list[int]) -> None:
    """A tsvector has no positions after 16,383, and at most 255 of a term."""
    transcribed(connection, LONG_TEXTS)
    assert texts(find(connection, query)) == [LONG_TEXTS[number] for number in found]


@pytest.mark.parametrize("words", [["word"] * 120_000, [f"{number:06}{'x' * 20}" for number in range(40_000)]])
def test_a_segment_with_more_than_a_tsvector_can_hold_is_stored(connection: sa.Connection, words: list[str]) -> None:
    """PostgreSQL would refuse more than 1 MiB, again and again. Different words after that are not indexed there."""
    transcribed(connection, [" ".join(["the first", *words, "last"])])
    assert len(find(connection, '"the first"')) == 1
    assert find(connection, '"last first"') == []
    if len(set(words)) == 1 or connection.dialect.name == "sqlite":
        assert len(find(connection, "last")) == 1
