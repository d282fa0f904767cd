"""The twin of the webhook sender: it records what it is given, and answers as a test says."""

from __future__ import annotations

from dataclasses import dataclass, field

from batchscribe.webhooks.payload import Attempt, parse_retry_after


@dataclass(frozen=True, slots=True)
class Answer:
    """What the receiver answers. Status None: it cannot be reached."""

    status: int | None
    retry_after: str | None = None


@dataclass(frozen=True, slots=True)
class SentWebhook:
    url: str
    secret: str | None
    body: bytes
    moment: float


@dataclass(slots=True)
class SenderTwin:
    """Gives these answers in turn, and the last one forever."""

    answers: list[Answer]
    sent: list[SentWebhook] = field(default_factory=list)

    def send(self, *, url: str, secret: str | None, body: bytes, moment: float) -> Attempt:
        self.sent.append(SentWebhook(url, secret, body, moment))
        answer = self.answers[min(len(self.sent), len(self.answers)) - 1]
        return Attempt(
            status=answer.status,
            error=_error(answer.status),
            retry_after_sec=(answer.retry_after and parse_retry_after(answer.retry_after, moment=moment)) or None,
            took_sec=0.0,
        )


def _error(status: int | None) -> str | None:
    if status is None:
        return "The receiver cannot be reached: [Errno 111] Connection refused."
    return None if 200 <= status < 300 else f"The receiver answered {status}."
