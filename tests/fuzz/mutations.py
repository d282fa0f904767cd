"""Mutations of a recording: random ones, and ones at places that parsers trust."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from itertools import pairwise

import numpy as np

Dice = np.random.Generator
#: Names that have a length before or after them.
_NAMES = re.compile(
    rb"RIFF|RF64|data|fmt |fact|ds64|LIST|id3 |ID3|ftyp|moov|trak|mdia|minf|stbl|stsd|stts|stsc|stsz|stco|co64|ctts"
    rb"|elst|mvhd|tkhd|mdhd|hdlr|esds|mdat|moof|traf|trun|tfhd|tfdt|mvex|trex|edts|dOps|alac|OggS|fLaC|Xing|Info|OpusHead"
    # The elements of Matroska: head, segment, information, tracks, cluster, cues, index, tags, and names in them.
    rb"|\x1a\x45\xdf\xa3|\x18\x53\x80\x67|\x15\x49\xa9\x66|\x16\x54\xae\x6b|\x1f\x43\xb6\x75|\x1c\x53\xbb\x6b"
    rb"|\x11\x4d\x9b\x74|\x12\x54\xc3\x67|A_OPUS|A_VORBIS|A_AAC|A_FLAC|V_VP8|DURATION|webm|matroska"
)
_EXTREMES = (0, 1, 2, 3, 7, 8, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF)


def _place(dice: Dice, content: bytes, length: int = 1) -> int:
    return int(dice.integers(0, max(1, len(content) - length + 1)))


def _header_place(dice: Dice, content: bytes) -> int:
    """Return a place in the first KiB, where the headers are."""
    return int(dice.integers(0, max(1, min(1024, len(content)))))


def flip_bits(dice: Dice, content: bytes, _other: bytes) -> bytes:
    changed = bytearray(content)
    for _ in range(int(dice.integers(1, 40))):
        place = _header_place(dice, content) if dice.random() < 0.5 else _place(dice, content)
        changed[place] ^= 1 << int(dice.integers(8))
    return bytes(changed)


def overwrite_run(dice: Dice, content: bytes, _other: bytes) -> bytes:
    length = int(dice.integers(1, 600))
    place = _place(dice, content, length)
    fill = dice.bytes(length) if dice.random() < 0.5 else bytes([int(dice.choice([0, 0xFF]))]) * length
    return content[:place] + fill[: len(content) - place] + content[place + length :]


def cut(dice: Dice, content: bytes, _other: bytes) -> bytes:
    start = 0 if dice.random() < 0.7 else _place(dice, content)
    return content[start : start + 1 + _place(dice, content)]


def insert(dice: Dice, content: bytes, _other: bytes) -> bytes:
    place = _place(dice, content)
    return content[:place] + dice.bytes(int(dice.integers(1, 3000))) + content[place:]


def set_length(dice: Dice, content: bytes, _other: bytes) -> bytes:
    """Make numbers next to names extreme, in either byte order."""
    changed, names = bytearray(content), list(_NAMES.finditer(content))
    for _ in range(int(dice.integers(1, 4))):
        if names:
            name = names[int(dice.integers(len(names)))]
            place = int(dice.choice([name.start() - 4, name.end(), name.end() + 4, name.end() + 8, name.end() + 12]))
        else:
            place = _header_place(dice, content)
        value = int(dice.choice(_EXTREMES)).to_bytes(4, "big" if dice.random() < 0.5 else "little")
        place = max(0, min(place, len(changed) - 4))
        changed[place : place + 4] = value
    return bytes(changed)


def splice(dice: Dice, content: bytes, other: bytes) -> bytes:
    return content[: _place(dice, content)] + other[_place(dice, other) :]


def swap_names(dice: Dice, content: bytes, _other: bytes) -> bytes:
    """Give a chunk or a box the name of another."""
    names = list(_NAMES.finditer(content))
    if len(names) < 2:
        return flip_bits(dice, content, content)
    one, two = (names[int(number)] for number in dice.choice(len(names), 2, replace=False))
    changed = bytearray(content)
    changed[one.start() : one.end()], changed[two.start() : two.end()] = two.group(), one.group()
    return bytes(changed)


def shuffle_parts(dice: Dice, content: bytes, _other: bytes) -> bytes:
    """Reorder the parts that begin with names, and repeat or drop some."""
    edges = sorted({0, *(max(0, name.start() - 4) for name in _NAMES.finditer(content)), len(content)})
    parts = [content[start:end] for start, end in pairwise(edges)]
    order = dice.choice(len(parts), len(parts), replace=bool(dice.random() < 0.5))
    first = parts[0] if dice.random() < 0.7 else b""
    return first + b"".join(parts[int(number)] for number in order)


MUTATIONS: Mapping[str, Callable[[Dice, bytes, bytes], bytes]] = {
    "bits flipped": flip_bits,
    "bytes overwritten": overwrite_run,
    "cut": cut,
    "bytes inserted": insert,
    "lengths made extreme": set_length,
    "two files spliced": splice,
    "names exchanged": swap_names,
    "parts shuffled": shuffle_parts,
}


def mutated(seed: int, number: int, bases: Mapping[str, bytes]) -> tuple[str, str, bytes]:
    """Return the names of the recording and the mutation, and the bytes. The result depends only on the numbers."""
    dice = np.random.default_rng([seed, number])
    names, kinds = sorted(bases), sorted(MUTATIONS)
    base, other = names[number % len(names)], names[int(dice.integers(len(names)))]
    kind = kinds[int(dice.integers(len(kinds)))]
    content = MUTATIONS[kind](dice, bases[base], bases[other])
    if dice.random() < 0.3:
        content = MUTATIONS[kinds[int(dice.integers(len(kinds)))]](dice, content or b"\0", bases[other])
    return base, kind, content
