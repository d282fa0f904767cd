"""Odd requests, each generated from a seed: the same number always gives the same request."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_from_bytes

from tests.contract.bodies import manifest, prefix, single
from tests.contract.raw import chunked
from tests.contract.tokens import encoded, forged

SCRIBE = "/v2/aiservices/scribe"
METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE", "BREW", "get")
PATHS = (
    f"{SCRIBE}/jobs", f"{SCRIBE}/jobs", f"{SCRIBE}/jobs/{{}}", f"{SCRIBE}/jobs/{{}}/files",
    f"{SCRIBE}/jobs/{{}}/files/{{}}", f"{SCRIBE}/jobs/{{}}/credentials", f"{SCRIBE}/transcribe",
    "/aiservices/scribe/jobs", "/healthz", "/readyz", "/openapi.json", "/docs", "/{}", "//", "/%2e%2e/{}",
)  # fmt: skip
NAMES = ("state", "page_size", "next_page_token", "next_cursor", "dry_run", "x")
HEADERS = ("Content-Type", "Idempotency-Key", "X-Forwarded-For", "Accept", "Expect", "Range", "Cookie", "Forwarded")
TYPES = (
    "application/json",
    "application/json; charset=utf-16",
    "text/plain",
    "",
    "application/json;;",
    "multipart/form-data",
)
#: Deceptive texts.
TEXTS = (
    "", " ", "\0", "a\nb", "\x7f", "\u2028", "\ufeff", "ü", "\U0001f600", "\ud800", "\udfff\ud800", "..",
    "../../etc/passwd", "%00", "{}", "${x}", "' OR 1=1 --", "null", "NaN", "job_1", "f_001", "f_" + "9" * 30, "-1", "0",
    "1", "1e400", "9" * 5000, "a" * 3000, "s3://b/k.wav", "s3://", "s3:///k", "https://[", "https://h:99999/a.wav",
    "https://u:p@h/a.wav", "file:///", "file:///%ff%00", "ftp://h/a", "gs://b/k", "QUEUED", "CANCELLED", "true",
    "en-US", "ADJACENT", "PREFIX", "*" * 50, "{a,b}" * 20, "[" * 50, "**/" * 300,
)  # fmt: skip
NUMBERS = (0, -1, 1, 2**31, 2**63, -(2**63) - 1, 10**400, 1.5, -0.0, 1e308, 1e-320)
#: Replacements for values that no encoder writes.
WRITTEN = (
    "NaN",
    "Infinity",
    "1e400",
    "-1E+999",
    "9" * 5000,
    '"\\ud800"',
    '"\\u0000"',
    "tru",
    "'a'",
    "01",
    '{"a":1,"a":2}',
    "\ufeff1",
)


@dataclass(frozen=True, slots=True)
class OddRequest:
    method: str
    target: str
    content: bytes  #: all bytes of the connection


def odd_request(number: int, secret: str) -> OddRequest:
    """Return the request of this number, usually with a key."""
    chance = random.Random(number)  # noqa: S311 (it has to be repeatable)
    method, target, body = chance.choice(METHODS[:4] if chance.random() < 0.8 else METHODS), _target(chance), b""
    if method in ("POST", "PUT", "PATCH") or chance.random() < 0.1:
        body = _body(chance)
        if chance.random() < 0.7:
            method, target = "POST", f"{SCRIBE}/jobs{chance.choice(('', '?dry_run=true', '?dry_run=maybe'))}"
    headers, body = _headers(chance, secret, body)
    head = f"{method} {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n".encode("latin-1") + headers + b"\r\n"
    if chance.random() < 0.05:
        return OddRequest(method, target, _damaged(chance, head) + body)
    return OddRequest(method, target, head + body)


def _target(chance: random.Random) -> str:
    path = chance.choice(PATHS).format(_quoted(chance), _quoted(chance))
    pairs = [f"{chance.choice(NAMES)}={_parameter(chance)}" for _ in range(chance.choice((0, 0, 1, 2, 4)))]
    return path + ("?" + "&".join(pairs) if pairs else "")


def _parameter(chance: random.Random) -> str:
    return _page_token(chance) if chance.random() < 0.3 else _quoted(chance)


def _page_token(chance: random.Random) -> str:
    content = (
        _text(_value(chance, 2), chance)
        if chance.random() < 0.5
        else f'{{"job_id": {_text(_value(chance, 0), chance)}}}'
    )
    return base64.urlsafe_b64encode(content.encode(errors="surrogatepass")).decode().rstrip("=")


def _quoted(chance: random.Random) -> str:
    content = chance.choice(TEXTS).encode(errors="surrogatepass") if chance.random() < 0.7 else chance.randbytes(8)
    return quote_from_bytes(content, safe="/")


def _headers(chance: random.Random, secret: str, body: bytes) -> tuple[bytes, bytes]:
    lines = [_credential(chance, secret)]
    if body and chance.random() < 0.95:
        lines.append(f"Content-Type: {'application/json' if chance.random() < 0.9 else chance.choice(TYPES)}".encode())
    for _ in range(chance.choice((0, 0, 0, 1, 3))):
        value = chance.choice(TEXTS).encode("utf-8", "surrogatepass") if chance.random() < 0.8 else chance.randbytes(6)
        lines.append(chance.choice(HEADERS).encode() + b": " + value)
    if body and chance.random() < 0.3:
        lines.append(b"Transfer-Encoding: chunked")
        body = chunked(body, chance.choice((1000, 65_536)))
    elif body or chance.random() < 0.1:
        lines.append(f"Content-Length: {len(body)}".encode())
    return b"".join(line + b"\r\n" for line in lines if line), body


def _credential(chance: random.Random, secret: str) -> bytes:
    if chance.random() < 0.7:
        return f"x-api-key: {secret}".encode()
    header = {"alg": chance.choice(("HS256", "none", "RS256", 1)), "typ": "JWT"}
    claims = {"iss": "key", "iat": 0, "exp": 2**40}
    words: tuple[Callable[[], str], ...] = (
        lambda: forged(header, claims, secret),
        lambda: forged(_text(_value(chance, 2), chance), claims, secret),
        lambda: forged(header, _text(_value(chance, 2), chance), secret),
        lambda: forged(header, f'{{"iss": {_text(_value(chance, 0), chance)}}}', secret),
        lambda: f"{encoded(header)}..",
        lambda: secret[:-1] + "x",
        lambda: secret.replace("_", "_\xff_", 1),
    )
    return b"Authorization: Bearer " + chance.choice(words)().encode("utf-8", "surrogatepass")


def _body(chance: random.Random) -> bytes:
    kind = chance.random()
    if kind < 0.05:
        return chance.randbytes(chance.randrange(1, 200))
    if kind < 0.15:
        return _text(_value(chance, 4), chance).encode(errors="surrogatepass")
    if kind < 0.2:
        return b'{"input":' * (depth := chance.choice((33, 943, 50_000))) + b'"\\u0041"' + b"}" * depth
    job = json.loads(json.dumps(chance.choice((single(), prefix(), manifest("s3://b/a.wav", "https://h/b.wav")))))
    for _ in range(chance.choice((1, 1, 2, 5))):
        _spoil(chance, job)
    return _text(job, chance).encode(errors="surrogatepass")


def _spoil(chance: random.Random, job: dict[str, Any]) -> None:
    """Put an odd value somewhere, often under a known name."""
    place = job
    while (inner := [value for value in place.values() if isinstance(value, dict)]) and chance.random() < 0.7:
        place = chance.choice(inner)
    known = (
        "manifest",
        "filters",
        "auth",
        "layout",
        "mode",
        "language",
        "language_detection",
        "vocabulary",
        "vocabulary_id",
        "phrases",
        "aliases",
        "diarization",
        "num_speakers",
        "outputs",
        "uri",
    )
    name = chance.choice([*place, *known, chance.choice(TEXTS)])
    place[name] = _value(chance, 3)


def _value(chance: random.Random, depth: int) -> Any:
    kind = chance.random()
    if depth and kind < 0.2:
        return [_value(chance, depth - 1) for _ in range(chance.randrange(4))]
    if depth and kind < 0.4:
        return {chance.choice(TEXTS): _value(chance, depth - 1) for _ in range(chance.randrange(4))}
    return chance.choice((None, True, False, *NUMBERS)) if kind < 0.6 else chance.choice(TEXTS)


def _text(value: Any, chance: random.Random) -> str:
    """Return JSON, sometimes with something that no encoder writes."""
    text = json.dumps(value, ensure_ascii=chance.random() < 0.7)
    if chance.random() < 0.15 and ": " in text:
        at = chance.choice([at for at in range(len(text)) if text.startswith(": ", at)])
        text = f"{text[: at + 2]}{chance.choice(WRITTEN)}{text[at + 2 :].lstrip('0123456789.tfnul')}"
    return text


def _damaged(chance: random.Random, head: bytes) -> bytes:
    """Return a head with a few changed bytes."""
    spoiled = bytearray(head)
    for _ in range(chance.choice((1, 3))):
        spoiled[chance.randrange(len(spoiled) - 4)] = chance.randrange(256)
    return bytes(spoiled)
