"""The vocabulary: the rarest words of the references, and names that do not occur."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from wordfreq import zipf_frequency

from benchmarks.speech.recordings import Recording

COUNT = 40
#: Shorter words are mostly abbreviations and old forms.
MIN_LETTERS = 5
#: The languages whose words are separated by spaces, and for which there are frequencies.
LANGUAGES = ("de", "en", "es", "fr", "pt")
#: Those of the rare words that have a capital. Many references are in lower case throughout.
WITH_CAPITAL = (
    *("Carpanedo", "Fichte", "Fisichella", "Kowloon", "Mashhad", "Oravec", "Quilter", "Schatzkarte", "Schlegel"),
    *("Sintra", "Whittemore"),
)
#: Up to 100 phrases. Most resemble common words of the recordings; none occurs in them.
OTHERS = (
    *("Stephens", "Claire Booker", "Billy Reed", "Pryce", "Wurtz", "Mather", "Weatherby", "Woodrow", "Seymour"),
    *("Principe", "Prynt", "Lettermann", "Fourie", "Tyme", "Artis", "Kris Manner", "Finley", "Boulder", "Maytag"),
    *("Pagé", "Kinde", "Sheppard", "Lindt", "Formica", "Raynor", "Colman", "Bessie", "Thynn", "Riverdale", "Juiceman"),
    *("Steele-Works", "Tabasko", "Nahum", "Sixt", "Karol", "Bern", "Sienna", "Marché", "Pessoa", "Rosalía"),
    *("Wassermann", "Aussicht AG", "Filme Brasil", "Pluto TV", "Anders", "Rhodes", "Polis", "Goode", "Kold", "Wether"),
    *("Xanthe Okonkwo", "Wojciech", "Siobhán", "Nguyễn", "Abernathy", "Kubernetes", "PostgreSQL", "Terraform"),
    *("GPT-4o", "東京スカイツリー"),
)
_WORD = re.compile(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)*")


def words_of(text: str) -> list[str]:
    """Return the words in lower case; one with an apostrophe, as in `Quilter's` or `l'usoc`, as its longest part."""
    return [max(re.split("['\u2019]", word.lower()), key=len) for word in _WORD.findall(text)]


def choose_words(recordings: Iterable[Recording]) -> tuple[str, ...]:
    """Return the rarest words of the references, rarest first, as they are written within a sentence.

    Only the references and the frequencies of words decide, never what a model recognizes.
    """
    frequencies = {
        word: zipf_frequency(word, each.language)
        for each in recordings
        if each.language in LANGUAGES
        for word in (found.lower() for found in _WORD.findall(each.text))
        if len(word) >= MIN_LETTERS and word.isalpha()
    }
    capitals = {word.lower(): word for word in WITH_CAPITAL}
    rarest = sorted(frequencies, key=lambda word: (frequencies[word], word))[:COUNT]
    return tuple(capitals.get(word, word) for word in rarest)


def fill(words: Sequence[str], most: int = 100) -> tuple[str, ...]:
    """Return the words and other names, `most` in all."""
    return (*words, *OTHERS)[:most]
