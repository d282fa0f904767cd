"""A Whisper model of real shape with random weights that writes the same number of tokens for any window.

All its layers compute as in a real model, but what the decoder's layers compute does not reach the output, so that each
step depends on its position only. Random weights alone would write anything, mostly up to the limit.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from itertools import islice, product
from pathlib import Path
from string import ascii_lowercase

import numpy as np
from tests.models.whisper import (
    END,
    LANGUAGES,
    POSITIONS,
    Floats,
    Shape,
    Vocabulary,
    network,
    save,
    silence_layers,
    space_word,
)

#: The shape of Whisper large-v3-turbo, and a tiny one to try the benchmark out. Source: the publisher's config.json.
TURBO = Shape(width=1280, mels=128, heads=20, encoder_layers=32, decoder_layers=4, weight_std=0.02)
SMALL = Shape(width=128, mels=80, heads=2, encoder_layers=2, decoder_layers=1, weight_std=0.02)
TURBO_TOKENS, SMALL_TOKENS = 51_866, 3_000
#: The engine's prompt has four tokens; the first of the text is written at this position.
TEXT_AT = 3
#: With more words, the engine might find that they are too short, and recognize the window again.
MAX_WORDS = 8
#: Certain, but within the range of all number formats.
LOGIT = 24.0
#: A token that the engine suppresses. The network finds it three times as likely as the right one. So the engine is
#: sure of the text, but finds no word likely at its time, and does not look for missed words.
RIVAL = "#"
RIVAL_TIMES = 3.0


def fixed_whisper(folder: Path, shape: Shape, n_tokens: int, *, tokens_per_text: int, stored_as: str) -> Path:
    """Build a model with a vocabulary of `n_tokens` in `folder`, which it makes; returns the folder."""
    vocabulary = _vocabulary(n_tokens)
    spec = network(vocabulary, shape, np.random.default_rng(0))
    silence_layers(spec)
    script = ["<|en|>"] * TEXT_AT + text_tokens(tokens_per_text)
    spec.decoder.embeddings.weight = np.zeros_like(spec.decoder.embeddings.weight)
    spec.decoder.position_encodings.encodings = 8 * np.eye(POSITIONS, shape.width, dtype=np.float32)
    spec.decoder.projection.weight = _projection(vocabulary, script, shape)
    return save(spec, vocabulary, shape, folder, stored_as=stored_as)


def _projection(vocabulary: Vocabulary, script: Sequence[str], shape: Shape) -> Floats:
    """float32[n_tokens, width]: at each position of the script its token and, if it is text, the rival; then the end.

    The decoder's last normalization turns a position p into a vector with mean 0, and with about sqrt(width) at p.
    """
    positions = np.zeros((len(vocabulary.tokens), shape.width), np.float32)
    for position, token in enumerate([*script, END]):
        positions[vocabulary.id(token), position] = LOGIT
    positions[vocabulary.id(RIVAL), TEXT_AT : len(script)] = LOGIT + math.log(RIVAL_TIMES)
    share = (positions > 0).mean(axis=1, keepdims=True)
    projection: Floats = positions / (1 - share) / np.float32(math.sqrt(shape.width))
    return projection.astype(np.float32)


def text_tokens(count: int) -> list[str]:
    """Return tokens of one letter each that make at most `MAX_WORDS` words without repetition."""
    draw = random.Random(0)  # noqa: S311 - the same text in each run
    letters = draw.choices(ascii_lowercase, k=count)
    per_word = math.ceil(count / MAX_WORDS)
    return [space_word(letter) if at % per_word == 0 else letter for at, letter in enumerate(letters)]


def _vocabulary(n_tokens: int) -> Vocabulary:
    """As many words as are missing to the number of tokens."""
    first = [space_word(letter) for letter in ascii_lowercase]
    without = len(Vocabulary(LANGUAGES, True, first).tokens)
    more = ("".join(letters) for length in (2, 3, 4) for letters in product(ascii_lowercase, repeat=length))
    return Vocabulary(LANGUAGES, True, [*first, *(space_word(word) for word in islice(more, n_tokens - without))])
