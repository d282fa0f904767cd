"""Decodes an endless recording until it is killed, and prints which processes decode. A test runs it as a script."""

from __future__ import annotations

import multiprocessing
import sys
import time

from batchscribe.audio.decode_limits import DecodeLimits
from batchscribe.audio.decoder import DecoderPool
from tests.audio_files import EndlessWav


class SlowWav(EndlessWav):
    """The second block never comes, so one decoder waits for bytes."""

    def read(self, offset: int, length: int) -> bytes:
        if offset:
            time.sleep(3600)
        return super().read(offset, length)


def main() -> None:
    with (
        DecoderPool(2, DecodeLimits()) as pool,
        pool.decode(EndlessWav(36_000), channels_apart=False, segmentation="none", window_sec=0.0) as untaken,
        pool.decode(SlowWav(36_000), channels_apart=False, segmentation="none", window_sec=0.0) as starving,
    ):
        next(untaken.windows())  # and no more: the messages of this decoder are not read
        windows = starving.windows()
        next(windows)
        pids = (str(child.pid) for child in multiprocessing.active_children())
        sys.stdout.write(" ".join(pids) + "\n")
        sys.stdout.flush()
        list(windows)


if __name__ == "__main__":
    main()
