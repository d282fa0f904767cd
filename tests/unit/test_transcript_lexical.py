"""The lexical form in the scripts of the world."""

from __future__ import annotations

import pytest

from batchscribe.transcript.document import lexical


@pytest.mark.parametrize(
    ("display", "expected"),
    [
        ("Hello, World! How are you?", "hello world how are you"),
        ("Don't shout -- it's Anna's.", "don't shout it's anna's"),
        ("Don\N{RIGHT SINGLE QUOTATION MARK}t", "don't"),
        ("'Quoted' and the dogs' tails", "quoted and the dogs tails"),
        ("A well-known fact…", "a well known fact"),
        ("Die Straße, über Äpfel.", "die straße über äpfel"),
        ("¿Qué pasó, señor?", "qué pasó señor"),
        ("你好\N{FULLWIDTH COMMA}世界。", "你好 世界"),
        ("こんにちは、「世界」。", "こんにちは 世界"),
        ("नमस्ते, दुनिया।", "नमस्ते दुनिया"),
        ("مرحبا، بالعالم؟", "مرحبا بالعالم"),
        ("Cafe\N{COMBINING ACUTE ACCENT}!", "cafe\N{COMBINING ACUTE ACCENT}"),
        ("ΟΔΟΣ", "οδος"),
        ("It costs $5 in 2025.", "it costs $5 in 2025"),
        ("  two\n lines ", "two lines"),
        ("...", ""),
        ("", ""),
    ],
)
def test_lexical_is_lower_case_without_punctuation(display: str, expected: str) -> None:
    assert lexical(display) == expected
