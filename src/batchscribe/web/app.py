"""The whole site: the HTTP interface for programs and the pages for people, behind one `Front`."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter, Depends, FastAPI, Request
from starlette.types import ASGIApp, Receive, Scope, Send

from batchscribe.api.app import create_api
from batchscribe.api.cross_site import check_origin
from batchscribe.api.front import Front, below
from batchscribe.api.service import Service
from batchscribe.errors import InvalidSetting
from batchscribe.queue.records import Records
from batchscribe.settings import Settings
from batchscribe.web.assets import assets_router
from batchscribe.web.docs_page import docs_router
from batchscribe.web.error_pages import add_error_pages
from batchscribe.web.fleet_page import fleet_router
from batchscribe.web.job_actions import job_actions_router
from batchscribe.web.job_list import job_list_router
from batchscribe.web.job_page import job_router
from batchscribe.web.keys_page import keys_router
from batchscribe.web.live import live_router
from batchscribe.web.reader_page import reader_page_router
from batchscribe.web.reader_routes import reader_router
from batchscribe.web.reading import Reading
from batchscribe.web.search_page import search_page_router
from batchscribe.web.security_headers import SecurityHeaders
from batchscribe.web.sessions import tenant_of_visitor
from batchscribe.web.signin_routes import signin_router
from batchscribe.web.site import Site
from batchscribe.web.submit_page import submit_router
from batchscribe.web.usage_page import usage_router
from batchscribe.worker.machine_health import MachineHealth

#: The first part of the paths that are pages. All other paths belong to the HTTP interface.
ALWAYS = frozenset({"static", "docs"})
PAGES = ALWAYS | {
    "", "signin", "signout", "submit", "jobs", "search", "usage", "workers", "keys", "events",
}  # fmt: skip

NewRouter = Callable[[Site], APIRouter]
PAGE_ROUTERS: tuple[NewRouter, ...] = (
    signin_router, job_list_router, job_router, job_actions_router, submit_router, fleet_router, usage_router,
    keys_router, live_router, reader_page_router, search_page_router,
)  # fmt: skip


def create_site(
    records: Records,
    settings: Settings,
    *,
    health: MachineHealth | None = None,
    is_ending: Callable[[], bool] = lambda: False,
) -> ASGIApp:
    """Create the application. `health` is that of the worker in this process, if any. Raises `InvalidSetting`.

    `is_ending` returns whether the server is about to end.
    """
    _check_root_path(settings.root_path)
    service = Service.of(records, settings, health=health)
    has_pages = settings.web == "on"
    parts = PAGES if has_pages else ALWAYS
    pages = SecurityHeaders(create_pages(service, is_ending, with_pages=has_pages))
    site = PagesOrApi(pages, create_api(service), parts)
    return Front(site, loopback_only=settings.auth == "off", root_path=settings.root_path)


def create_pages(service: Service, is_ending: Callable[[], bool], *, with_pages: bool) -> FastAPI:
    """Create the application of the pages; without pages, only `/docs`."""
    app = FastAPI(
        openapi_url=None,
        telemetry={"tracing": False, "metrics": False, "logs": False},
        redirect_slashes=False,
        dependencies=[Depends(_check_origin)],
    )
    app.state.service = service
    site = Site(service, is_ending)
    routers: list[NewRouter] = [docs_router]
    if with_pages:
        routers += PAGE_ROUTERS
        app.include_router(reader_router(Reading(service.records, service.settings), tenant_of_visitor))
    app.include_router(assets_router())
    for router in routers:
        app.include_router(router(site))
    add_error_pages(app, site)
    return app


class PagesOrApi:
    """Sends a request to one of two applications, by the first part of its path."""

    def __init__(self, pages: ASGIApp, api: ASGIApp, parts_of_pages: frozenset[str]) -> None:
        self._pages = pages
        self._api = api
        self._parts_of_pages = parts_of_pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_page = (
            scope["type"] == "http" and _first_part(below(scope["root_path"], scope["path"])) in self._parts_of_pages
        )
        await (self._pages if is_page else self._api)(scope, receive, send)


def _first_part(path: str) -> str:
    return path.lstrip("/").partition("/")[0]


async def _check_origin(request: Request) -> None:
    check_origin(request.method, request.headers, is_page=True)


def _check_root_path(root_path: str) -> None:
    """Raises `InvalidSetting`."""
    if root_path and _first_part(root_path) in PAGES:
        raise InvalidSetting(
            f"BATCHSCRIBE_ROOT_PATH: {root_path} begins like a path of the server itself; choose another prefix."
        )
