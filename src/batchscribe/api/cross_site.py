"""The check that a request which changes something comes from a page of this server, not from another web site.

Browsers say where a request comes from. So no page needs a token. Source of the rule: `CrossOriginProtection` of Go's
`net/http`. A request without both headers comes from a program. Pages refuse it, because programs have the HTTP
interface; that accepts it. The HTTP interface needs the check only if authentication is off: otherwise each request has
a header with a key or token, which another site does not know.
"""

from __future__ import annotations

from starlette.datastructures import Headers

from batchscribe.errors import CrossSiteRequest

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
OWN_SITES = frozenset({"same-origin", "none"})  #: values of `Sec-Fetch-Site`; `none` is the user, for example a reload


def check_origin(method: str, headers: Headers, *, is_page: bool) -> None:
    """Raises `CrossSiteRequest`."""
    is_of_program = not is_page and not headers.get("sec-fetch-site") and "origin" not in headers
    if method in SAFE_METHODS or is_of_program:
        return
    site = headers.get("sec-fetch-site")
    is_own = site in OWN_SITES if site else _host_of_origin(headers) in _own_hosts(headers)
    if not is_own:
        raise CrossSiteRequest("The request came from another website; open the page on this server and try again.")


def _host_of_origin(headers: Headers) -> str | None:
    """Return the host and port of the header `Origin`; None if it is missing or `null`."""
    return headers.get("origin", "").partition("://")[2].lower() or None


def _own_hosts(headers: Headers) -> set[str]:
    """Return the names that the client may have used. No web page can set these headers, but a proxy does."""
    return {headers[name].strip().lower() for name in ("host", "x-forwarded-host") if name in headers}
