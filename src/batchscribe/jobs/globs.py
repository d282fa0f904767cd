r"""Globs that select files below a prefix.

The contract specifies `*`, `**` and `?` (section 6); the rest follows minimatch:

    *         any characters of one name          ?        one character except "/"
    **/       any number of folders, or none      /**      everything below
    [a-z]     one of these characters             [!a-z]   any other character except "/"
    {wav,mp3} either                              \*       a literal character

A glob is relative to the prefix and case-sensitive. A glob without "/" matches the name at any depth; a leading "/"
anchors it to the prefix; a trailing "/" means everything below. Names that start with a dot are not special.
Each glob is compiled into a regular expression that takes at most quadratic time in the length of the path: the text
between two stars matches at its first possible position, without backtracking.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from batchscribe.errors import InvalidRequest

MAX_ALTERNATIVES = 64  #: the most globs that the braces of one glob may expand to
#: The most characters that all globs with braces of a job may expand to; these compile in a quarter of a second.
#: Without the limit, 20 KB of globs took 19 s and 388 MB.
MAX_EXPANDED_CHARS = 32 * 2**10
#: The most characters that the character ranges of a job's globs may span. Python looks at each character of a range
#: beyond Latin-1: without the limit, 20 KB of `[\u0001-\U0010ffff]` took 13 s to compile.
MAX_RANGE_CHARS = 2**20
MAX_BMP = 2**16 - 1
KEPT_FILTERS = 16  #: cached filters: a submission uses its own three times, a listing for each page
INCLUDE_FIELD, EXCLUDE_FIELD = "input.filters.include_globs", "input.filters.exclude_globs"

FOLDERS = "(?:[^/]*/)*"  #: any number of folders
BELOW = ".+"

_BRACES = re.compile(r"(?<!\\)\{([^{}]*,[^{}]*)(?<!\\)\}")
_TOKEN = re.compile(
    r"\\(?P<escaped>.)|(?P<stars>\*+)|(?P<any>\?)|\[(?P<negated>[!^]?)(?P<set>\]?[^]]+|\])\]|(?P<plain>.)", re.DOTALL
)
_SET_MEMBER = re.compile(r"(.)-(.)|(.)", re.DOTALL)


class PathFilter:
    """A filter that admits the paths that an include matches (or all if there is none) and no exclude matches."""

    def __init__(self, include: Iterable[str] = (), exclude: Iterable[str] = ()) -> None:
        """Raises `InvalidRequest` if braces expand to too much; this is checked before anything is compiled."""
        included = _expand(include, INCLUDE_FIELD, MAX_EXPANDED_CHARS)
        left_chars = MAX_EXPANDED_CHARS - included.chars
        excluded = _expand(exclude, EXCLUDE_FIELD, left_chars)
        _check_ranges(included.globs, excluded.globs)
        self._include = _compile(included.globs)
        self._exclude = _compile(excluded.globs)

    def admits(self, path: str) -> bool:
        """Return whether the filter selects `path`: relative to the prefix, decoded, without a leading "/"."""
        if self._include is not None and not self._include.fullmatch(path):
            return False
        return self._exclude is None or not self._exclude.fullmatch(path)


@lru_cache(KEPT_FILTERS)
def path_filter(include: tuple[str, ...], exclude: tuple[str, ...]) -> PathFilter:
    """Return a cached `PathFilter`. Raises `InvalidRequest`."""
    return PathFilter(include, exclude)


@dataclass(frozen=True, slots=True)
class Expanded:
    """Globs without braces, and how many characters of them come from braces."""

    globs: list[str]
    chars: int


def _expand(globs: Iterable[str], field: str, limit_chars: int) -> Expanded:
    done: list[str] = []
    chars = 0
    for glob in globs:
        plain = _expand_braces(glob, field, limit_chars - chars)
        chars += sum(map(len, plain)) if len(plain) > 1 else 0
        done += plain
    return Expanded(done, chars)


def _compile(globs: list[str]) -> re.Pattern[str] | None:
    expression = "|".join(f"(?:{_expression(glob)})" for glob in globs)
    return re.compile(expression, re.DOTALL) if globs else None


def _expand_braces(glob: str, field: str, limit_chars: int) -> list[str]:
    """Expand `*.{wav,mp3}` into `*.wav` and `*.mp3`, innermost braces first."""
    done: list[str] = []
    left = [glob]
    while left:
        pattern = left.pop()
        braces = _BRACES.search(pattern)
        if braces is None:
            done.append(pattern)
        else:
            before, after = pattern[: braces.start()], pattern[braces.end() :]
            left += [before + option + after for option in braces[1].split(",")]
        _check_number(len(done) + len(left), field)
        if left and sum(map(len, done)) + sum(map(len, left)) > limit_chars:
            raise _limit_error(f"expand to more than {MAX_EXPANDED_CHARS} characters in total", field)
    return done


def _check_number(alternatives: int, field: str) -> None:
    if alternatives > MAX_ALTERNATIVES:
        raise _limit_error(f"of one glob expand to more than {MAX_ALTERNATIVES} globs", field)


def _check_ranges(include: list[str], exclude: list[str]) -> None:
    spanned = 0
    for field, globs in ((INCLUDE_FIELD, include), (EXCLUDE_FIELD, exclude)):
        spanned += sum(_spanned_chars(glob) for glob in globs)
        if spanned > MAX_RANGE_CHARS:
            sentence = f"The character ranges in brackets span more than {MAX_RANGE_CHARS} characters in total"
            raise InvalidRequest(f"{field}: {sentence}; use fewer or narrower ones.", field=field)


def _spanned_chars(glob: str) -> int:
    """Count the characters of ranges that go beyond Latin-1. Other ranges, and characters beyond 16 bits, are cheap."""
    sets = (token["set"] for token in _TOKEN.finditer(glob) if token["set"]) if "[" in glob else ()
    ranges = ((low, high) for members in sets for low, high, _ in _SET_MEMBER.findall(members))
    return sum(min(ord(high) - ord(low), MAX_BMP) for low, high in ranges if high > "\xff" and low <= high)


def _limit_error(what: str, field: str) -> InvalidRequest:
    return InvalidRequest(f"{field}: The braces {what}; use fewer or shorter ones.", field=field)


def _expression(glob: str) -> str:
    first, *others = _runs(glob)
    if not others:
        return _path(first)
    *middle, last = others
    expression = "".join(f"{_name(part)}/" for part in first)
    expression += "".join(f"(?>{FOLDERS}?{_path(run)}/)" for run in middle if run)
    return expression + (f"{FOLDERS}{_path(last)}" if last else BELOW)


def _runs(glob: str) -> list[list[str]]:
    """Return the names of a glob, split at each `**`."""
    parts = (f"{glob}**" if glob.endswith("/") else glob).split("/")
    if len(parts) == 1:
        parts = ["**", *parts]  # no "/": match the name at any depth
    elif parts[0] == "":
        del parts[0]  # a leading "/": anchored to the prefix
    runs: list[list[str]] = [[]]
    for part in parts:
        if part == "**":
            runs.append([])
        else:
            runs[-1].append(part)
    return runs


def _path(names: list[str]) -> str:
    return "/".join(_name(name) for name in names)


def _name(glob: str) -> str:
    """Return the expression for one name, which may have `*` in it."""
    runs = [""]
    for token in _TOKEN.finditer(glob):
        if token["stars"]:
            runs.append("")
        else:
            runs[-1] += _character(token)
    first, *others = runs
    if not others:
        return first
    *middle, last = others
    return first + "".join(f"(?>[^/]*?{run})" for run in middle) + f"[^/]*{last}"


def _character(token: re.Match[str]) -> str:
    if token["any"]:
        return "[^/]"
    if token["set"]:
        return _set(token["set"], negated=bool(token["negated"]))
    return re.escape(token["escaped"] or token["plain"])


def _set(members: str, *, negated: bool) -> str:
    inside = "".join(
        re.escape(single) if single else f"{re.escape(low)}-{re.escape(high)}"
        for low, high, single in _SET_MEMBER.findall(members)
        if single or low <= high
    )
    if negated:
        return f"[^/{inside}]"
    return f"(?!/)[{inside}]" if inside else "(?!)"
