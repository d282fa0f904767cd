"""Checks of endpoint settings."""

from __future__ import annotations

from urllib.parse import urlsplit

from batchscribe.errors import InvalidSetting

LOOPBACK = ("127.0.0.1", "::1", "localhost")


def check_endpoint_url(url: str, variable: str, example: str) -> str:
    """Return the endpoint without a trailing "/". Raises `InvalidSetting` if it is no `http(s)` URL of a host."""
    if not _is_valid(url):
        raise InvalidSetting(f"{variable} must be a URL such as {example}.")
    return url.rstrip("/")


def require_https(url: str, variable: str) -> str:
    """Return the URL. Raises `InvalidSetting` for plain HTTP to another machine."""
    parts = urlsplit(url)
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        raise InvalidSetting(f"{variable} is plain HTTP, which only this machine may use; write https://.")
    return url


def _is_valid(url: str) -> bool:
    try:
        parts = urlsplit(url)
        has_host = _is_host(parts.hostname) and parts.port != 0
    except ValueError:  # unbalanced brackets or an invalid port
        return False
    return parts.scheme in ("http", "https") and has_host and not parts.query and not parts.username


def _is_host(name: str | None) -> bool:
    """Return whether the name can be passed to a resolver. Python itself rejects some names."""
    try:
        return bool((name or "").encode("idna"))
    except UnicodeError:
        return False
