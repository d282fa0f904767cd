"""The data of the reader: transcript, recording and waveform of a file. Pages fetch them with their session."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from fastapi import APIRouter, Depends, Request
from fastapi.routing import APIRoute
from starlette.responses import JSONResponse, Response, StreamingResponse

from batchscribe.api.error_answers import body_of, headers_of, status_of
from batchscribe.api.service import SlowRequests
from batchscribe.errors import BatchscribeError, ObjectChanged
from batchscribe.web.audio_answer import PRIVATE, AudioAnswer, answer_audio
from batchscribe.web.byte_range import MOST_BYTES
from batchscribe.web.reading import ANSWER_SEC, Reading

Answer = TypeVar("Answer")

FILE = "/jobs/{job_id}/files/{file_id}"
#: Requests of one tenant that read at once: a few people, each with a recording that plays and a page that loads.
PER_TENANT = 8
WAIT_SEC = 10.0  #: for a place, before the request is refused


class DataRoute(APIRoute):
    """A route that answers errors as JSON, like the HTTP interface: a script reads them, not a person."""

    def get_route_handler(self) -> Callable[[Request], Any]:
        handle = super().get_route_handler()

        async def handle_or_refuse(request: Request) -> Response:
            try:
                answer: Response = await handle(request)
            except BatchscribeError as error:
                return JSONResponse(body_of(error), status_of(error), {**PRIVATE, **headers_of(error)})
            return answer

        return handle_or_refuse


@dataclass(frozen=True, slots=True)
class ReadingThreads:
    """Threads for requests that wait for storage. Separate from those of dry runs, so that neither delays the other."""

    requests: SlowRequests

    @classmethod
    def new(cls) -> ReadingThreads:
        return cls(SlowRequests(per_tenant=PER_TENANT, what="requests to read transcripts", wait_sec=WAIT_SEC))

    async def answer(self, tenant: str, work: Callable[[], Answer]) -> Answer:
        return await self.requests.answer(tenant, ANSWER_SEC, work)


def reader_router(reading: Reading, tenant_of: Callable[..., Any]) -> APIRouter:
    """Return the routes. `tenant_of` is a dependency that returns the tenant who is signed in, or raises."""
    router = APIRouter(route_class=DataRoute)
    threads = ReadingThreads.new()
    signed_in = Depends(tenant_of)

    @router.get(FILE + "/transcript")
    async def transcript(job_id: str, file_id: str, tenant: str = signed_in) -> Response:
        content = await threads.answer(tenant, lambda: reading.transcript(tenant, job_id, file_id))
        return Response(content, media_type="application/json", headers=PRIVATE)

    @router.get(FILE + "/waveform")
    async def waveform(job_id: str, file_id: str, tenant: str = signed_in) -> Response:
        return JSONResponse(
            await threads.answer(tenant, lambda: reading.waveform(tenant, job_id, file_id)), headers=PRIVATE
        )

    @router.api_route(FILE + "/audio", methods=["GET", "HEAD"])
    async def audio(request: Request, job_id: str, file_id: str, tenant: str = signed_in) -> Response:
        def play() -> AudioAnswer:
            with reading.recording(tenant, job_id, file_id) as played:
                return answer_audio(played, request.headers, is_head=request.method == "HEAD")

        def read(start: int, version: str | None) -> bytes:
            with reading.recording(tenant, job_id, file_id) as played:
                if played.version != version:
                    raise ObjectChanged("The recording was replaced while it was being sent; load it again.")
                return played.source.read(start, MOST_BYTES)

        async def blocks(answer: AudioAnswer) -> AsyncIterator[bytes]:
            for start in range(0, answer.size, MOST_BYTES):
                yield await threads.answer(tenant, partial(read, start, answer.headers.get("ETag")))

        answer = await threads.answer(tenant, lambda: _of_newest_version(play))
        if answer.content is None:
            return StreamingResponse(blocks(answer), answer.status, answer.headers)
        return Response(answer.content, answer.status, answer.headers)

    return router


def _of_newest_version(play: Callable[[], AudioAnswer]) -> AudioAnswer:
    """Play once more if the recording has changed since it was opened: the next attempt opens its new version."""
    try:
        return play()
    except ObjectChanged:
        return play()
