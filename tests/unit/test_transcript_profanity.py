"""The profanity filter: which words it masks in which language, and what an operator changes."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from batchscribe.errors import InvalidSetting, OptionNotAvailable
from batchscribe.transcript.aliases import AliasRewriter
from batchscribe.transcript.document import Metadata, Transcript, assemble
from batchscribe.transcript.formats import FORMATS
from batchscribe.transcript.profanity import LISTS, REVIEW, ProfanityFilter, load_filter, mask, read_changes
from batchscribe.transcript.segments import RecognizedWindow, TranscriptSegment
from batchscribe.window import Recognition, Word
from batchscribe.wire.config import Config
from batchscribe.wire.vocabulary import Alias
from tests.documents import ROOT


def masked(text: str, language: str = "en-US", *, profanity: ProfanityFilter | None = None) -> str:
    rewriter = (profanity or load_filter(None)).rewriter(language)
    return rewriter(TranscriptSegment(0, 0.0, 1.0, text)).text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("What the fuck?", "What the f***?"),
        ("FUCKING hell, Motherfucker!", "F****** hell, M***********!"),
        ("You son of a bitch.", "You s** o* a b****."),
        ("the bitch's dog, the bitch’s cat", "the b****'s dog, the b****’s cat"),  # noqa: RUF001
        ("Shit'll happen, the bitch’d fuck'em", "S***'ll happen, the b****’d f***'em"),  # noqa: RUF001
        ("a shit-show, “bullshit”", "a s***-show, “b*******”"),
        ("Assess the class in Scunthorpe.", "Assess the class in Scunthorpe."),
        ("A cocktail with shiitake, Dickens and Hancock.", "A cocktail with shiitake, Dickens and Hancock."),
        ("We are tied up. Sex education, a playboy.", "We are tied up. Sex education, a playboy."),
        ("Essex, Sussex, Penistone, Lightwater", "Essex, Sussex, Penistone, Lightwater"),
        ("Spic-and-span, a pussy cat, a pussy.", "Spic-and-span, a pussy cat, a p****."),
        ("Shit-cum-laude", "S***-cum-laude"),
    ],
)
def test_whole_words_of_the_list_are_masked_and_no_part_of_another_word(text: str, expected: str) -> None:
    assert masked(text) == expected


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("So eine Scheiße, du Arschloch!", "de-DE", "So eine S******, du A********!"),
        ("SCHEISSE, der Dickwanst", "de", "S*******, der Dickwanst"),
        ("Putain de merde, l'enculé. La veuve.", "fr-FR", "P***** de m****, l'e*****. La veuve."),
        ("¡Joder, hijo de puta! El martillo.", "es-ES", "¡J****, h*** d* p***! El martillo."),
        ("Che cazzo! Voglio venire.", "it-IT", "C** c****! Voglio venire."),
        ("Comer uma cerveja, porra!", "pt-BR", "Comer uma cerveja, p****!"),
        ("Un cul-de-sac, mon cul !", "fr-FR", "Un cul-de-sac, mon c** !"),
        ("Des culs de sac, du chili con carne", "fr", "Des culs de sac, du chili con carne"),
        ("Пиздец, какая разница", "ru-RU", "П*****, какая разница"),
        ("Din drittsekk", "nn-NO", "Din d********"),
        ("Din drittsekk", "nb", "Din d********"),
        ("So eine Scheiße", "en-US", "So eine Scheiße"),
        ("fuck", "el-GR", "fuck"),
    ],
)
def test_each_language_has_its_list(text: str, language: str, expected: str) -> None:
    assert masked(text, language) == expected


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "He has a BS degree, summa cum laude, and a hoe. Great tits and a cock in Chorlton-cum-Hardy."),
        ("en", "Dick Cheney, Alan Cumming, Senator Coons, Kike Hernández and Mr Poon on the Rio Negro."),
        ("en", "Talks between Manila and the MILF."),
        ("en", "A Maine coon, a neonazi, a finger-prick test, a fag after lunch; get Jack off the phone."),
        ("de", "Die Vögel fliegen mit anderen Vögeln. Ficksches Gesetz, Herr Fick, die Katze Muschi."),
        ("fr", "Une tapette à mouches, un nègre littéraire, un cul-de-sac, un cul-de-jatte, cul sec !"),
        ("es", "El pinche de cocina, Giovanni Verga, un hijo bastardo."),
        ("it", "Troia e Omero, scopare il pavimento, che bordello, il bocchino della tromba, un ditalino."),
        ("nl", "Longkanker en kanker, tering en tyfus; een jurk naaien, op tijd klaarkomen, FC Kloten."),
        ("pt", "A bicha do banco, a Xana, o puto, fazer um biscate, um cacete de pão, um desgraçado."),
        ("ru", "Муда в бережливом производстве"),
        ("cs", "Píchat injekci. Koně musí žrát. Pan Šulin."),
        ("fi", "Munapää"),
        ("no", "Satan i Bibelen"),
    ],
)
def test_everyday_words_and_names_are_not_masked(language: str, text: str) -> None:
    assert masked(text, language) == text


def test_a_segment_in_a_detected_language_is_masked_by_the_list_of_that_language() -> None:
    rewriter = load_filter(None).rewriter("en-US")
    segment = TranscriptSegment(0, 0.0, 1.0, "Die Scheiße, fuck", language="de")
    assert rewriter(segment).text == "Die S******, fuck"


def test_a_mask_is_as_long_as_its_word() -> None:
    assert mask("son of a bitch") == "s** o* a b****"


def test_detected_languages_without_a_list_are_named() -> None:
    assert load_filter(None).lacks(["en", "ja", "el", "de"]) == ["el", "ja"]
    assert load_filter(None).lacks([]) == []


@pytest.mark.parametrize("language", ["en-US", "de", "no-NO", "nb-NO", "nn-NO", "pt-BR"])
def test_a_language_with_a_list_is_accepted(language: str) -> None:
    load_filter(None).check(language)


@pytest.mark.parametrize(
    ("language", "reason"),
    [("el-GR", "no words for el"), ("ja-JP", "ja is written without"), ("zh-CN", "zh is written")],
)
def test_a_language_without_one_is_refused_with_the_reason(language: str, reason: str) -> None:
    with pytest.raises(OptionNotAvailable, match=reason) as refused:
        load_filter(None).check(language)
    assert refused.value.field == "config.profanity_filter"


def test_the_documents_name_the_languages() -> None:
    text = (ROOT / "docs" / "profanity.md").read_text()
    named = text.partition("lists for ")[2].partition(".")[0]
    assert re.findall(r"`(\w+)`", named) == sorted(LISTS)


def test_the_review_covers_every_list_and_does_not_contradict_itself() -> None:
    everyday = [change for change in read_changes(REVIEW) if change.is_removed]
    assert len(everyday) > 400
    assert {change.language for change in read_changes(REVIEW)} == set(LISTS)
    both = {(c.language, c.phrase) for c in everyday} & {
        (c.language, c.phrase) for c in read_changes(REVIEW) if not c.is_removed
    }
    assert both == set()


# --- the operator's file -----------------------------------------------------------------------------------------


def test_an_operator_adds_and_removes_words_for_one_language_or_all(tmp_path: Path) -> None:
    file = tmp_path / "words.txt"
    file.write_text(
        "# ours\n\nfrak\n-bullshit\nde: Depp, Blödmann\n-de: Arschloch\nel: μαλάκας\n  Jim Crow  # two words\n"
    )
    profanity = load_filter(file)
    assert masked("Frak, bullshit, Jim  Crow, shit", profanity=profanity) == "F***, bullshit, J**  C***, s***"
    assert masked("Frak, Depp, Arschloch, Blödmann", "de", profanity=profanity) == "F***, D***, Arschloch, B*******"
    assert masked("Μαλάκας", "el-GR", profanity=profanity) == "Μ******"  # noqa: RUF001
    profanity.check("el-GR")


def test_a_removed_phrase_is_not_masked_although_it_contains_a_listed_word(tmp_path: Path) -> None:
    file = tmp_path / "words.txt"
    file.write_text("-holy shit\n-en: bitch\nde: bitch, Lehrer\n-Lehrer Schmidt\nnn: kjeltring\n")
    profanity = load_filter(file)
    assert masked("Holy-shit, holy  shit, shit; bitch", profanity=profanity) == "Holy-shit, holy  shit, s***; bitch"
    assert masked("Bitch, Lehrer Schmidt, Lehrer", "de", profanity=profanity) == "B****, Lehrer Schmidt, L*****"
    assert masked("Kjeltring", "nb-NO", profanity=profanity) == "K********"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("frak\n---\n", "line 2 of .* without a word"),
        ("de:\n", "line 1 of .* without a word"),
        ("a,,b\n", "line 1 of .* without a word"),
        ("Note: this\n", "line 1 of .* is invalid"),
        ("くそ\n", "line 1 of .* script without spaces"),
        ("ja: baka\n", "line 1 of .* script without spaces"),
        ("\udcff", "is not UTF-8 text"),
    ],
)
def test_an_invalid_file_is_refused_with_the_line(tmp_path: Path, content: str, reason: str) -> None:
    file = tmp_path / "words.txt"
    file.write_bytes(content.encode(errors="surrogateescape"))
    with pytest.raises(InvalidSetting, match=f"BATCHSCRIBE_PROFANITY_FILE: .*{reason}"):
        load_filter(file)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidSetting, match="cannot be read: No such file"):
        load_filter(tmp_path / "none.txt")


# --- transcripts -------------------------------------------------------------------------------------------------


def transcribed(text: str, *, aliases: tuple[Alias, ...] = ()) -> Transcript:
    words = tuple(Word(word, float(at), at + 1.0, 0.5) for at, word in enumerate(text.split()))
    duration_sec = float(len(words))
    return assemble(
        [RecognizedWindow(0, 0.0, duration_sec, Recognition.of(text, words, duration_sec))],
        duration_sec=duration_sec,
        channels=1,
        model="scripted-1",
        request_id="req_1",
        config=Config(word_time_offsets=True, profanity_filter=True),
        metadata=Metadata("scripted", None, "s3://in/a.wav", None, 7),
        aliases=AliasRewriter.of(aliases),
        profanity=load_filter(None),
    )


def test_a_masked_word_is_in_no_text_of_a_transcript() -> None:
    made = transcribed("Well, fuck that Bullshit. A class act.")
    result = json.loads(FORMATS["json"].render(made))["result"]
    assert result["text_display"] == "Well, f*** that B*******. A class act."
    assert result["text_lexical"] == "well f*** that b******* a class act"
    words = [word for segment in result["segments"] for word in segment["words"]]
    assert [word["word"] for word in words] == ["Well,", "f***", "that", "B*******.", "A", "class", "act."]
    assert words[1] == {"word": "f***", "start": 1.0, "end": 2.0}
    for name in FORMATS.keys() - {"peaks"}:
        content = FORMATS[name].render(made).decode().lower()
        assert "fuck" not in content
        assert "bullshit" not in content
        assert "class" in content


def test_what_an_alias_writes_is_masked_too() -> None:
    made = transcribed("oh fudge", aliases=(Alias(canonical="shit", variants=("fudge",)),))
    assert made.text_display == "oh s***"
