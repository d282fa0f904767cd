"""The data of the reader: transcript, recording, waveform and names of a file. Pages fetch them with their session."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from batchscribe.errors import RouteNotFound
from batchscribe.web.audio_answer import PRIVATE
from batchscribe.web.audio_routes import audio_router
from batchscribe.web.block_answers import BLOCK_BYTES, BlockAnswer, HeldAnswers
from batchscribe.web.data_route import FILE_PATH, DataRoute, ReadingThreads
from batchscribe.web.forms import SubmittedForm
from batchscribe.web.job_form import ALL_FORMATS
from batchscribe.web.reading import Reading
from batchscribe.wire.base import JsonObject
from batchscribe.wire.choices import OutputFormat

if TYPE_CHECKING:
    from batchscribe.web.transcript_download import Download, StoredFile


def reader_router(reading: Reading, tenant_of: Callable[..., Any]) -> APIRouter:
    """Return the routes. `tenant_of` is a dependency that returns the tenant who is signed in, or raises."""
    threads = ReadingThreads()
    router = APIRouter()
    for part in (audio_router, _transcript_router, _form_router):
        router.include_router(part(reading, threads, tenant_of))
    return router


def _transcript_router(reading: Reading, threads: ReadingThreads, tenant_of: Callable[..., Any]) -> APIRouter:
    router = APIRouter(route_class=DataRoute)
    signed_in = Depends(tenant_of)
    held = HeldAnswers()

    @router.get(FILE_PATH + "/transcript")
    async def transcript(job_id: str, file_id: str, tenant: str = signed_in) -> Response:
        content = await threads.answer(tenant, lambda: reading.transcript(tenant, job_id, file_id))
        return held.answer(tenant, content, {**PRIVATE, "Content-Type": "application/json"})

    @router.get(FILE_PATH + "/waveform")
    async def waveform(job_id: str, file_id: str, tenant: str = signed_in) -> Response:
        peaks = await threads.answer(tenant, lambda: reading.waveform(tenant, job_id, file_id))
        return JSONResponse(peaks, headers=PRIVATE)

    @router.get(FILE_PATH + "/download/{format_name}")
    async def download_transcript(job_id: str, file_id: str, format_name: str, tenant: str = signed_in) -> Response:
        if format_name not in ALL_FORMATS:
            raise RouteNotFound(f"There is no such format; the formats are {', '.join(ALL_FORMATS)}.")
        made = await threads.answer(tenant, lambda: make(tenant, job_id, file_id, OutputFormat(format_name)))
        headers = {**PRIVATE, "Content-Type": made.content_type, "Content-Disposition": made.disposition}
        if made.stored is None:
            return held.answer(tenant, made.content, headers)
        return BlockAnswer(blocks(tenant, made.content, made.stored), made.stored.size, headers)

    def make(tenant: str, job_id: str, file_id: str, format_: OutputFormat) -> Download:
        from batchscribe.web.transcript_download import download  # with all that writes transcripts

        return download(reading, reading.find(tenant, job_id, file_id), format_)

    async def blocks(tenant: str, first: bytes, stored: StoredFile) -> AsyncIterator[bytes]:
        yield first
        for start in range(BLOCK_BYTES, stored.size, BLOCK_BYTES):
            yield await threads.answer(tenant, partial(stored.read, start))

    return router


def _form_router(reading: Reading, threads: ReadingThreads, tenant_of: Callable[..., Any]) -> APIRouter:
    router = APIRouter(route_class=DataRoute)
    signed_in = Depends(tenant_of)

    @router.post(FILE_PATH + "/speakers")
    async def name_speaker(
        request: Request, job_id: str, file_id: str, form: SubmittedForm, tenant: str = signed_in
    ) -> Response:
        label, name = form.get("label", ""), form.get("name", "")
        names = await threads.answer(tenant, lambda: reading.name_speaker(tenant, job_id, file_id, label, name))
        return _done(request, f"../{file_id}", {"names": names})

    @router.post("/jobs/{job_id}/access")
    async def give_access(request: Request, job_id: str, form: SubmittedForm, tenant: str = signed_in) -> Response:
        file_id = form.get("file", "")
        await threads.answer(tenant, lambda: reading.give_access(tenant, job_id, file_id, form))
        return _done(request, f"files/{file_id}" if file_id else f"../{job_id}", {})

    return router


def _done(request: Request, page: str, answer: JsonObject) -> Response:
    """Answer a script with JSON, and the form of a page with that page. `page` is relative to the route."""
    if "text/html" in request.headers.get("accept", ""):
        return RedirectResponse(page, HTTPStatus.SEE_OTHER)
    return JSONResponse(answer, headers=PRIVATE)
