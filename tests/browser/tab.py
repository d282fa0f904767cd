"""A browser tab that records everything that must not happen on any page."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Request

RECORD_VIOLATIONS = """
document.addEventListener('securitypolicyviolation', event => {
  console.error(`policy violation: ${event.effectiveDirective} ${event.blockedURI} ${event.sample}`);
});
"""
CONNECTED = "() => document.getElementById('live')._htmx?.sse?.reader"  #: to the stream of events
NEXT_TASK = "() => new Promise(done => requestAnimationFrame(() => setTimeout(done)))"
#: The browser itself logs this for every answer with an error status, which some tests expect.
EXPECTED = "Failed to load resource: the server responded with a status of"


@dataclass  # without slots: Playwright adds an attribute
class Tab:
    """A page with its context. `problems` lists console errors, policy violations and requests to other servers."""

    page: Page
    url: str  #: of the server, with its path prefix
    problems: list[str] = field(default_factory=list)

    @classmethod
    def opened(cls, context: BrowserContext, url: str) -> Self:
        context.add_init_script(RECORD_VIOLATIONS)
        tab = cls(context.new_page(), url.rstrip("/"))
        tab.page.on("console", tab._note_message)
        tab.page.on("pageerror", lambda error: tab.problems.append(f"error in a script: {error}"))
        tab.page.on("request", tab._note_request)
        return tab

    def open(self, path: str = "/") -> Page:
        """Open a page of the server. `path` is below the path prefix."""
        self.page.goto(self.url + path)
        return self.page

    def sign_in(self, secret: str) -> None:
        self.open("/signin")
        self.page.get_by_label("Secret of an API key").fill(secret)
        self.page.get_by_role("button", name="Sign in").click()
        self.page.wait_for_url(self.url + "/")

    def check_accessible(self, *, except_rules: Iterable[str] = ()) -> None:
        """Fail if axe finds a violation on the page."""
        before = len(self.problems)
        rules = {rule: {"enabled": False} for rule in except_rules}
        found = Axe().run(self.page, options={"resultTypes": ["violations"], "rules": rules})
        self.page.evaluate(NEXT_TASK)  # after it, all messages of axe have arrived
        # axe copies the styles of shadow trees into a style element, which the policy forbids.
        self.problems[before:] = [problem for problem in self.problems[before:] if "style-src" not in problem]
        assert found.violations_count == 0, found.generate_report()

    def _note_message(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not message.text.startswith(EXPECTED):
            self.problems.append(f"{message.type}: {message.text}")

    def _note_request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme in ("http", "https", "ws", "wss") and parts.netloc != urlsplit(self.url).netloc:
            self.problems.append(f"a request to another server: {request.url}")
