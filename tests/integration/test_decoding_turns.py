"""A half-second recording of one tenant is decoded beside days of silence of another, with one decoder at a time."""

from __future__ import annotations

import threading

import pytest

from batchscribe.audio.decode_limits import DecodeLimits
from batchscribe.audio.decoder import ByteSource, DecoderPool
from batchscribe.errors import WorkInterrupted
from tests.audio_files import Bytes, EndlessWav, tone, wav

HOURS = 30  #: the maximum length of a WAV


class Listening(threading.Thread):
    """A thread that decodes a recording of a tenant until it ends or the pool is closed."""

    def __init__(self, pool: DecoderPool, source: ByteSource, tenant: str) -> None:
        super().__init__(daemon=True)
        self.begun = threading.Event()
        self._ask = pool, source, tenant
        self.start()

    def run(self) -> None:
        pool, source, tenant = self._ask
        try:
            with pool.decode(
                source, channels_apart=False, segmentation="auto", window_sec=30.0, tenant=tenant, job=tenant
            ) as decoding:
                self.begun.set()
                for _ in decoding.windows():
                    continue
        except WorkInterrupted:
            return


@pytest.mark.parametrize("n_decoders", [1, 2])
def test_half_a_second_is_decoded_beside_days_of_silence(n_decoders: int) -> None:
    with DecoderPool(n_decoders, DecodeLimits(max_decoded_sec=1e7)) as pool:
        greedy = [Listening(pool, EndlessWav(duration_sec=HOURS * 3600), "a") for _ in range(2)]
        assert greedy[0].begun.wait(60)
        modest = Listening(pool, Bytes(wav(tone(0.5, 500))), "b")
        modest.join(60)
        assert not modest.is_alive()
        assert any(thread.is_alive() for thread in greedy)
    for thread in greedy:
        thread.join(60)
        assert not thread.is_alive()
