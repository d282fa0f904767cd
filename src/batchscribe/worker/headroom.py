"""Check of the resources of this process: threads, descriptors, memory, and the allowed file size.

A worker with `ulimit -v` of 1.1 GB passed its trials. But as soon as it had work, it failed to start a thread.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import resource
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from math import ceil

from batchscribe.audio.decoder import DECODER
from batchscribe.errors import MachineTrouble
from batchscribe.stages.shortage import shortage_in
from batchscribe.worker.capacity import FILES_PER_ENGINE, Capacity

#: For each engine: two shards, their files, a decoder, an engine, and the thread that feeds it.
THREADS_OF_ENGINE = 8
#: For each engine: the recordings, decoders, and connections to storage and database of its files in progress.
DESCRIPTORS_OF_ENGINE = 12
DESCRIPTORS_OF_FILE = 2  #: for each file that waits without a decoder: its recording, and a connection
MEMORY_OF_ENGINE_BYTES = 32 * 2**20  #: for waiting samples, and blocks of recordings
DESCRIPTORS_OF_SPEAKERS = 4  #: for each speaker process: its pipe, its end and its process
LEAST_FILE_BYTES = 16 * 2**20  #: required file size limit: a transcript of a day with word times
_M_ARENA_MAX = -8  #: malloc.h


def limit_arenas() -> None:
    """Limit glibc to one memory arena if `ulimit -v` is set.

    By default, glibc reserves 64 MiB for each thread, which left no room for the stacks of other threads. Call this
    function before threads start.
    """
    if resource.getrlimit(resource.RLIMIT_AS)[0] == resource.RLIM_INFINITY:
        return
    with suppress(AttributeError):  # other C libraries lack this function, and reserve nothing
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)


def check_headroom(capacity: Capacity, speakers: int = 0) -> None:
    """Allocate what a worker of this capacity may need at once, and release it. Raises `MachineTrouble`.

    `speakers` is the number of speaker processes, whose memory is their own: see `SpeakerProcess`.
    It holds the resources only for milliseconds, since work in progress may need them.
    """
    _check_file_size()
    engines = ceil(capacity.open_recordings / FILES_PER_ENGINE)
    others = max(0, capacity.files - capacity.open_recordings)  # without a decoder
    descriptors = engines * DESCRIPTORS_OF_ENGINE + others * DESCRIPTORS_OF_FILE + speakers * DESCRIPTORS_OF_SPEAKERS
    n_threads = engines * THREADS_OF_ENGINE + others
    try:
        with ExitStack() as held:
            for _ in range(descriptors):
                held.callback(os.close, os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC))
            held.enter_context(mmap.mmap(-1, engines * MEMORY_OF_ENGINE_BYTES, flags=mmap.MAP_PRIVATE))
            threads = held.enter_context(ThreadPoolExecutor(n_threads))
            end = threading.Event()
            held.callback(end.set)
            for _ in range(n_threads):
                threads.submit(end.wait)
    except (OSError, MemoryError, RuntimeError) as error:
        raise shortage_in(error) or error from error


def _check_file_size() -> None:
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)[0]
    if limit != resource.RLIM_INFINITY and limit < LEAST_FILE_BYTES:
        raise MachineTrouble(
            f"This process may write files of at most {limit} bytes, too few for transcripts. Raise `ulimit -f`.",
            part=DECODER,
        )
