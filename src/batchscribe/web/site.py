"""What the routes of the pages share: the service, and the templates."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from fastapi import Request
from starlette.responses import HTMLResponse, RedirectResponse

from batchscribe import __version__
from batchscribe.api.service import Service
from batchscribe.web.assets import assets_version
from batchscribe.web.wording import FILTERS

if TYPE_CHECKING:
    from jinja2 import Environment


class Site:
    """Creates pages from templates. Everything in a page is escaped, unless a template says otherwise."""

    def __init__(self, service: Service, is_ending: Callable[[], bool] = lambda: False) -> None:
        """`is_ending` returns whether the server is about to end, so that open streams end, too."""
        self.service = service
        self.is_ending = is_ending

    @cached_property
    def templates(self) -> Environment:
        """The templates, loaded when the first page is shown."""
        from jinja2 import Environment, PackageLoader, StrictUndefined

        templates = Environment(
            loader=PackageLoader("batchscribe.web"),
            autoescape=True,
            undefined=StrictUndefined,
            auto_reload=False,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        templates.filters |= FILTERS
        templates.globals |= {
            "release": __version__,
            "auth_is_on": self.service.settings.auth == "on",
            "search_is_on": self.service.settings.search == "on",
        }
        return templates

    def page(
        self, request: Request, template: str, *, status: HTTPStatus = HTTPStatus.OK, **context: Any
    ) -> HTMLResponse:
        """Render a template. `link` and `asset` in it return URLs below the root path."""
        return HTMLResponse(self.render(request, template, **context), status)

    def render(self, request: Request, template: str, **context: Any) -> str:
        root = root_of(request)
        return self.templates.get_template(template).render(
            link=lambda path: f"{root}{path}",
            asset=lambda path: f"{root}/static/{assets_version()}/{path}",
            nonce=request.state.nonce,
            visitor=getattr(request.state, "visitor", None),
            **context,
        )


def root_of(request: Request) -> str:
    """Return the path prefix of all URLs; empty without `BATCHSCRIBE_ROOT_PATH`."""
    return str(request.scope.get("root_path") or "")


def go_to(request: Request, path: str) -> RedirectResponse:
    """Redirect to another page after a form."""
    return RedirectResponse(f"{root_of(request)}{path}", HTTPStatus.SEE_OTHER)
