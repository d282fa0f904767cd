"""Requests to a cloud's storage, repeated while the failure may pass."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from batchscribe.errors import StorageError
from batchscribe.storage.answer_checks import Answer
from batchscribe.storage.http_client import NO_ANSWER, REQUEST_SEC, HttpClient, HttpRequest
from batchscribe.storage.unreachable import is_worth_another_try, no_answer

TRIES = 4  #: for one request; no caller repeats a request
FIRST_PAUSE_SEC = 0.1  #: between two tries; each pause is three times the previous one
RETRY_SEC = 60.0  #: after the first try; then no new try begins
PASSING = frozenset({408, 429, 500, 502, 503, 504})

Sign = Callable[[HttpRequest], HttpRequest]  #: called for each try, because signatures contain the time


def has_passing_status(answer: Answer) -> bool:
    return answer.status in PASSING


@dataclass(frozen=True, slots=True)
class Unanswered:
    """The reason for a missing answer, without the library's own error, which contains addresses."""

    error: StorageError
    may_pass: bool


class RetryingClient:
    """A client that repeats requests. Thread-safe. For `patience_sec` see `Access`."""

    def __init__(
        self, patience_sec: float | None = None, *, may_pass: Callable[[Answer], bool] = has_passing_status
    ) -> None:
        """`may_pass` returns whether a request with this answer is repeated."""
        self._http = HttpClient()
        self._answer_may_pass = may_pass
        self._retry_sec = min(RETRY_SEC, patience_sec or RETRY_SEC)
        self._patience_sec = patience_sec

    def ask(self, request: HttpRequest, uri: str, sign: Sign) -> Answer:
        """Return an answer with any status. If there is none, raises `StorageUnavailable` or another `StorageError`."""
        started, pause_sec = time.monotonic(), FIRST_PAUSE_SEC
        tries_left = TRIES
        while True:
            outcome = self._try(request, uri, sign, started)
            tries_left -= 1
            is_last = tries_left == 0 or time.monotonic() + pause_sec - started > self._retry_sec
            if is_last or not self._may_pass(outcome):
                break
            time.sleep(pause_sec * random.uniform(0.5, 1.0))  # noqa: S311 (no secret)
            pause_sec *= 3
        if isinstance(outcome, Answer):
            return outcome
        failure = outcome.error
        del outcome
        try:
            raise failure
        finally:
            del failure  # breaks a reference cycle that would keep the credentials in memory

    def _try(self, request: HttpRequest, uri: str, sign: Sign, started: float) -> Answer | Unanswered:
        left_sec = REQUEST_SEC
        if self._patience_sec is not None:
            left_sec = min(REQUEST_SEC, self._patience_sec - (time.monotonic() - started))
        try:
            return self._http.send(sign(request), within_sec=left_sec)
        except NO_ANSWER as error:
            return Unanswered(no_answer(error, uri, urlsplit(request.url).netloc), is_worth_another_try(error))

    def _may_pass(self, outcome: Answer | Unanswered) -> bool:
        return self._answer_may_pass(outcome) if isinstance(outcome, Answer) else outcome.may_pass
