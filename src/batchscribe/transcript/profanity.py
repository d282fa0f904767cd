"""The profanity filter: masks the words on the list of each language, as whole words only.

The lists come from the package glin-profanity, with our review and the operator's changes.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import distribution
from pathlib import Path

from batchscribe.errors import InvalidSetting, OptionNotAvailable
from batchscribe.transcript.rewriting import rewrite
from batchscribe.transcript.segments import Rewriter, TranscriptSegment
from batchscribe.transcript.unspaced import is_unspaced
from batchscribe.transcript.word_finder import WordFinder, split_words

PACKAGE, FOLDER = "glin-profanity", "glin_profanity/data/dictionaries"
#: The names of the lists in the package, for the languages that we reviewed.
LISTS = {
    "cs": "czech",
    "da": "danish",
    "de": "german",
    "en": "english",
    "es": "spanish",
    "fi": "finnish",
    "fr": "french",
    "it": "italian",
    "nl": "dutch",
    "no": "norwegian",
    "pl": "polish",
    "pt": "portuguese",
    "ru": "russian",
    "sv": "swedish",
}
REVIEW = Path(__file__).with_name("profanity_review.txt")
SETTING = "BATCHSCRIBE_PROFANITY_FILE"
#: In these languages, a listed word cannot be distinguished from a part of another word.
WITHOUT_SPACES = frozenset({"ja", "zh", "yue", "th", "lo", "my", "km"})
_LINE = re.compile(r"(?P<removed>-)?\s*(?:(?P<language>[a-z]{2,3})\s*:)?(?P<phrases>[^:]*)")
MASK = "*"


@dataclass(frozen=True, slots=True)
class Change:
    """A line of the operator's file: a phrase to add or to remove, for one language or for all."""

    phrase: str
    is_removed: bool
    language: str | None


@dataclass(frozen=True, slots=True)
class ProfanityFilter:
    """Masks the phrases of each language. Languages without a list are not masked."""

    finders: Mapping[str, WordFinder]

    def check(self, language: str) -> None:
        """Raise `OptionNotAvailable` if there is no list for the language, given as a BCP-47 tag."""
        code = language_of(language)
        if code in WITHOUT_SPACES:
            reason = f"masks whole words, but {code} is written without spaces between words"
        elif code not in self.finders:
            reason = f"has no words for {code}, only for {', '.join(sorted(self.finders))}; the operator can add some"
        else:
            return
        field = "config.profanity_filter"
        raise OptionNotAvailable(f"{field}: The filter {reason}. Omit it.", field=field)

    def rewriter(self, language: str) -> Rewriter:
        """Return a function that masks a segment. `language` is used for segments without a language."""

        def mask_segment(segment: TranscriptSegment) -> TranscriptSegment:
            finder = self.finders.get(language_of(segment.language or language))
            return segment if finder is None else rewrite(segment, finder, lambda text, _: mask(text))

        return mask_segment

    def lacks(self, languages: Iterable[str]) -> list[str]:
        """Return those of the languages that have no list, sorted."""
        return sorted({language_of(each) for each in languages} - self.finders.keys())


def mask(text: str) -> str:
    """Keep the first letter of each word, and replace the others: `s** o* a b****`."""
    return "".join(part[0] + MASK * (len(part) - 1) if is_word else part for part, is_word in split_words(text))


def language_of(tag: str) -> str:
    """Return the language of a BCP-47 tag, without the region. Norwegian has one list for both of its forms."""
    code = tag.partition("-")[0].lower()
    return "no" if code in ("nb", "nn") else code


@cache
def load_filter(file: Path | None) -> ProfanityFilter:
    """Read the lists, and the operator's file if there is one. Raises `InvalidSetting`."""
    changes = [*read_changes(REVIEW), *([] if file is None else read_changes(file))]
    languages = {*LISTS, *(each.language for each in changes if each.language and not each.is_removed)}
    return ProfanityFilter({language: _make_finder(language, changes) for language in languages})


def _make_finder(language: str, changes: Iterable[Change]) -> WordFinder:
    """Return a finder of the phrases to mask. What was removed is an exception, also if it contains a listed word."""
    phrases = _read_list(LISTS[language]) if language in LISTS else set()
    removed: set[str] = set()
    for change in changes:
        if change.language in (None, language):
            chosen, other = (removed, phrases) if change.is_removed else (phrases, removed)
            chosen.add(change.phrase)
            other.discard(change.phrase)
    return WordFinder(sorted(phrases), exceptions=sorted(removed))


def _read_list(name: str) -> set[str]:
    """Read a list of the package, which is not imported."""
    path = Path(str(distribution(PACKAGE).locate_file(f"{FOLDER}/{name}.json")))
    listed = json.loads(path.read_text(encoding="utf-8"))["words"]
    return {phrase.lower() for phrase in listed if _is_readable(phrase)}


def _is_readable(phrase: str) -> bool:
    """Return whether an engine could write the phrase: words, but not `$h!t` or emoji."""
    return all(character.isalnum() or character in " '-" or not character.isascii() for character in phrase) and any(
        is_word for _, is_word in split_words(phrase)
    )


# --- changes ---------------------------------------------------------------------------------------------------


def read_changes(file: Path) -> list[Change]:
    """Read the operator's file. Its lines are phrases, separated by commas: `word`, `-word` to remove it, `de: word`.

    `#` begins a comment. Raises `InvalidSetting`.
    """
    try:
        content = file.read_bytes()
        text = content.decode("utf-8-sig")
    except OSError as error:
        raise InvalidSetting(f"{SETTING}: {file} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise InvalidSetting(f"{SETTING}: {file} is not UTF-8 text; save it as UTF-8.") from error
    lines = [(number, line.partition("#")[0].strip()) for number, line in enumerate(text.splitlines(), start=1)]
    return [change for number, line in lines if line for change in _read_line(line, f"line {number} of {file}")]


def _read_line(line: str, where: str) -> Iterator[Change]:
    found = _LINE.fullmatch(line)
    if found is None:
        raise InvalidSetting(f"{SETTING}: {where} is invalid; write `word`, `-word`, `de: word` or `-de: word`.")
    language = found["language"] and language_of(found["language"])
    for each in found["phrases"].split(","):
        phrase = unicodedata.normalize("NFC", " ".join(each.split()).lower())
        if not any(is_word for _, is_word in split_words(phrase)):
            raise InvalidSetting(f"{SETTING}: {where} has an entry without a word; add a word, or remove the entry.")
        if is_unspaced(phrase) or language in WITHOUT_SPACES:
            raise InvalidSetting(
                f"{SETTING}: {where} has words in a script without spaces, which the filter cannot mask; remove them."
            )
        yield Change(phrase, found["removed"] is not None, language)
