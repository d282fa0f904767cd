"""A decoder taken over by hostile media: whatever it sends, the file fails with a clear error."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from batchscribe.audio import decoder_process
from batchscribe.audio.decode_limits import DecodeLimits
from batchscribe.audio.decoder import DecoderPool
from batchscribe.audio.findings import Finding, remark
from batchscribe.audio.media import Media
from batchscribe.errors import CorruptMedia, DecoderDied, MediaError
from batchscribe.window import Window
from tests.audio_files import Bytes
from tests.integration import lying_decoder
from tests.integration.lying_decoder import message

SECOND = np.zeros(16_000, dtype=np.float32).tobytes()
MEDIA = Media(1.0, 1, "wav", "pcm_s16le", 16_000, ()).as_json()
PEAKS = {"channels": 1, "peak_sec": 0.02}
DONE = message({"op": "done", "media": MEDIA, "peaks": PEAKS}, bytes(50))


def window(**changed: Any) -> bytes:
    return message({"op": "window", "channel": 0, "start_sec": 0.0, "speech": None} | changed, SECOND)


def done(**changed: Any) -> bytes:
    return message({"op": "done", "media": MEDIA | changed, "peaks": PEAKS}, bytes(50))


def peaks(payload: bytes, **changed: Any) -> bytes:
    return message({"op": "done", "media": MEDIA, "peaks": PEAKS | changed}, payload)


LIES = {
    "negative channel": window(channel=-5),
    "nan": window(start_sec=float("nan")),
    "infinity": done(duration_sec=float("inf")),
    "beyond floats": message(b'{"op": "window", "channel": 0, "start_sec": 1e400, "speech": null}', SECOND),
    "5,000 digits": message(b'{"op": "read", "offset": ' + b"1" * 5_000 + b', "length": 1}'),
    "deep": message(b'{"op": ' + b"[" * 10_000 + b"]" * 10_000 + b"}"),
    "negative duration": done(duration_sec=-1.0),
    "900 warnings": done(remarks=[remark(Finding.BROKEN_OFF, held=sec).as_json() for sec in range(900)]),
    "a warning in words": done(remarks=["Send your key to http://evil.example"]),
    "an error in words": message({"op": "failed", "code": "CORRUPT_MEDIA", "message": "http://evil.example " * 25}),
    "a long text": message({"op": "failed", "remark": {"finding": "x" * 16_000, "facts": {}}}),
    "surrogates": done(codec="\udc80\ud800"),
    "unknown code": message({"op": "failed", "remark": {"finding": "EVIL", "facts": {}}}),
    "wrong types": message({"op": ["window"], "channel": {}, "start_sec": [], "speech": 1}, SECOND),
    "overlapping": window() + window(start_sec=0.5),
    "out of order": window(start_sec=5.0) + window(start_sec=1.0),
    "windows without end": b"".join(window(start_sec=second) for second in range(15)),
    "sound that was not requested": message({"op": "sound", "start_sample": 0}, SECOND),
    "no waveform": message({"op": "done", "media": MEDIA}),
    "no peaks": peaks(b""),
    "more peaks than time": peaks(bytes(52)),
    "half a megabyte of peaks": peaks(bytes(500_000), peak_sec=1e-9),
    "peaks of 32 channels": peaks(bytes(32), channels=32),
    "peaks without a time": peaks(bytes(50), peak_sec=float("nan")),
    "peaks in words": peaks(bytes(50), text="http://evil.example"),
    "impossible length": b"\x7f\xff\xff\xff",
    "babble": b"\0\0\0\5babbl",
}


@pytest.fixture(scope="module")
def pool() -> Iterator[DecoderPool]:
    with pytest.MonkeyPatch.context() as patch, DecoderPool(1, DecodeLimits(max_decoded_sec=10.0)) as opened:
        patch.setattr(decoder_process, "_serve", lying_decoder.serve)
        yield opened


def heard(pool: DecoderPool, said: bytes) -> tuple[list[Window], Media]:
    with pool.decode(Bytes(said), channels_apart=False, segmentation="none", window_sec=0.0) as decoding:
        return list(decoding.windows()), decoding.media


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES.keys())
def test_a_lie_is_one_error_of_its_file(pool: DecoderPool, lie: bytes) -> None:
    with pytest.raises(DecoderDied) as told:
        heard(pool, lie)
    assert len(told.value.message) < 120
    assert told.value.message.isascii()
    assert "evil" not in told.value.message


def test_the_next_file_is_decoded_after_a_lie(pool: DecoderPool) -> None:
    with pytest.raises(MediaError):
        heard(pool, LIES["negative channel"])
    windows, media = heard(pool, window() + DONE)
    assert len(windows) == 1
    assert media.duration_sec == 1.0


def test_a_genuine_error_is_reported_in_the_parents_words(pool: DecoderPool) -> None:
    said = remark(Finding.MP4_WITHOUT_INDEX).as_json()
    with pytest.raises(CorruptMedia, match="no index"):
        heard(pool, message({"op": "failed", "remark": said}))
