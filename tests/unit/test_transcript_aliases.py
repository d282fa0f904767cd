"""Aliases: variants become the canonical form in the text, the segments and the words."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from batchscribe.transcript.aliases import AliasRewriter
from batchscribe.transcript.document import Metadata, Transcript, assemble
from batchscribe.transcript.formats import FORMATS
from batchscribe.transcript.segments import RecognizedWindow, TranscriptSegment
from batchscribe.window import Recognition, SpeakerTurn, Word
from batchscribe.wire.config import Config
from batchscribe.wire.vocabulary import Alias

ALIASES = (
    Alias(canonical="Kubernetes", variants=("cube a netties", "cube")),
    Alias(canonical="Ada Lovelace", variants=("ada", "Aida")),
    Alias(canonical="e-mail", variants=("email",)),
)


def said(text: str) -> TranscriptSegment:
    """A segment of one word per second, the confidence of each 0.1 more than of the one before."""
    words = tuple(Word(word, float(at), at + 1.0, at / 10) for at, word in enumerate(text.split()))
    return TranscriptSegment(0, 0.0, float(len(words)), text, words)


def rewritten(text: str) -> TranscriptSegment:
    return AliasRewriter.of(ALIASES).rewrite(said(text))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("We run Cube a Netties, I think.", "We run Kubernetes, I think."),
        ("(CUBE)", "(Kubernetes)"),
        ("cubed", "cubed"),
        ("Aida's email!", "Ada Lovelace's e-mail!"),
        ("Kubernetes", "Kubernetes"),
        ("cube a nettie", "Kubernetes a nettie"),
    ],
)
def test_a_variant_becomes_the_canonical_form_with_the_punctuation_around_it(text: str, expected: str) -> None:
    segment = rewritten(text)
    assert segment.text == expected
    assert " ".join(word.text for word in segment.words) == expected


def test_a_segment_without_variants_is_the_same_object() -> None:
    segment = said("Nothing here.")
    assert AliasRewriter.of(ALIASES).rewrite(segment) is segment


def test_words_that_become_one_have_the_time_of_all_and_the_least_confidence() -> None:
    words = rewritten("We run cube a netties, daily.").words
    assert words[2] == Word("Kubernetes,", 2.0, 5.0, 0.2)
    assert words[3] == Word("daily.", 5.0, 6.0, 0.5)


def test_a_word_that_becomes_two_shares_its_time_by_length() -> None:
    words = rewritten("So Ada said").words
    assert words[1:3] == (Word("Ada", 1.0, 1.273, 0.1), Word("Lovelace", 1.273, 2.0, 0.1))


def test_as_many_words_keep_their_times() -> None:
    aliases = [Alias(canonical="Grace Hopper", variants=("grass hopper",))]
    words = AliasRewriter.of(aliases).rewrite(said("by grass hopper")).words
    assert words[1:] == (Word("Grace", 1.0, 2.0, 0.1), Word("Hopper", 2.0, 3.0, 0.2))


def test_words_that_the_text_lacks_are_rewritten_too() -> None:
    words = (Word("cube", 0.0, 1.0), Word("a", 1.0, 2.0), Word("netties", 2.0, 3.0))
    segment = AliasRewriter.of(ALIASES).rewrite(TranscriptSegment(0, 0.0, 3.0, "Something else: aida.", words))
    assert segment.text == "Something else: Ada Lovelace."
    assert segment.words == (Word("Kubernetes", 0.0, 3.0),)


@pytest.mark.parametrize("text", ["I use .net daily.", ".net, I think."])
def test_a_variant_may_begin_with_punctuation_that_is_not_in_the_words(text: str) -> None:
    plain = text.replace(".net", "net")
    segment = AliasRewriter.of([Alias(canonical="C#", variants=(".net",))]).rewrite(replace(said(plain), text=text))
    assert segment.text == text.replace(".net", "C#")
    assert [word.text for word in segment.words] == segment.text.split()
    assert [word.start_sec for word in segment.words] == [float(at) for at in range(len(segment.words))]


def test_text_without_words_is_rewritten() -> None:
    assert AliasRewriter.of(ALIASES).rewrite(TranscriptSegment(0, 0.0, 3.0, "by email")).text == "by e-mail"


def transcribed(text: str, aliases: tuple[Alias, ...], *, turns: tuple[SpeakerTurn, ...] = ()) -> Transcript:
    segment = said(text)
    spoken = RecognizedWindow(0, 0.0, segment.end_sec, Recognition.of(text, segment.words, segment.end_sec))
    return assemble(
        [spoken],
        duration_sec=segment.end_sec,
        channels=1,
        model="scripted-1",
        request_id="req_1",
        config=Config(word_time_offsets=True, diarization=bool(turns)),
        metadata=Metadata("scripted", None, "s3://in/a.wav", None, 7),
        turns=turns,
        aliases=AliasRewriter.of(aliases),
    )


def test_every_text_of_a_transcript_says_the_canonical_form() -> None:
    made = transcribed("We use cube a netties daily.", ALIASES)
    result = json.loads(FORMATS["json"].render(made))["result"]
    assert result["text_display"] == "We use Kubernetes daily."
    assert result["text_lexical"] == "we use kubernetes daily"
    assert result["segments"][0]["text"] == "We use Kubernetes daily."
    assert [word["word"] for word in result["segments"][0]["words"]] == ["We", "use", "Kubernetes", "daily."]
    for name in ("srt", "vtt", "txt"):
        assert "Kubernetes daily." in FORMATS[name].render(made).decode().replace("\n", " ")


def test_no_segment_has_too_many_words_afterwards() -> None:
    aliases = (Alias(canonical="one two three four five", variants=("w",)),)
    made = transcribed(" ".join(["w"] * 38), aliases)
    assert sum(len(segment.words) for segment in made.segments) == 38 * 5
    assert max(len(segment.words) for segment in made.segments) <= 100


def test_a_variant_is_never_put_together_from_two_speakers() -> None:
    made = transcribed("so cube a netties", ALIASES, turns=(SpeakerTurn(0.0, 2.0, 0), SpeakerTurn(2.0, 4.0, 1)))
    assert [segment.text for segment in made.segments] == ["so Kubernetes", "a netties"]
