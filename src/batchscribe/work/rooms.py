"""The rooms of the house as one job's files need them."""

from __future__ import annotations

from dataclasses import dataclass

from batchscribe.audio.decoder import DecoderPool
from batchscribe.speech.pool import SpeechPool
from batchscribe.speech.registry import Choice
from batchscribe.storage.store import Store
from batchscribe.work.fitness import Fitness
from batchscribe.work.in_hand import InHand
from batchscribe.work.job_keys import JobKeys
from batchscribe.work.naming import Naming
from batchscribe.work.watch import Watch


@dataclass(frozen=True, slots=True)
class Rooms:
    """`input` and `output` are one job's storage, with its own credentials; the pools are the process's."""

    input: Store
    output: Store
    decoder: DecoderPool
    speech: SpeechPool
    choice: Choice
    watch: Watch
    in_hand: InHand
    naming: Naming  #: of the job's transcripts
    fitness: Fitness
    keys: JobKeys  #: that `input` and `output` use
