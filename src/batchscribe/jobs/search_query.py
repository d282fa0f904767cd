"""A search query, parsed: phrases that must all occur in a segment, in any order."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from batchscribe.errors import InvalidRequest
from batchscribe.transcript.search_terms import Term, split_terms

MAX_QUERY_CHARS = 200
MAX_QUERY_TERMS = 32
LEAST_PREFIX_CHARS = 2  #: shorter ones would match a large part of all words

_QUOTES = str.maketrans(dict.fromkeys("“”„‟«»", '"'))
_PART = re.compile(r'"([^"]*)"|([^\s"]+)')
_PREFIX = re.compile(r"[^*]+\*")

Span = tuple[int, int]  #: the first character and the one after the last


@dataclass(frozen=True, slots=True)
class QueryPhrase:
    """Consecutive terms. With `is_prefix`, the last one is the start of a term."""

    terms: tuple[str, ...]
    is_prefix: bool = False

    def spans(self, terms: Sequence[Term]) -> Iterator[Span]:
        """Yield where the phrase occurs in a text with these terms."""
        count = len(self.terms)
        for at in range(len(terms) - count + 1):
            found = terms[at : at + count]
            if self._matches([each.text for each in found]):
                yield found[0].start, found[-1].end

    def _matches(self, found: Sequence[str]) -> bool:
        *first, last = found
        *wanted, end = self.terms
        return first == wanted and (last.startswith(end) if self.is_prefix else last == end)


@dataclass(frozen=True, slots=True)
class SearchQuery:
    """What is searched for."""

    phrases: tuple[QueryPhrase, ...]

    @classmethod
    def parse(cls, text: str) -> SearchQuery:
        """Parse words, `"phrases"` and prefixes such as `invoic*`. Raises `InvalidRequest`."""
        if len(text) > MAX_QUERY_CHARS:
            raise _invalid(f"The query is longer than {MAX_QUERY_CHARS} characters; search for fewer words.")
        plain = text.translate(_QUOTES)
        if plain.count('"') % 2:
            raise _invalid('A quotation mark is not closed; write a phrase as "two words".')
        phrases = tuple(dict.fromkeys(filter(None, map(_phrase, _PART.finditer(plain)))))
        if not phrases:
            raise _invalid("The query has no letter or digit; search for a word.")
        if sum(len(phrase.terms) for phrase in phrases) > MAX_QUERY_TERMS:
            raise _invalid(f"The query has more than {MAX_QUERY_TERMS} words; search for fewer.")
        return cls(phrases)

    def occurs_in(self, text: str) -> bool:
        """Return whether a text contains all phrases."""
        terms = split_terms(text)
        return all(any(phrase.spans(terms)) for phrase in self.phrases)

    def spans(self, text: str) -> list[Span]:
        """Return where the query matches in a text, in order; spans that overlap are joined."""
        terms = split_terms(text)
        joined: list[Span] = []
        for start, end in sorted(span for phrase in self.phrases for span in phrase.spans(terms)):
            if joined and start <= joined[-1][1]:
                joined[-1] = joined[-1][0], max(end, joined[-1][1])
            else:
                joined.append((start, end))
        return joined


def _phrase(part: re.Match[str]) -> QueryPhrase | None:
    """Return the phrase of a quoted text or a word. A word with punctuation inside is a phrase, too."""
    quoted, word = part.groups()
    is_prefix = word is not None and _PREFIX.fullmatch(word) is not None
    terms = tuple(term.text for term in split_terms(word if quoted is None else quoted))
    if not terms:
        return None
    if is_prefix and len(terms[-1]) < LEAST_PREFIX_CHARS and terms[-1].isascii():
        raise _invalid(f"Write at least {LEAST_PREFIX_CHARS} letters before *.")
    return QueryPhrase(terms, is_prefix)


def _invalid(sentence: str) -> InvalidRequest:
    return InvalidRequest(sentence, field="q")
