"""Which files a glob matches."""

from __future__ import annotations

import pytest

from batchscribe.errors import InvalidRequest
from batchscribe.jobs.globs import MAX_ALTERNATIVES, PathFilter, path_filter
from tests.cpu_time import least_cpu_sec


@pytest.mark.parametrize(
    ("glob", "path", "expected"),
    [
        # one star and one question mark stay within a name
        ("2025/*.wav", "2025/a.wav", True),
        ("2025/*.wav", "2025/11/a.wav", False),
        ("2025/*.wav", "x/2025/a.wav", False),
        ("a?c/x.wav", "abc/x.wav", True),
        ("a?c/x.wav", "a/c/x.wav", False),
        ("*/x.wav", "x.wav", False),
        # two stars are any number of folders, none included
        ("**/*.wav", "a.wav", True),
        ("**/*.wav", "2025/11/a.wav", True),
        ("2025/**/a.wav", "2025/a.wav", True),
        ("2025/**/a.wav", "2025/x/y/a.wav", True),
        ("2025/**/a.wav", "2025x/a.wav", False),
        ("a/**/b/**/c.wav", "a/b/c.wav", True),
        ("a/**/b/**/c.wav", "a/1/b/b/2/c.wav", True),
        ("a/**/b/**/c.wav", "a/1/c.wav", False),
        ("**/b/c/**/d", "b/b/c/x/d", True),
        ("2025/**", "2025/11/a.wav", True),
        ("2025/**", "2025", False),
        ("**", "2025/a.wav", True),
        ("a**.wav", "abc.wav", True),
        ("a**.wav", "a/b.wav", False),
        # no slash: the name, at any depth
        ("*_draft.*", "a_draft.wav", True),
        ("*_draft.*", "2025/11/a_draft.wav", True),
        ("*_draft.*", "x_draft.d/a.wav", False),
        ("a.wav", "2025/a.wav", True),
        ("a.wav", "2025/ba.wav", False),
        # a slash at an end
        ("/*.wav", "a.wav", True),
        ("/*.wav", "2025/a.wav", False),
        ("drafts/", "drafts/x/a.wav", True),
        ("drafts/", "old/drafts/a.wav", False),
        # case, dots, and characters that mean something to a regular expression
        ("*.wav", "A.WAV", False),
        ("*.WAV", "a.WAV", True),
        ("*.wav", ".hidden.wav", True),
        ("**/*.wav", ".cache/a.wav", True),
        ("a.wav", "axwav", False),
        ("(a|b)+.wav", "(a|b)+.wav", True),
        ("*", "two\nlines.wav", True),
        ("*ü*.wav", "gespräch über.wav", True),
        # sets
        ("call[0-9].wav", "call7.wav", True),
        ("call[0-9].wav", "callx.wav", False),
        ("call[!0-9].wav", "callx.wav", True),
        ("call[^0-9].wav", "call7.wav", False),
        ("a[!b]c/x", "a/c/x", False),
        ("a[+-9]c/x", "a/c/x", False),
        ("[]x].wav", "].wav", True),
        ("[a&&b].wav", "&.wav", True),
        ("[z-a].wav", "z.wav", False),
        ("a[.wav", "a[.wav", True),
        ("[].wav", "[].wav", True),
        # braces
        ("*.{wav,mp3}", "2025/a.mp3", True),
        ("*.{wav,mp3}", "2025/a.m4a", False),
        ("{2024,2025/{01,02}}/*.wav", "2025/02/a.wav", True),
        ("{2024,2025/{01,02}}/*.wav", "2025/a.wav", False),
        ("{a}.wav", "{a}.wav", True),
        # escapes
        (r"\*.wav", "*.wav", True),
        (r"\*.wav", "a.wav", False),
        (r"\{a,b\}.wav", "{a,b}.wav", True),
        ("a\\", "a\\", True),
        # matching within a name
        ("*a*b*", "xxaxxbxx", True),
        ("*ab*ab", "abab", True),
        ("*ab*ab", "xab", False),
        ("a*", "a", True),
    ],
)
def test_a_glob_matches(glob: str, path: str, expected: bool) -> None:
    assert PathFilter([glob]).admits(path) is expected


def test_includes_apply_first_then_excludes() -> None:
    chosen = PathFilter(["*.wav", "keep/**"], ["*_draft.*", "old/**"])
    admitted = [path for path in ("a.wav", "keep/a.mp3", "a.mp3", "a_draft.wav", "old/a.wav") if chosen.admits(path)]
    assert admitted == ["a.wav", "keep/a.mp3"]


def test_without_an_include_everything_is_meant() -> None:
    assert PathFilter().admits("any/thing")
    assert PathFilter(exclude=["*.wav"]).admits("a.mp3")


@pytest.mark.parametrize(
    "glob",
    [
        "*a" * 60 + "*b",
        "**/*a" * 40 + "/b",
        "**/" * 60 + "x",
        "*/" * 200 + "b",
        "?*" * 100 + "b",
        "**/a*b*/" * 40 + "q",
    ],
)
@pytest.mark.parametrize("path", ["a" * 1024, "a/" * 512, "ab/" * 340])
def test_a_hostile_glob_costs_no_more_than_a_moment(glob: str, path: str) -> None:
    hostile = PathFilter([glob])
    assert not hostile.admits(path)
    assert least_cpu_sec(lambda: hostile.admits(path)) < 0.1  # milliseconds; with plain backtracking, hours


def test_braces_that_stand_for_too_many_are_refused() -> None:
    PathFilter(["{" + "a," * (MAX_ALTERNATIVES - 1) + "}"])
    with pytest.raises(InvalidRequest, match="braces"):
        PathFilter(["{a,b}" * 50])


@pytest.mark.parametrize("field", ["include_globs", "exclude_globs"])
def test_what_all_braces_of_a_job_stand_for_is_bounded(field: str) -> None:
    """Such globs, 20 KB of them, took 19 s and 388 MB."""
    globs = ["{" + ",".join("ab" * 32) + "}" + "?*" * 440 + str(number) for number in range(10)]

    def build() -> None:
        with pytest.raises(InvalidRequest, match="braces") as refused:
            PathFilter(**{field.removesuffix("_globs"): globs})
        assert refused.value.field == f"input.filters.{field}"

    assert least_cpu_sec(build) < 1  # milliseconds


def test_braces_of_includes_and_excludes_count_together() -> None:
    half = ["{" + "a," * 63 + "}" + "b" * 300]
    PathFilter(half, ["*.wav"])
    with pytest.raises(InvalidRequest) as refused:
        PathFilter(half, half)
    assert refused.value.field == "input.filters.exclude_globs"


@pytest.mark.parametrize("field", ["input.filters.include_globs", "input.filters.exclude_globs"])
@pytest.mark.parametrize("wide", ["[\u0001-\U0010ffff]", "[!\u4e00-\u9fff]", "[\\\x01-\uffff]"])
def test_what_the_ranges_of_all_globs_span_is_bounded(wide: str, field: str) -> None:
    globs = [wide * 100] * 10
    with pytest.raises(InvalidRequest, match="ranges") as refused:
        PathFilter(*((globs, ()) if field.endswith("include_globs") else ((), globs)))
    assert refused.value.field == field


def test_a_few_wide_ranges_and_many_narrow_ones_are_taken() -> None:
    assert PathFilter(["[\u4e00-\u9fff]*.wav", "[\u0001-\U0010ffff].wav"]).admits("会議.wav")
    assert PathFilter(["[a-z]" * 200, "[à-ÿ]" * 200]).admits("x" * 200)


def test_globs_without_braces_are_bounded_by_their_number_alone() -> None:
    assert PathFilter(["a" * 1024] * 100).admits("a" * 1024)


def test_the_same_globs_are_compiled_once() -> None:
    assert path_filter(("*.wav",), ()) is path_filter(("*.wav",), ())
