"""The calculations of `make bench-speech`."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from benchmarks.speech import plot, readme
from benchmarks.speech.intervals import Score, estimate
from benchmarks.speech.metered import run_metered
from benchmarks.speech.page import page
from benchmarks.speech.recordings import Recording, recordings_of
from benchmarks.speech.results import Category, Cost, Estimate, Measured, Results, Starts, Words, Workload, load, save
from benchmarks.speech.scoring import count_loops, count_wrong
from benchmarks.speech.starts import compare
from benchmarks.speech.tables import goals_table, points, rate, words_table
from benchmarks.speech.words import score

#: A process that ends immediately and leaves behind one that uses 0.4 s of CPU time.
LEAVES_WORK_BEHIND = """
import os, time
if os.fork() == 0:
    while time.process_time() < 0.4:
        pass
"""


def scores(*wrong: tuple[int, int], words: int = 10) -> list[Score]:
    return [Score(f"{number}", flow, bare, words) for number, (flow, bare) in enumerate(wrong)]


def test_a_rate_is_that_of_all_words_and_lies_within_its_interval() -> None:
    found = estimate([*scores((0, 1), (1, 1), (2, 4), (0, 0)), Score("long", 20, 30, 60)])
    assert found.flow.value == pytest.approx(23 / 100)
    assert found.bare.value == pytest.approx(36 / 100)
    assert found.difference.value == pytest.approx(-13 / 100)
    for each in (found.flow, found.bare, found.difference):
        assert each.low is not None
        assert each.high is not None
        assert each.low < each.value < each.high


def test_the_difference_is_a_paired_one() -> None:
    """Recordings differ much, but the flow always has one wrong word less."""
    found = estimate(scores(*((wrong, wrong + 1) for wrong in range(9))))
    assert found.difference.low == found.difference.high == pytest.approx(-0.1)
    assert found.flow.low is not None
    assert found.flow.low < found.flow.value


def test_copies_of_one_recording_do_not_narrow_the_interval() -> None:
    one_each = scores((0, 0), (1, 1), (3, 3), (5, 5), (8, 8))
    copied = [each for each in one_each for _ in range(20)]
    assert estimate(copied) == estimate(one_each)


def test_the_same_scores_give_the_same_interval_and_few_give_none() -> None:
    some = scores((0, 0), (1, 1), (3, 3), (5, 5), (8, 8))
    assert estimate(some) == estimate(some)
    assert estimate(some[:4]).flow == Estimate(9 / 40)


@pytest.mark.parametrize(
    ("text", "loops"),
    [
        ("", 0),
        ("no no no no", 0),
        ("no no no no no", 1),
        ("Thank you. Thank you, thank you thank you -- thank you", 1),
        ("a a a a a and then b c b c b c b c b c b c", 2),
        ("one two three four five one two three four five", 0),
        (" ".join(["one two three four five six seven eight nine ten"] * 5), 1),
        (" ".join(["one two three four five six seven eight nine ten eleven"] * 5), 0),
    ],
)
def test_loops_are_phrases_of_up_to_ten_words_five_times_in_a_row(text: str, loops: int) -> None:
    assert count_loops(text) == loops


def test_wrong_words_are_counted_after_spelling_and_numbers_are_made_equal() -> None:
    assert count_wrong("Mr. Smith, the colour is twenty-one.", "mister smith the color is 21", "en") == (0, 6)
    assert count_wrong("the old cat sat", "the cat sat down there", "en") == (3, 4)


def test_chinese_is_counted_in_characters() -> None:
    assert count_wrong("\u5e7f\u5dde\u5e02", "\u5e7f\u5dde", "zh") == (1, 3)


def test_without_speech_every_word_is_wrong() -> None:
    assert count_wrong("", "thank you for watching", "en") == (4, 0)


def of_manifest(**facts: Any) -> list[Recording]:
    common = {"path": "a/call.wav", "category": "clean-read", "language": "en", "text": "good morning", "notes": None}
    return list(recordings_of(common | {"channel_texts": None, "derived_from": None} | facts))


def test_a_recording_is_scored_against_its_confirmed_reference() -> None:
    (found,) = of_manifest()
    assert (found.text, found.channel, found.group, found.tag) == ("good morning", None, "a/call.wav", "en-US")
    assert of_manifest(text=None) == []
    assert of_manifest(notes="Voice not confirmed human.") == []
    assert of_manifest(category="tiny") == of_manifest(language="mul") == []


def test_two_speakers_are_scored_channel_by_channel_and_copies_belong_to_their_original() -> None:
    found = of_manifest(channel_texts=["good", "morning"], derived_from=["b/call.wav"])
    assert [(each.channel, each.text, each.group) for each in found] == [
        (0, "good", "b/call.wav"),
        (1, "morning", "b/call.wav"),
    ]
    assert [each.channel for each in of_manifest(channel_texts=["good morning", "good morning"])] == [None]
    assert of_manifest(derived_from=["b.wav", "c.wav"])[0].group == "a/call.wav"


def test_words_are_scored_by_category_with_totals_of_the_corpus_alone() -> None:
    read = Recording(Path("read.wav"), "clean-read", "en", "good morning all", "read")
    german = Recording(Path("de.wav"), "non-english", "de", "guten Tag", "de")
    example = Recording(Path("example.wav"), "examples", "en", "hello", "example")
    noise = Recording(Path("noise.wav"), "no-speech", "en", "", "noise")
    heard = {read: "good morning", german: "guten Tag", example: "hello", noise: ""}
    bare = {read: "good", german: "Tag", example: "hello", noise: "you you you you you"}
    found = score([read, german, example, noise], heard, bare)
    rates = {each.name: (each.words, each.flow.value, each.bare and each.bare.value) for each in found.categories}
    assert rates == {
        "clean-read": (3, pytest.approx(1 / 3), pytest.approx(2 / 3)),
        "non-english": (2, 0.0, 0.5),
        "examples": (1, 0.0, 0.0),
        "all English": (3, pytest.approx(1 / 3), pytest.approx(2 / 3)),
        "all": (5, pytest.approx(1 / 5), pytest.approx(3 / 5)),
    }
    assert (found.silent_recordings, found.flow_invented, found.bare_invented) == (1, 0, 5)


def test_starts_are_compared_of_the_words_that_were_recognized_both_times() -> None:
    plain = [("Good", 0.5), ("morning,", 0.9), ("all", 1.4)]
    late = [("good", 60.6), ("morning", 60.9), ("you", 61.2), ("all.", 61.0)]
    found = compare([plain, late])
    assert found.words == 3
    assert found.median_sec == pytest.approx(0.1)
    assert found.greatest_sec == pytest.approx(0.4)


def test_the_cost_of_a_command_includes_what_it_leaves_behind() -> None:
    cost = run_metered([sys.executable, "-c", LEAVES_WORK_BEHIND])
    assert cost.cpu_sec >= 0.4
    assert cost.wall_sec > 0
    assert cost.peak_bytes > 0


def test_a_command_that_fails_is_not_measured() -> None:
    with pytest.raises(AssertionError, match="went wrong"):
        run_metered([sys.executable, "-c", "raise SystemExit('went wrong')"])


WORDS = Words(
    categories=(
        Category(
            "clean-read", 5, 1234, Estimate(0.0512, 0.04, 0.061), Estimate(0.07), Estimate(-0.0188, -0.03, 0.0), 0, 2
        ),
    ),
    silent_recordings=3,
    flow_invented=0,
    bare_invented=7,
)
COSTS = {"batchscribe transcribe": Cost(10.0, 6.0, 500 * 2**20), "faster-whisper, batched": Cost(10.0, 11.0, 2**30)}
COSTS["whisper-ctranslate2 --batched True"] = Cost(12.0, 10.0, 2**30)
BASE = Measured(
    name="base",
    date="2026-01-31",
    machine="2 cores",
    versions="engine 1.0",
    words=WORDS,
    workloads=(Workload("one recording of 8 minutes", 480.0, COSTS),),
    flow_starts=Starts(10, 0.01, 0.05, 0.12),
    bare_starts=Starts(10, 0.02, 0.06, 0.34),
)
POCKETSPHINX = replace(
    BASE,
    name="pocketsphinx",
    words=replace(WORDS, categories=(replace(WORDS.categories[0], bare=None, difference=None),), bare_invented=None),
    workloads=(),
    flow_starts=None,
    bare_starts=None,
)
RESULTS = Results((BASE, POCKETSPHINX))


def test_rates_are_shown_with_their_intervals() -> None:
    assert rate(Estimate(0.0512, 0.04, 0.061)) == "5.1 % (4.0 to 6.1)"
    assert rate(Estimate(0.0512)) == "5.1 %"
    assert points(Estimate(-0.0188, -0.03, 0.012)) == "-1.9 (-3.0 to +1.2)"
    assert rate(None) == points(None) == "-"


def test_the_table_of_words_has_both_sides_where_there_are_two() -> None:
    assert words_table(WORDS).splitlines()[-1] == (
        "| clean-read | 5 | 1,234 | 5.1 % (4.0 to 6.1) | 7.0 % | -1.9 (-3.0 to +0.0) |"
    )
    assert POCKETSPHINX.words is not None
    assert words_table(POCKETSPHINX.words).splitlines()[-1] == "| clean-read | 5 | 1,234 | 5.1 % (4.0 to 6.1) |"


def test_ratios_stand_beside_their_goals() -> None:
    rows = goals_table(BASE).splitlines()[2:]
    assert rows == [
        "| CPU time for one recording of 8 minutes, relative to faster-whisper, batched | 1.00 | 1.05 |",
        "| wall time for one recording of 8 minutes, relative to whisper-ctranslate2 --batched True | 0.60 | 0.80 |",
        "| largest shift of a word after a minute of silence | 0.12 s | 0.2 s |",
    ]


def test_the_page_says_where_and_how_each_model_was_measured() -> None:
    text = page(RESULTS)
    assert "Measured on 2026-01-31, on 2 cores, with engine 1.0." in text
    assert "\n## Whisper base\n" in text
    assert "\n## pocketsphinx\n" in text
    assert "| words in 3 recordings without speech | 0 | 7 |" in text
    assert "| phrases repeated five times or more in a row | 0 | 2 |" in text


def test_the_same_results_give_the_same_plot(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("one.svg", "two.svg")]
    for path in paths:
        plot.write(RESULTS, path)
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert b"<svg" in paths[0].read_bytes()


def test_results_are_kept_and_a_model_replaces_its_earlier_self(tmp_path: Path) -> None:
    save(RESULTS, tmp_path / "kept.json")
    kept = load(tmp_path / "kept.json")
    assert kept == RESULTS
    newer = replace(BASE, date="2026-02-01")
    assert kept.with_model(newer).models == (newer, POCKETSPHINX)
    assert load(tmp_path / "none.json").with_model(BASE).models == (BASE,)


def test_the_table_of_the_readme_is_replaced_and_the_rest_stays() -> None:
    text = f"before\n{readme.BEGIN}old\n{readme.END}after\n"
    found = readme.with_figures(text, RESULTS)
    assert found.startswith("before\n")
    assert found.endswith("after\n")
    assert "old" not in found
    assert "| read aloud in a quiet room | 5.1 % | 5.1 % |" in found
    assert readme.with_figures(found, RESULTS) == found
