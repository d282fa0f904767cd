"""Aliases of a vocabulary: replace the variants of a phrase with its canonical form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from batchscribe.transcript.rewriting import rewrite
from batchscribe.transcript.segments import TranscriptSegment
from batchscribe.transcript.word_finder import WordFinder
from batchscribe.wire.vocabulary import Alias


@dataclass(frozen=True, slots=True)
class AliasRewriter:
    """Replaces variants with canonical forms. Of several variants at a place, the longest is replaced."""

    finder: WordFinder
    canonical: tuple[str, ...]  #: by the position of the variant in the finder

    @classmethod
    def of(cls, aliases: Sequence[Alias]) -> AliasRewriter:
        pairs = [(variant, alias.canonical) for alias in aliases for variant in alias.variants]
        return cls(WordFinder(variant for variant, _ in pairs), tuple(canonical for _, canonical in pairs))

    def rewrite(self, segment: TranscriptSegment) -> TranscriptSegment:
        return rewrite(segment, self.finder, lambda _, entry: self.canonical[entry])
