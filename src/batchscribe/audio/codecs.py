"""The codecs that may be decoded."""

from __future__ import annotations

import av

#: FFmpeg's names of decoders that may run, also while it probes: hostile video never meets a video decoder. Those of
#: telephony and dictation are here; what else FFmpeg knows is refused by its name.
CODECS = frozenset(name for name in av.codecs_available if name.startswith(("pcm_", "adpcm_"))) | {
    "aac", "aac_latm", "ac3", "alac", "amrnb", "amrwb", "eac3", "evrc", "flac", "g722", "g723_1", "g726", "g726le",
    "g729", "gsm", "gsm_ms", "ilbc", "mp1", "mp1float", "mp2", "mp2float", "mp3", "mp3float", "opus", "qcelp",
    "truespeech", "vorbis",
}  # fmt: skip
