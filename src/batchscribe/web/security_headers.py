"""Headers of every page: what the browser may load, and that it keeps no copy."""

from __future__ import annotations

import secrets

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

NONCE_BYTES = 16
#: Only our own files, and no inline script or style. Sound is played from `blob:` URLs, too.
POLICY = (
    "default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self'{style_nonce}; img-src 'self' data:; "
    "media-src 'self' blob:; connect-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
#: Unless an answer has its own, as static files do.
DEFAULTS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cache-control": "no-store",
    "cross-origin-opener-policy": "same-origin",
}


class SecurityHeaders:
    """Middleware that adds the headers, and puts the nonce of the answer into `scope["state"]`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        state = scope.setdefault("state", {})
        state["is_page"] = True  # for the metrics
        state["nonce"] = secrets.token_urlsafe(NONCE_BYTES)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["content-security-policy"] = _policy(state["nonce"], state.get("inline_styles", False))
                for name, value in DEFAULTS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_with_headers)


def _policy(nonce: str, inline_styles: bool) -> str:
    """Return the policy; `inline_styles` allows `<style>` elements with the nonce."""
    return POLICY.format(nonce=nonce, style_nonce=f" 'nonce-{nonce}'" if inline_styles else "")
