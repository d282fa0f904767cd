"""The page of the reader: a transcript beside its recording. Its data come from `reader_routes`."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from batchscribe.database.file_rows import find_neighbors, get_file_of
from batchscribe.database.job_rows import get_job_of
from batchscribe.web.assets import all_assets
from batchscribe.web.job_form import ALL_FORMATS
from batchscribe.web.sessions import VisitorInTurn
from batchscribe.web.site import Site
from batchscribe.web.wording import shown_name


def reader_page_router(site: Site) -> APIRouter:
    router = APIRouter()

    @router.get("/jobs/{job_id}/files/{file_id}")
    def show_reader(request: Request, visitor: VisitorInTurn, job_id: str, file_id: str) -> Response:
        with site.service.records.transaction() as connection:
            job = get_job_of(connection, visitor.tenant, job_id)
            file = get_file_of(connection, job, file_id)
            previous, following = find_neighbors(connection, job.number, file.seq)
        request.state.inline_styles = True  # of wavesurfer, with the nonce
        return site.page(
            request,
            "reader.html",
            job=job,
            file=file.answer(job.state, job.config.formats),
            name=shown_name(file.input_uri),
            previous=previous,
            following=following,
            formats=ALL_FORMATS,
            modules=_modules(),
        )

    return router


def _modules() -> list[str]:
    """Return the scripts of the page. It names all of them, so that none is found only after another has arrived."""
    return [path for path in all_assets() if path.startswith("reader/") and path.endswith(".js")]
