"""Scripts without spaces between words: Chinese, Japanese, Thai, Lao, Burmese, Khmer."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from itertools import accumulate

import budoux

#: Korean is not included, because it has spaces.
_UNSPACED = re.compile(
    "[\u2e80-\u2fdf\u3001-\u3129\u3190-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff01-\uff9f\U00020000-\U0003ffff"
    "\u0e00-\u0eff\u1000-\u109f\uaa60-\uaa7f\u1780-\u17ff]"
)
_KANA = re.compile("[\u3040-\u30ff\uff66-\uff9f]")
_THAI = re.compile("[\u0e00-\u0e7f]")
_HAN = re.compile("[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")


def is_unspaced(text: str) -> bool:
    """Return whether the text contains characters of such a script."""
    return not text.isascii() and _UNSPACED.search(text) is not None


def word_starts(text: str) -> set[int]:
    """Return where words or short phrases start, by a model of the language; every position if there is no model."""
    words = _model(text).parse(text) if _has_model(text) else text
    return set(accumulate(map(len, words), initial=0))


def _has_model(text: str) -> bool:
    return any(script.search(text) for script in (_KANA, _THAI, _HAN))


def _model(text: str) -> budoux.Parser:
    if _KANA.search(text):
        return _japanese()
    if _THAI.search(text):
        return _thai()
    return _traditional_chinese() if sum(map(_traditional, text)) > 0 else _simplified_chinese()


@lru_cache(maxsize=8192)
def _traditional(character: str) -> int:
    """Return 1 for a character of traditional Chinese only, -1 for one of simplified Chinese only, 0 for others."""
    return _is_encoded(character, "big5") - _is_encoded(character, "gb2312")


def _is_encoded(character: str, encoding: str) -> bool:
    try:
        character.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


_japanese = cache(budoux.load_default_japanese_parser)
_thai = cache(budoux.load_default_thai_parser)
_simplified_chinese = cache(budoux.load_default_simplified_chinese_parser)
_traditional_chinese = cache(budoux.load_default_traditional_chinese_parser)
