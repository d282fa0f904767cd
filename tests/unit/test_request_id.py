"""The id of a transcript stands for what determines its words, and so does the identity of its checkpoint."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from batchscribe.speech.scripted import ScriptedSpec
from batchscribe.stages.transcribe_file import request_id_of
from batchscribe.transcript.profanity import load_filter
from batchscribe.wire.config import Config
from batchscribe.wire.vocabulary import Alias, Vocabulary
from tests.jobs_on_record import a_job

SOURCE = cast(Any, SimpleNamespace(uri="memory://calls/a.wav", etag='"1"', size=100_000))
CONTEXT = cast(Any, SimpleNamespace(choice=SimpleNamespace(spec=ScriptedSpec())))


def id_of(**changes: Any) -> str:
    return request_id_of(SOURCE, a_job(**changes), CONTEXT)


def test_a_job_without_a_vocabulary_keeps_the_id_of_earlier_releases() -> None:
    assert id_of() == "req_27f8e44926c08722d99d4739"


def test_the_profanity_lists_of_a_worker_are_not_part_of_the_id() -> None:
    """The next attempt may run on a worker with another profanity file. It continues from the same checkpoint."""
    job = a_job(config=Config(profanity_filter=True))
    workers = [SimpleNamespace(choice=CONTEXT.choice, profanity=each) for each in (load_filter(None), None)]
    assert len({request_id_of(SOURCE, job, cast(Any, worker)) for worker in workers}) == 1


def test_the_vocabulary_is_part_of_the_id_also_that_of_an_asset() -> None:
    one, two = Vocabulary(phrases=("Wrzeszcz",)), Vocabulary(phrases=("Wrzeszcz", "Sintra"))
    alias = Vocabulary(phrases=one.phrases, aliases=(Alias(canonical="Wrzeszcz", variants=("Wesh",)),))
    asset = Config(vocabulary_id="voc_1")
    found = [
        id_of(),
        *(id_of(config=Config(vocabulary=each), vocabulary=each) for each in (one, two, alias)),
        *(id_of(config=asset, vocabulary=each) for each in (one, two, alias)),
    ]
    assert len(set(found)) == len(found)
