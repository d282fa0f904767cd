"""The vocabulary of a submission that names a stored vocabulary of its tenant."""

from __future__ import annotations

from dataclasses import replace

from batchscribe.database.vocabulary_rows import find_vocabulary
from batchscribe.errors import InvalidRequest
from batchscribe.intake.submission import Submission
from batchscribe.queue.records import Records

FIELD = "config.vocabulary_id"


def with_vocabulary(submission: Submission, records: Records) -> Submission:
    """Return the submission with a copy of the vocabulary that `config.vocabulary_id` names, if any.

    Raises `InvalidRequest` if the tenant has none with this ID.
    """
    vocabulary_id = submission.config.vocabulary_id
    if vocabulary_id is None:
        return submission
    with records.transaction() as connection:
        found = find_vocabulary(connection, submission.tenant, vocabulary_id)
    if found is None:
        sentence = f"{FIELD}: There is no such vocabulary; GET /aiservices/assets/vocabularies lists yours."
        raise InvalidRequest(sentence, field=FIELD)
    return replace(submission, vocabulary=found.content)
