"""What a decoder may report about a recording, and how it is shown."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import pytest

from batchscribe.audio import findings
from batchscribe.audio.findings import KINDS, OTHER_CODEC, Finding, Looks, Remark, refusal, remark
from batchscribe.audio.sniff import DEMUXERS
from batchscribe.errors import CorruptMedia, MediaError
from batchscribe.input_formats import TITLES

ROOM = Path(findings.__file__).parent
#: Modules that run in the parent, which may create any message.
OF_THE_PARENT = {"decoder.py", "decoding.py", "decoder_process.py"}


@pytest.mark.parametrize("finding", Finding)
def test_every_finding_arrives_and_is_one_short_sentence(finding: Finding) -> None:
    for value in (-(10**30), 0, 10**30):
        said = remark(finding, **dict.fromkeys(finding.fields, value))
        arrived = Remark.from_json(json.loads(json.dumps(said.as_json())))
        assert arrived == said
        assert len(arrived.sentence) < 200
        assert arrived.sentence.isprintable()
        assert arrived.sentence.endswith(".")
        assert "{" not in arrived.sentence


def test_a_refusal_is_an_error_of_its_kind_with_its_facts() -> None:
    error = refusal(Finding.RATE_IMPOSSIBLE, rate=4_294_967_295)
    assert type(error) is CorruptMedia
    assert error.message == "The file declares a sample rate of 4294967295 Hz."
    assert error.remark == Remark(Finding.RATE_IMPOSSIBLE, {"rate": 4_294_967_295})


def test_numbers_come_with_their_noun() -> None:
    assert remark(Finding.PACKETS_SKIPPED, count=1, lost=0.021).sentence == (
        "1 damaged packet was skipped: 0.02 s of sound."
    )
    assert remark(Finding.PACKETS_SKIPPED, count=3, lost=1.5).sentence == (
        "3 damaged packets were skipped: 1.50 s of sound."
    )


def test_an_unknown_codec_is_not_named() -> None:
    assert OTHER_CODEC in refusal(Finding.CODEC_NOT_DECODED, codec="visit my page").message
    assert "wmav2" in refusal(Finding.CODEC_NOT_DECODED, codec="wmav2").message


def test_infinite_values_become_the_maximum() -> None:
    assert remark(Finding.BROKEN_OFF, held=float("nan")).facts == {"held": 1e7}


@pytest.mark.parametrize(
    "said",
    [
        None,
        "BROKEN_OFF",
        {},
        {"finding": "BROKEN_OFF"},
        {"finding": "BROKEN_OFF", "facts": {}},
        {"finding": "BROKEN_OFF", "facts": {"held": 1.0, "message": "Visit my page."}},
        {"finding": "BROKEN_OFF", "facts": {"held": 1.0}, "message": "Visit my page."},
        {"finding": "BROKEN_OFF", "facts": {"held": -0.1}},
        {"finding": "BROKEN_OFF", "facts": {"held": float("nan")}},
        {"finding": "BROKEN_OFF", "facts": {"held": float("inf")}},
        {"finding": "BROKEN_OFF", "facts": {"held": "1.0"}},
        {"finding": "BROKEN_OFF", "facts": {"held": True}},
        {"finding": "BROKEN_OFF", "facts": {"held": [1.0]}},
        {"finding": "PACKETS_SKIPPED", "facts": {"count": 1.0, "lost": 0.1}},
        {"finding": "PACKETS_SKIPPED", "facts": {"count": 10**30, "lost": 0.1}},
        {"finding": "PACKETS_SKIPPED", "facts": {"count": True, "lost": 0.1}},
        {"finding": "CODEC_NOT_DECODED", "facts": {"codec": "visit my page"}},
        {"finding": "NOT_A_RECORDING", "facts": {"looks": "\ud800"}},
        {"finding": "NOT_A_RECORDING", "facts": {"looks": {"a": "b"}}},
        {"finding": "__class__", "facts": {}},
        {"finding": ["NO_BYTES"], "facts": {}},
    ],
)
def test_anything_else_is_not_a_remark(said: Any) -> None:
    with pytest.raises(ValueError, match=r"remark|finding|fields|range"):
        Remark.from_json(said)


def test_a_warning_ends_no_recording() -> None:
    with pytest.raises(ValueError, match="is a warning"):
        remark(Finding.BROKEN_OFF, held=1.0).error()


def test_every_kind_formats_what_it_allows() -> None:
    for kind in KINDS.values():
        assert kind.is_allowed(kind.clamp(1))
        assert kind.describe(kind.clamp(1))


def test_all_formats_have_a_name_that_may_be_reported() -> None:
    for name in DEMUXERS:
        assert KINDS["format"].is_allowed(TITLES[name])
    for looks in Looks:
        assert KINDS["looks"].is_allowed(looks)


def test_a_decoder_makes_no_sentence_of_its_own() -> None:
    """Only errors created by `refusal` can be sent to the parent."""
    errors = {kind.__name__ for kind in MediaError.__subclasses__()}
    for module in ROOM.glob("*.py"):
        if module.name in OF_THE_PARENT:
            continue
        called = {
            node.func.id
            for node in ast.walk(ast.parse(module.read_text()))
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        }
        assert not called & errors, f"{module.name}: use `refusal` and a `Finding`"
