"""Tiny Whisper models in CTranslate2's format, built by hand without torch: a random one and a scripted one.

The random one returns noise, always the same for the same audio. The scripted one returns a given sentence
for any audio. Both are real model folders: faster-whisper loads them like any other.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from ctranslate2.specs import WhisperSpec
from numpy.typing import NDArray
from tokenizers import AddedToken, Tokenizer, decoders, pre_tokenizers
from tokenizers.models import BPE

Floats = NDArray[np.float32]

#: A few of Whisper's languages; the builders accept any.
LANGUAGES = ("en", "de", "es", "fr", "ja", "jw", "zh")
#: Stands for the empty token, by which CTranslate2 knows a multilingual model.
DUMMY = "<|dummy|>"
END = "<|endoftext|>"
START = "<|startoftranscript|>"
POSITIONS = 448
FRAMES = 1500
TIME_STEP_SEC = 0.02


@dataclass(frozen=True)
class Line:
    """The text of the scripted model, in plain ASCII, and the language that it always detects."""

    text: str
    language: str = "en"


@dataclass(frozen=True)
class Shape:
    """Of the network. `mels` is 80, or 128 as in large-v3. `weight_std` is the standard deviation of random weights."""

    width: int = 16
    mels: int = 80
    heads: int = 2
    encoder_layers: int = 1
    decoder_layers: int = 1
    weight_std: float = 0.3


@dataclass
class Vocabulary:
    """Whisper's order: bytes, words, then the special tokens, then 1,501 times."""

    languages: Sequence[str]
    multilingual: bool
    words: Sequence[str] = ()
    tokenizer: Tokenizer = field(init=False)
    tokens: list[str] = field(init=False)

    def __post_init__(self) -> None:
        self.tokenizer = byte_tokenizer(self.words)
        specials = [*([DUMMY] if self.multilingual else []), END, START]
        specials += [f"<|{language}|>" for language in self.languages]
        specials += ["<|translate|>", "<|transcribe|>", "<|startoflm|>", "<|startofprev|>"]
        specials += ["<|nospeech|>", "<|notimestamps|>"]
        self.tokenizer.add_special_tokens([AddedToken(token, special=True) for token in specials])
        self.tokenizer.add_tokens([AddedToken(time_token(step * TIME_STEP_SEC)) for step in range(1501)])
        ids = self.tokenizer.get_vocab(with_added_tokens=True)
        self.tokens = sorted(ids, key=lambda token: ids[token])

    def id(self, token: str) -> int:
        return self.tokens.index(token)

    def registered(self) -> list[str]:
        return ["" if token == DUMMY else token for token in self.tokens]


def random_whisper(
    folder: Path,
    *,
    languages: Sequence[str] = LANGUAGES,
    multilingual: bool = True,
    mels: int = 80,
    seed: int = 0,
) -> Path:
    """Build a model of random weights in `folder`, which it makes; returns the folder."""
    vocabulary = Vocabulary(languages if multilingual else ["en"], multilingual)
    shape = Shape(mels=mels)
    spec = network(vocabulary, shape, np.random.default_rng(seed))
    return save(spec, vocabulary, shape, folder)


def scripted_whisper(folder: Path, line: Line, *, multilingual: bool = True) -> Path:
    """Build a model that always says `line` in `folder`, which it makes; returns the folder."""
    words = [space_word(word) for word in line.text.split()]
    vocabulary = Vocabulary(LANGUAGES if multilingual else ["en"], multilingual, words)
    prompt = 3 if multilingual else 1  # the position of the last token of the engine's prompt
    script = [f"<|{line.language}|>"] * prompt + words
    shape = Shape(width=64 if len(script) < 64 else POSITIONS)  # one for each position that says something, and the end
    spec = network(vocabulary, shape, np.random.default_rng(0))
    silence_layers(spec)
    speak(spec.decoder, [vocabulary.id(token) for token in script], vocabulary.id(END), shape.width)
    return save(spec, vocabulary, shape, folder)


def byte_tokenizer(words: Sequence[str]) -> Tokenizer:
    """Byte-level BPE whose only merges are those that make each of `words` one token."""
    ids = {symbol: number for number, symbol in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}
    merges: list[tuple[str, str]] = []
    for word in words:
        for end in range(2, len(word) + 1):
            if word[:end] not in ids:
                ids[word[:end]] = len(ids)
                merges.append((word[: end - 1], word[end - 1]))
    tokenizer = Tokenizer(BPE(vocab=ids, merges=merges))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def space_word(word: str) -> str:
    """A word with its leading space, in the alphabet of byte-level BPE."""
    return "\N{LATIN CAPITAL LETTER G WITH DOT ABOVE}" + word


def time_token(time_sec: float) -> str:
    return f"<|{time_sec:.2f}|>"


def network(vocabulary: Vocabulary, shape: Shape, random: np.random.Generator) -> WhisperSpec:
    """All weights are random."""
    width = shape.width
    spec = WhisperSpec(shape.encoder_layers, shape.heads, shape.decoder_layers, shape.heads)

    def weights(*size: int) -> Floats:
        return random.normal(0.0, shape.weight_std, size).astype(np.float32)

    def fill_linear(linear: Any, outputs: int, inputs: int) -> None:
        linear.weight, linear.bias = weights(outputs, inputs), np.zeros(outputs, np.float32)

    for convolution, inputs in ((spec.encoder.conv1, shape.mels), (spec.encoder.conv2, width)):
        convolution.weight, convolution.bias = weights(width, inputs, 3), np.zeros(width, np.float32)
    spec.encoder.position_encodings.encodings = weights(FRAMES, width)
    spec.decoder.position_encodings.encodings = weights(POSITIONS, width)
    spec.decoder.embeddings.weight = weights(len(vocabulary.tokens), width)
    spec.decoder.projection.weight = spec.decoder.embeddings.weight
    for layer in (*spec.encoder.layer, *spec.decoder.layer):
        fill_linear(layer.self_attention.linear[0], 3 * width, width)
        fill_linear(layer.self_attention.linear[1], width, width)
        fill_linear(layer.ffn.linear_0, 4 * width, width)
        fill_linear(layer.ffn.linear_1, width, 4 * width)
    for layer in spec.decoder.layer:
        for linear, outputs in zip(layer.attention.linear, (width, 2 * width, width), strict=True):
            fill_linear(linear, outputs, width)
    for norm in layer_norms(spec):
        norm.gamma, norm.beta = np.ones(width, np.float32), np.zeros(width, np.float32)
    return spec


def layer_norms(spec: WhisperSpec) -> list[Any]:
    norms = [spec.encoder.layer_norm, spec.decoder.layer_norm]
    norms += [layer.attention.layer_norm for layer in spec.decoder.layer]
    for layer in (*spec.encoder.layer, *spec.decoder.layer):
        norms += [layer.self_attention.layer_norm, layer.ffn.layer_norm]
    return norms


def silence_layers(spec: WhisperSpec) -> None:
    """Nothing that the decoder's layers compute reaches the output: only the position counts."""
    for layer in spec.decoder.layer:
        for linear in (layer.self_attention.linear[-1], layer.attention.linear[-1], layer.ffn.linear_1):
            linear.weight = np.zeros_like(linear.weight)


def speak(decoder: Any, script: Sequence[int], end: int, width: int) -> None:
    """At position p say token `script[p]`, afterwards `end`."""
    decoder.embeddings.weight = np.zeros_like(decoder.embeddings.weight)
    decoder.position_encodings.encodings = 8 * np.eye(POSITIONS, width, dtype=np.float32)
    projection = np.zeros_like(decoder.embeddings.weight)
    for position in range(width):
        projection[script[position] if position < len(script) else end, position] = 3.0
    decoder.projection.weight = projection


def save(
    spec: WhisperSpec, vocabulary: Vocabulary, shape: Shape, folder: Path, *, stored_as: str | None = None
) -> Path:
    """Write the model's folder. `stored_as` is the number format of its weights, by CTranslate2's names."""
    folder.mkdir(parents=True)
    spec.register_vocabulary(vocabulary.registered())
    spec.config.suppress_ids = []
    spec.config.suppress_ids_begin = [vocabulary.id(END)]
    spec.config.lang_ids = [vocabulary.id(f"<|{language}|>") for language in vocabulary.languages]
    spec.config.alignment_heads = [[0, 0], [0, 1]]
    spec.validate()
    spec.optimize(quantization=stored_as)
    spec.save(str(folder))
    vocabulary.tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "preprocessor_config.json").write_text(
        json.dumps(
            {"feature_size": shape.mels, "sampling_rate": 16_000, "hop_length": 160, "chunk_length": 30, "n_fft": 400}
        )
    )
    return folder
