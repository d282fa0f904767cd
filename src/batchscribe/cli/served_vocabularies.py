"""Vocabularies on a server. Turns its error responses into messages for the command line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from batchscribe.cli.served_jobs import explain_refusal
from batchscribe.client import Client
from batchscribe.errors import ServerRefused, UsageError, VocabularyNotFound
from batchscribe.settings import Settings
from batchscribe.wire.base import JsonObject


class ServedVocabularies:
    """The stored vocabularies of the key's tenant, as the JSON objects that the server returns."""

    def __init__(self, client: Client, *, has_key: bool) -> None:
        self._client = client
        self._has_key = has_key

    def create(self, body: JsonObject) -> JsonObject:
        with self._explain_errors():
            return self._client.create_vocabulary(body).raw

    def newest(self, *, limit: int) -> Iterator[JsonObject]:
        with self._explain_errors():
            yield from (vocabulary.raw for vocabulary in self._client.vocabularies(limit=limit))

    def get(self, vocabulary_id: str) -> JsonObject:
        with self._explain_errors(vocabulary_id):
            return self._client.vocabulary(vocabulary_id).raw

    def delete(self, vocabulary_id: str) -> None:
        with self._explain_errors(vocabulary_id):
            self._client.delete_vocabulary(vocabulary_id)

    @contextmanager
    def _explain_errors(self, vocabulary_id: str = "") -> Iterator[None]:
        try:
            yield
        except ServerRefused as error:
            server = self._client.server
            if error.reason == VocabularyNotFound.code:
                raise VocabularyNotFound(
                    f"There is no vocabulary {vocabulary_id} at {server}; `batchscribe vocabularies list` shows all."
                ) from error
            raise explain_refusal(error, server, "", has_key=self._has_key) from error


@contextmanager
def open_served_vocabularies(settings: Settings) -> Iterator[ServedVocabularies]:
    """Connect to the server of the settings, with their key. Raises `UsageError`."""
    if settings.server is None:
        raise UsageError(
            "Vocabularies are stored on a server: give --server URL or set BATCHSCRIBE_SERVER. For `batchscribe "
            "transcribe`, a file with --vocabulary is enough."
        )
    secret = settings.api_secret.get_secret_value() if settings.api_secret else None
    with Client(settings.server, api_key=settings.api_key, api_secret=secret) as client:
        yield ServedVocabularies(client, has_key=bool(settings.api_key or secret))
