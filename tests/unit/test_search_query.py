"""Queries: what users type, what it means, and what is refused."""

from __future__ import annotations

import pytest

from batchscribe.errors import InvalidRequest
from batchscribe.jobs.search_query import MAX_QUERY_CHARS, MAX_QUERY_TERMS, QueryPhrase, SearchQuery


def parsed(text: str) -> list[QueryPhrase]:
    return list(SearchQuery.parse(text).phrases)


def marked(query: str, text: str) -> list[str]:
    return [text[start:end] for start, end in SearchQuery.parse(query).spans(text)]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("refund", [QueryPhrase(("refund",))]),
        ("Late  refund refund", [QueryPhrase(("late",)), QueryPhrase(("refund",))]),
        ('"late refund" order', [QueryPhrase(("late", "refund")), QueryPhrase(("order",))]),
        ("“late refund”", [QueryPhrase(("late", "refund"))]),
        ("invoic*", [QueryPhrase(("invoic",), is_prefix=True)]),
        ("e-mai*", [QueryPhrase(("e", "mai"), is_prefix=True)]),
        ("don't", [QueryPhrase(("don", "t"))]),
        ("東京*", [QueryPhrase(("東", "京"), is_prefix=True)]),
        ('"refun*"', [QueryPhrase(("refun",))]),
        ("f***", [QueryPhrase(("f",))]),
        ("*", None),
        ("a AND b", [QueryPhrase(("a",)), QueryPhrase(("and",)), QueryPhrase(("b",))]),
        (
            "text:(x OR ^y) NEAR/2",
            [QueryPhrase(("text", "x")), QueryPhrase(("or",)), QueryPhrase(("y",)), QueryPhrase(("near", "2"))],
        ),
        ('""', None),
        ("👍 ?!", None),
        ("", None),
    ],
)
def test_operators_are_plain_text_and_words_with_punctuation_are_phrases(
    text: str, wanted: list[QueryPhrase] | None
) -> None:
    if wanted is None:
        with pytest.raises(InvalidRequest, match="no letter or digit"):
            parsed(text)
    else:
        assert parsed(text) == wanted


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("x" * (MAX_QUERY_CHARS + 1), "longer than 200 characters"),
        (" ".join(f"{number}" for number in range(MAX_QUERY_TERMS + 1)), "more than 32 words"),
        ('late "refund', "is not closed"),
        ("r*", "at least 2 letters"),
    ],
)
def test_a_refusal_says_what_is_wrong(text: str, told: str) -> None:
    with pytest.raises(InvalidRequest, match=told) as refused:
        parsed(text)
    assert refused.value.field == "q"


@pytest.mark.parametrize(
    ("query", "text", "wanted"),
    [
        ("refund", "A refund? Refunds, REFUND!", ["refund", "REFUND"]),
        ("refund*", "A refund? Refunds!", ["refund", "Refunds"]),
        ('"late refund"', "Late refund, refund late, late refund.", ["Late refund", "late refund"]),
        ("late refund", "The late refund", ["late", "refund"]),
        ('"a b" "b c"', "a b c", ["a b c"]),
        ("straße", "In der STRASSE 5", ["STRASSE"]),
        ("京は", "東京は日本の首都", ["京は"]),
        ("학교", "학교에서", ["학교"]),
        ("don't", "I don\u2019t know", ["don\u2019t"]),
        ("missing", "nothing here", []),
    ],
)
def test_matches_are_marked_in_the_text_as_it_was_written(query: str, text: str, wanted: list[str]) -> None:
    assert marked(query, text) == wanted
