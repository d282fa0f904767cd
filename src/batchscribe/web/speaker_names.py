"""The names that people give to speakers: what may be a name, and whose it is."""

from __future__ import annotations

import re
import unicodedata

from batchscribe.errors import InvalidRequest

MAX_NAME_CHARS = 80
_LABEL = re.compile(r"Speaker [1-9][0-9]{0,2}[LR]?|Channel [1-9][0-9]{0,2}")  # as in transcripts
#: Control characters, half surrogate pairs, line and paragraph separators.
_REFUSED = {"Cc", "Cs", "Zl", "Zp"}
_BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")  #: they reorder the text around them


def check_label(label: str) -> str:
    """Raises `InvalidRequest`."""
    if not _LABEL.fullmatch(label):
        raise InvalidRequest("label must be that of a speaker or channel, such as `Speaker 1`.", field="label")
    return label


def check_name(name: str) -> str:
    """Return the name as it is stored; an empty one removes a name. Raises `InvalidRequest`."""
    spelled = unicodedata.normalize("NFC", name).strip()
    if len(spelled) > MAX_NAME_CHARS:
        raise InvalidRequest(f"name may have at most {MAX_NAME_CHARS} characters.", field="name")
    if any(character in _BIDI or unicodedata.category(character) in _REFUSED for character in spelled):
        raise InvalidRequest("name must not contain control characters.", field="name")
    return spelled
