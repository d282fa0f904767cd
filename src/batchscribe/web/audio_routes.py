"""The recording of a file, for the player of the page."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response, StreamingResponse

from batchscribe.errors import ObjectChanged
from batchscribe.web.audio_answer import AudioAnswer, answer_audio
from batchscribe.web.byte_range import MOST_BYTES
from batchscribe.web.data_route import FILE_PATH, DataRoute, ReadingThreads
from batchscribe.web.reading import Reading


def audio_router(reading: Reading, threads: ReadingThreads, tenant_of: Callable[..., Any]) -> APIRouter:
    router = APIRouter(route_class=DataRoute)
    signed_in = Depends(tenant_of)

    @router.get(FILE_PATH + "/audio")
    @router.head(FILE_PATH + "/audio")
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
