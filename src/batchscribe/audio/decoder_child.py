"""The main loop of a decoder process: one recording after the other, each requested from the parent in blocks."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from importlib import import_module
from multiprocessing.connection import Connection
from typing import Any

import numpy as np

from batchscribe.audio.channels import Channels
from batchscribe.audio.decode_limits import CpuAllowance
from batchscribe.audio.decoder_trial import REQUESTS, Nobody, recording
from batchscribe.audio.file_view import RemoteFile
from batchscribe.audio.findings import Finding, Remark, refusal
from batchscribe.audio.media import Media
from batchscribe.audio.positions import ParentLink, Positions
from batchscribe.audio.segmenter import Segmenter, segmenter
from batchscribe.audio.track import AudioTrack
from batchscribe.audio.track_choice import TrackChoice
from batchscribe.audio.waveform import WaveformMeter
from batchscribe.children.confinement import confine
from batchscribe.children.framing import Gibberish, receive, send
from batchscribe.children.pipe import Pipe
from batchscribe.children.start import begin_child
from batchscribe.errors import CorruptMedia, EmptyRecording, MediaError
from batchscribe.window import Window

BEAT_SEC = 0.5  #: shortest interval of heartbeats, with which the decoder asks whether it may continue
#: CPU seconds allowed without audio. A demuxer in an endless loop looks alive to the parent's watchdog.
FRUITLESS_CPU_SEC = 60.0
#: Modules that PyAV imports when it opens a file with subtitles. The test recordings have none.
LATE_MODULES = ("av.subtitles.codeccontext", "av.subtitles.subtitle")


def serve(connection: Connection, memory_bytes: int) -> None:
    """Run the process. Reports that it is ready, or the number of the system error that prevents it."""
    begin_child()  # first, because Ctrl-C would end the process while it loads
    parent = ParentLine(Pipe(connection))
    try:
        rehearse()
        confine(memory_bytes)
    except OSError as error:
        parent.tell("unfit", errno=error.errno)
        return
    except (MemoryError, ValueError, MediaError):
        parent.tell("unfit", errno=errno.ENOMEM)
        return
    parent.tell("ready")
    while True:
        request, payload = parent.listen()
        serve_one(parent, request, bytes(payload))


def rehearse() -> None:
    """Load all modules and the voice model by decoding test recordings: later, no file can be opened."""
    for name in LATE_MODULES:
        import_module(name)
    content = recording()
    for request in REQUESTS:
        _decode(Nobody(), request, RemoteFile(len(content), lambda _offset, _length: content))


def serve_one(parent: ParentLine, request: dict[str, Any], payload: bytes) -> None:
    """Decode one recording and report its errors. Then the process is ready for the next.

    The payload is the position to continue at, if there is one, and the first block of the file.
    """
    position, first_block = payload[: request["position_bytes"]], payload[request["position_bytes"] :]
    try:
        media = _decode(parent, request, RemoteFile(request["size"], parent.fetch, first_block), position)
    except MediaError as error:
        parent.fail(error)
    except MemoryError:
        parent.fail(refusal(Finding.OUT_OF_MEMORY))
    else:
        peaks, facts = _peaks_of(media)
        parent.tell("done", peaks, media=media.as_json(), peaks=facts)


def _peaks_of(media: Media) -> tuple[bytes, dict[str, object]]:
    """Return the waveform as a payload and a field of the message."""
    if media.waveform is None:
        raise TypeError("the waveform of every decoded track is measured")
    return media.waveform.as_bytes(), {"channels": len(media.waveform.channels), "peak_sec": media.waveform.peak_sec}


class ParentLine:
    """The connection to the parent. The process ends as soon as the parent closes it."""

    def __init__(self, pipe: Pipe) -> None:
        self._pipe = pipe
        self._quiet_until = 0.0

    def listen(self) -> tuple[dict[str, Any], memoryview]:
        try:
            return receive(self._pipe)
        except (EOFError, OSError, Gibberish):
            os._exit(0)  # an exception would pass through FFmpeg, which swallows some

    def tell(self, op: str, payload: bytes | memoryview = b"", **fields: object) -> None:
        try:
            send(self._pipe, {"op": op, **fields}, payload)
        except OSError:
            os._exit(0)

    def fail(self, error: MediaError) -> None:
        if not isinstance(error.remark, Remark):
            raise TypeError("only an error that `refusal` created can be sent") from error
        self.tell("failed", remark=error.remark.as_json())

    def fetch(self, offset: int, length: int) -> bytes:
        self.tell("read", offset=offset, length=length)
        return bytes(self.listen()[1])

    def is_alive(self) -> None:
        """Ask the parent whether to continue, at most twice a second: this is called for every packet."""
        now = time.monotonic()
        if now >= self._quiet_until:
            self.tell("alive")
            self.listen()  # waits until it is this recording's turn again
            self._quiet_until = time.monotonic() + BEAT_SEC


def _decode(parent: ParentLink, request: Mapping[str, Any], file: RemoteFile, position: bytes = b"") -> Media:
    """Decode the first track that has speech; if none has, return the facts of the first decodable one."""
    choice = TrackChoice()
    silent: Media | None = None
    positions: Positions | None = Positions(parent, position)
    while True:
        try:
            media = _decode_track(parent, request, file, choice, positions)
        except MediaError as error:
            if silent is not None and not choice.is_heard:
                return choice.without_speech(silent)
            is_of_track = isinstance(error, (CorruptMedia, EmptyRecording))
            if not is_of_track or choice.is_heard or not choice.pass_over(is_silent=False):
                raise
            positions = None
            continue
        silent = silent or media
        if choice.is_heard:
            return media
        if not choice.pass_over(is_silent=True):
            return choice.without_speech(silent)
        positions = None


def _decode_track(
    parent: ParentLink,
    request: Mapping[str, Any],
    file: RemoteFile,
    choice: TrackChoice,
    positions: Positions | None,
    *,
    ignores_edits: bool = False,
) -> Media:
    """Decode one track. Only the first one that is decoded has `positions`."""
    cpu = CpuAllowance(FRUITLESS_CPU_SEC)
    cpu.renew()
    file.seek(0)
    track = AudioTrack(
        file,
        input_formats=request["input_formats"],
        apart=request["channels_apart"],
        max_sec=request["max_decoded_sec"],
        choice=choice,
        ignores_edits=ignores_edits,
    )
    try:
        if positions is not None and positions.has_windows:
            choice.is_heard = True
        meter = WaveformMeter()
        blocks = meter.watch(track.blocks(parent.is_alive))
        if request["whole_sound"]:
            blocks = _send_sound(blocks, parent)
        for window in _windows(blocks, request, cpu, positions):
            choice.is_heard = True
            samples = window.samples.data.cast("B")
            parent.tell("window", samples, channel=window.channel, start_sec=window.start_sec, speech=window.speech)
    except EmptyRecording:
        if not track.may_have_edits:
            raise
    else:
        return replace(track.media, waveform=meter.finish())
    finally:
        track.close()
    return _decode_track(parent, request, file, choice, None, ignores_edits=True)


def _send_sound(blocks: Iterator[Channels], parent: ParentLink) -> Iterator[Channels]:
    """Send all the sound of a track with mixed channels, as well as its windows. Every track starts at sample 0."""
    n_samples = 0
    for block in blocks:
        samples = np.ascontiguousarray(block[0])
        parent.tell("sound", samples.data.cast("B"), start_sample=n_samples)
        n_samples += len(samples)
        yield block


def _windows(
    blocks: Iterator[Channels], request: Mapping[str, Any], cpu: CpuAllowance, positions: Positions | None
) -> Iterator[Window]:
    """Yield the windows of all channels as they end; each channel has its own segmenter."""
    segmenters: list[Segmenter] = []
    for block in blocks:
        cpu.renew()
        segmenters = segmenters or [
            segmenter(channel, request["segmentation"], request["window_sec"], request["max_pause_sec"])
            for channel in range(len(block))
        ]
        if positions is not None:
            positions.restore(segmenters)
        found = [window for cutter, row in zip(segmenters, block, strict=True) for window in cutter.accept(row)]
        yield from sorted(found, key=_end_sec)
        if positions is not None:
            positions.report(segmenters, has_found=bool(found))
    yield from sorted((window for cutter in segmenters for window in cutter.finish()), key=_end_sec)


def _end_sec(window: Window) -> float:
    return window.start_sec + window.duration_sec
