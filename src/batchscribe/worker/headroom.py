"""Whether this process has room for the work that it may take: threads, descriptors, memory, and files large enough.

A worker with `ulimit -v` of 1.1 GB passed its trials, and each time failed for want of a thread as soon as it had work.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import resource
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress

from batchscribe.audio.decoder import DECODER
from batchscribe.errors import MachineTrouble
from batchscribe.stages.shortage import shortage_in

#: For each engine: two shards, their files, a decoder, an engine, and the thread that feeds it.
THREADS_OF_ENGINE = 8
#: For each engine: the recordings, decoders, and connections to storage and database of its files in hand.
DESCRIPTORS_OF_ENGINE = 12
MEMORY_OF_ENGINE_BYTES = 32 * 2**20  #: for samples that wait for it, and blocks of its recordings
LEAST_FILE_BYTES = 16 * 2**20  #: that a file may have: a transcript of a day with the times of words
_M_ARENA_MAX = -8  #: malloc.h


def limit_arenas() -> None:
    """Where `ulimit -v` holds, glibc reserves no 64 MiB for each thread: these left no room for the stacks of others.

    Call it before there are threads.
    """
    if resource.getrlimit(resource.RLIMIT_AS)[0] == resource.RLIM_INFINITY:
        return
    with suppress(AttributeError):  # another C library has no such function, and reserves nothing
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)


def check_headroom(engines: int) -> None:
    """Take what this many engine processes may need at once, and let go of it. Raises `MachineTrouble`.

    That takes milliseconds, since work in hand may need the same meanwhile.
    """
    _check_file_size()
    try:
        with ExitStack() as held:
            for _ in range(engines * DESCRIPTORS_OF_ENGINE):
                held.callback(os.close, os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC))
            held.enter_context(mmap.mmap(-1, engines * MEMORY_OF_ENGINE_BYTES, flags=mmap.MAP_PRIVATE))
            threads = held.enter_context(ThreadPoolExecutor(engines * THREADS_OF_ENGINE))
            end = threading.Event()
            held.callback(end.set)
            for _ in range(engines * THREADS_OF_ENGINE):
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
