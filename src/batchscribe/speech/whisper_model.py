"""A Whisper model in CTranslate2: features, encoder output, text, languages and word times.

The feature extractor and the tokenizer are those of faster-whisper. Its `transcribe` is not used: it decodes one
recording at a time, does not pad with silence, and falls back to random sampling. CTranslate2 uses some CPU features
only on request (`use_avx512`).
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from batchscribe.speech.devices import CUDA, kind_of, number_of
from batchscribe.speech.words import clean_text
from batchscribe.window import SAMPLE_RATE, Samples, Word

CPU_INFO = Path("/proc/cpuinfo")
#: CTranslate2 reads it when the first model is loaded, and fails if the CPU lacks the instruction set.
ISA_VARIABLE = "CT2_FORCE_CPU_ISA"
#: The flags that CTranslate2 requires for AVX512. Source: its cpu_info.cc.
AVX512 = frozenset({"avx512f", "avx512cd", "avx512vl", "avx512bw", "avx512dq"})


def use_avx512(cpu_info: Path = CPU_INFO) -> None:
    """Let CTranslate2 use AVX-512 if the CPU has it. This saves 6 % of the CPU time of a Whisper model (measured).

    By default, it uses AVX2. A value that the user has set is kept.
    """
    if ISA_VARIABLE not in os.environ and cpu_flags(cpu_info) >= AVX512:
        os.environ[ISA_VARIABLE] = "AVX512"


def cpu_flags(cpu_info: Path) -> frozenset[str]:
    """Return the flags of the first core, in the kernel's notation; none if they are unknown."""
    if not cpu_info.is_file():
        return frozenset()
    for line in cpu_info.read_text(encoding="ascii", errors="replace").splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "flags":
            return frozenset(value.split())
    return frozenset()


#: float32[n_mels, n_frames], 100 frames per second
Features = NDArray[np.float32]
#: [n_windows, n_frames / 2, width]: the output of the encoder, float32 or, on a GPU, a `ctranslate2.StorageView`
Encoded = Any
FRAMES_PER_SEC = 100
HOP_SAMPLES = SAMPLE_RATE // FRAMES_PER_SEC
#: Seconds between two positions of the encoder output: the resolution of word times.
ALIGNED_SEC = 0.02
#: After this many zeros, the feature extractor returns the features of silence.
SETTLING_SAMPLES = 400
#: The longest text: the decoder has 448 positions, and an alignment needs five of them for its prompt and the end.
MAX_TOKENS = 443
BEAM_SIZE = 5
#: Punctuation that belongs to the following word, and to the preceding one. Source: OpenAI's Whisper, timing.py.
PREPENDED = "\"'\u201c\u00bf([{-"
APPENDED = "\"'.\u3002,\uff0c!\uff01?\uff1f:\uff1a\u201d)]}\u3001"
#: Marks that may occur inside a word.
WITHIN_WORDS = frozenset("'-.,:/@&")


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchOptions:
    """Decoding options. There is no random sampling, because the same audio must yield the same text."""

    beam_size: int = BEAM_SIZE
    no_repeat_ngram: int = 0  #: the length of token sequences that may not occur twice; 0: no limit


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """The decoded text of one window; see OpenAI's Whisper for the meaning of the numbers."""

    tokens: tuple[int, ...]  #: of the text alone
    text: str
    avg_logprob: float  #: mean log probability of the tokens
    no_speech: float  #: probability of no speech

    @property
    def compression(self) -> float:
        """The compression ratio of the text with zlib; above 2.4, the text is repetitive."""
        encoded = _one_byte_each(self.text)
        return len(encoded) / len(zlib.compress(encoded)) if encoded else 0.0


class WhisperModel:
    """A loaded model. Not thread-safe."""

    def __init__(self, path: Path, device: str, compute_type: str, *, encodes_batches: bool | None = None) -> None:
        """`encodes_batches`: whether the encoder and the alignment process whole batches; by default on a GPU."""
        import ctranslate2
        from faster_whisper.feature_extractor import FeatureExtractor
        from tokenizers import Tokenizer

        self.encodes_batches = kind_of(device) == CUDA if encodes_batches is None else encodes_batches
        use_avx512()
        self._storage, self._float32 = ctranslate2.StorageView, ctranslate2.DataType.float32
        # One thread: the pool has one process per core, and sums must not depend on the number of threads.
        self._model = ctranslate2.models.Whisper(
            str(path),
            device=kind_of(device),
            device_index=number_of(device),
            compute_type=compute_type,
            inter_threads=1,
            intra_threads=1,
        )
        self._extract = FeatureExtractor(feature_size=self._model.n_mels)
        self._tokenizer = Tokenizer.from_file(str(path / "tokenizer.json"))
        self._tokenizers: dict[str, Any] = {}
        self._suppressed = self._suppressed_tokens()

    @property
    def is_multilingual(self) -> bool:
        return bool(self._model.is_multilingual)

    def features(self, samples: Samples, n_frames: int) -> Features:
        """Return log-mel features, padded with silence to `n_frames`."""
        room = n_frames * HOP_SAMPLES - len(samples)
        sound = np.pad(samples, (0, min(max(room, 0), SETTLING_SAMPLES)))
        found: Features = self._extract(sound)[:, :-1][:, :n_frames]
        return np.pad(found, ((0, 0), (0, n_frames - found.shape[1])), constant_values=found.min())

    def encode(self, features: Sequence[Features]) -> Encoded:
        """Return the encoder output of windows with the same number of frames; on a GPU, it stays there."""
        batch = self._storage.from_array(np.stack(features))
        encoded = self._model.encode(batch, to_cpu=not self.encodes_batches)
        return encoded if self.encodes_batches else np.asarray(encoded.to(self._float32))

    def detect_languages(self, encoded: Encoded) -> list[list[tuple[str, float]]]:
        """Return Whisper's language codes with their probabilities for each window, most probable first."""
        found = [each for part in self._parts(encoded) for each in self._model.detect_language(self._view(part))]
        return [[(token[2:-2], probability) for token, probability in each] for each in found]

    def generate(self, encoded: Encoded, language: str, decoding: SearchOptions) -> list[Hypothesis]:
        """Return the text of windows with the same number of frames; `language` is one of Whisper's codes.

        A batch of eight windows takes two thirds of the CPU of single windows.
        """
        tokenizer = self._tokenizer_of(language)
        # No timestamp tokens: with them, Whisper omits more and loops more often. The alignment's times are better.
        prompt = [*tokenizer.sot_sequence, tokenizer.no_timestamps]
        results = self._model.generate(
            self._view(encoded),
            [prompt] * encoded.shape[0],
            beam_size=decoding.beam_size,
            no_repeat_ngram_size=decoding.no_repeat_ngram,
            max_length=2 * MAX_TOKENS,  # CTranslate2 limits the text to half of it
            suppress_tokens=self._suppressed,
            return_scores=True,
            return_no_speech_prob=True,
        )
        return [_hypothesis(result, tokenizer) for result in results]

    def align(
        self, encoded: Encoded, language: str, hypotheses: Sequence[Hypothesis], n_frames: Sequence[int]
    ) -> list[list[Word]]:
        """Return the words of each window with their times, within its first `n_frames`."""
        tokenizer, tokens = self._tokenizer_of(language), [list(each.tokens) for each in hypotheses]
        found: list[Any] = []
        for part in self._parts(encoded):
            here = slice(len(found), len(found) + part.shape[0])
            found += self._model.align(self._view(part), tokenizer.sot_sequence, tokens[here], list(n_frames[here]))
        return [_words(tokenizer, *each) for each in zip(tokens, found, strict=True)]

    def score(
        self, encoded: Encoded, language: str, prompt: Sequence[int], texts: Sequence[Sequence[int]], n_frames: int
    ) -> list[NDArray[np.float64]]:
        """Return the probability of each token of texts for one window, after a prompt: float64[n_tokens] each.

        The decoder reads the prompt as the text before the window. Prompt and text have at most `MAX_TOKENS - 1` tokens
        together.
        """
        tokenizer = self._tokenizer_of(language)
        start = [tokenizer.sot_prev, *prompt, *tokenizer.sot_sequence]
        found = (self._model.align(self._view(encoded), start, [list(text)], [n_frames])[0] for text in texts)
        return [np.asarray(each.text_token_probs[: len(text)]) for each, text in zip(found, texts, strict=True)]

    def tokens_of(self, text: str) -> tuple[int, ...]:
        """Return the tokens of a text, for prompts and `score`."""
        return tuple(self._tokenizer.encode(text, add_special_tokens=False).ids)

    def split_words(self, tokens: Sequence[int], language: str) -> list[tuple[str, tuple[int, ...]]]:
        """Return the words of a text with their tokens. The words have the space before them."""
        tokenizer = self._tokenizer_of(language)
        texts, groups = _whole_words(*tokenizer.split_to_word_tokens([*tokens, tokenizer.eot]))
        return [(text, tuple(group)) for text, group in zip(texts[:-1], groups[:-1], strict=True)]

    def _parts(self, encoded: Encoded) -> Iterator[Encoded]:
        """Yield what is processed in one call. On a CPU, the alignment of a batch would take twice the CPU."""
        if self.encodes_batches:
            yield encoded
        else:
            yield from (encoded[at : at + 1] for at in range(len(encoded)))

    def _view(self, encoded: Encoded) -> Any:
        return self._storage.from_array(encoded) if isinstance(encoded, np.ndarray) else encoded

    def _tokenizer_of(self, language: str) -> Any:
        from faster_whisper.tokenizer import Tokenizer

        if language not in self._tokenizers:
            self._tokenizers[language] = Tokenizer(
                self._tokenizer, self.is_multilingual, task="transcribe", language=language
            )
        return self._tokenizers[language]

    def _suppressed_tokens(self) -> list[int]:
        """Return the tokens that are not speech: symbols, such as those for music, and control tokens."""
        from faster_whisper.transcribe import get_suppressed_tokens

        return list(get_suppressed_tokens(self._tokenizer_of("en"), [-1]))


def _one_byte_each(text: str) -> bytes:
    """Encode ASCII as it is, and other letters as consecutive numbers.

    In UTF-8, two of the three bytes of a Hindi letter are always the same, so that any text in Hindi would compress as
    if it were repetitive.
    """
    others = dict.fromkeys(letter for letter in text if not letter.isascii())
    numbers = {letter: 128 + number for number, letter in enumerate(others)}
    return bytes(numbers.get(letter, ord(letter)) for letter in text) if len(others) <= 128 else text.encode()


def _hypothesis(result: Any, tokenizer: Any) -> Hypothesis:
    ids = result.sequences_ids[0]
    tokens = tuple(token for token in ids if token < tokenizer.eot)
    return Hypothesis(
        tokens=tokens,
        text=clean_text(tokenizer.decode(list(tokens))),
        # CTranslate2 returns the mean over the tokens; Whisper also counts the end of the text as a token.
        avg_logprob=result.scores[0] * len(ids) / (len(ids) + 1),
        no_speech=result.no_speech_prob,
    )


def _words(tokenizer: Any, tokens: list[int], result: Any) -> list[Word]:
    """Convert the positions at which the alignment advances to the next token into word times."""
    from faster_whisper.transcribe import merge_punctuations

    texts, groups = _whole_words(*tokenizer.split_to_word_tokens([*tokens, tokenizer.eot]))
    if len(groups) < 2 or not result.alignments:  # only the end token
        return []
    pairs = np.asarray(result.alignments)
    begins = np.concatenate(([True], np.diff(pairs[:, 0]) > 0))
    times = pairs[begins, 1] * ALIGNED_SEC
    ends = np.cumsum([len(group) for group in groups[:-1]])
    starts = ends - [len(group) for group in groups[:-1]]
    probabilities = np.asarray(result.text_token_probs)
    words: list[dict[str, Any]] = [
        {
            "word": text,
            "tokens": group,
            "start": float(times[start]),
            "end": float(times[end]),
            "probability": float(probabilities[start:end].mean()),
        }
        for text, group, start, end in zip(texts, groups, starts, ends, strict=False)
    ]
    merge_punctuations(words, PREPENDED, APPENDED)  # the times of the words do not change
    return [Word(each["word"], each["start"], each["end"], each["probability"]) for each in words if each["word"]]


def _whole_words(texts: list[str], groups: list[list[int]]) -> tuple[list[str], list[list[int]]]:
    """Merge the parts of words like "o'clock" and "well-known", which faster-whisper splits at each such mark."""
    whole_texts: list[str] = []
    whole_groups: list[list[int]] = []
    for text, group in zip(texts, groups, strict=True):
        is_rest = text[:1] in WITHIN_WORDS and text[1:2].isalnum()
        if is_rest and whole_texts and whole_texts[-1][-1:].isalnum():
            whole_texts[-1] += text
            whole_groups[-1] = [*whole_groups[-1], *group]
        else:
            whole_texts.append(text)
            whole_groups.append(group)
    return whole_texts, whole_groups
