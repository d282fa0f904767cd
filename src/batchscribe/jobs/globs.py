r"""Globs that pick files below a prefix.

The contract names `*`, `**` and `?` (section 6); the rest is as minimatch has it:

    *         any characters of one name          ?        one character, never "/"
    **/       any number of folders, or none      /**      everything below
    [a-z]     one of these characters             [!a-z]   any other, never "/"
    {wav,mp3} either                              \*       the character itself

A glob is relative to the prefix and case-sensitive. One without "/" matches the name at any depth; a leading "/" ties
it to the prefix itself; a trailing one means everything below. Names that start with a dot are names like any other.
Every glob becomes a regular expression whose time grows no faster than the square of the path: what stands between
two stars is matched where it first fits and never again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from batchscribe.errors import InvalidRequest

MAX_ALTERNATIVES = 64  #: that the braces of one glob may stand for

FOLDERS = "(?:[^/]*/)*"  #: as many as it takes, or none
BELOW = ".+"

_BRACES = re.compile(r"(?<!\\)\{([^{}]*,[^{}]*)(?<!\\)\}")
_TOKEN = re.compile(
    r"\\(?P<escaped>.)|(?P<stars>\*+)|(?P<any>\?)|\[(?P<negated>[!^]?)(?P<set>\]?[^]]+|\])\]|(?P<plain>.)", re.DOTALL
)
_SET_MEMBER = re.compile(r"(.)-(.)|(.)", re.DOTALL)


class PathFilter:
    """Admits the paths that an include matches, or all without one, unless an exclude matches."""

    def __init__(self, include: Iterable[str] = (), exclude: Iterable[str] = ()) -> None:
        """Raises `InvalidRequest` for a glob whose braces stand for too many."""
        self._include = _compiled(include)
        self._exclude = _compiled(exclude)

    def admits(self, path: str) -> bool:
        """`path` is relative to the prefix, decoded, without a leading "/"."""
        if self._include is not None and not self._include.fullmatch(path):
            return False
        return self._exclude is None or not self._exclude.fullmatch(path)


def _compiled(globs: Iterable[str]) -> re.Pattern[str] | None:
    expressions = [_expression(plain) for glob in globs for plain in _without_braces(glob)]
    return re.compile("|".join(f"(?:{expression})" for expression in expressions), re.DOTALL) if expressions else None


def _without_braces(glob: str) -> list[str]:
    """`*.{wav,mp3}` as `*.wav` and `*.mp3`; the innermost braces are taken first."""
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
        if len(done) + len(left) > MAX_ALTERNATIVES:
            raise InvalidRequest(
                f"The braces of one glob stand for more than {MAX_ALTERNATIVES} globs; write fewer.",
                field="input.filters",
            )
    return done


def _expression(glob: str) -> str:
    first, *others = _runs(glob)
    if not others:
        return _path(first)
    *middle, last = others
    expression = "".join(f"{_name(part)}/" for part in first)
    expression += "".join(f"(?>{FOLDERS}?{_path(run)}/)" for run in middle if run)
    return expression + (f"{FOLDERS}{_path(last)}" if last else BELOW)


def _runs(glob: str) -> list[list[str]]:
    """The names of a glob, parted where a `**` stands."""
    parts = (f"{glob}**" if glob.endswith("/") else glob).split("/")
    if len(parts) == 1:
        parts = ["**", *parts]  # no "/": the name, at any depth
    elif parts[0] == "":
        del parts[0]  # a leading "/": from the prefix on
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
    """One name, parted where a `*` stands."""
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
