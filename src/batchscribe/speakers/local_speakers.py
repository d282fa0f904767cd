"""Local speakers: who speaks when within ten seconds, according to pyannote's segmentation-3.0."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from batchscribe.speakers.onnx_session import open_session
from batchscribe.window import SAMPLE_RATE

WINDOW_SAMPLES = 10 * SAMPLE_RATE
WINDOW_FRAMES = 589
FRAME_HOP = 270  #: samples from one frame to the next
FRAME_CENTER = 495  #: samples from the start of a window to the center of its first frame
FRAME_SEC = FRAME_HOP / SAMPLE_RATE
SILENCE = 1e-4  #: windows without a louder sample are not passed to the model
STREAMS = 3  #: the most speakers that the model distinguishes in a window

#: The classes of the model: no speaker, each one alone, and each pair.
_CLASSES = np.array(
    [(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 0), (1, 0, 1), (0, 1, 1)],
    dtype=np.float32,
)


class LocalSpeakerModel:
    """Finds up to three speakers in a window, of whom two may speak at the same time. Thread-safe."""

    def __init__(self, model: bytes) -> None:
        self._session = open_session(model)

    def find(self, windows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return float32[n, WINDOW_FRAMES, STREAMS] for float32[n, WINDOW_SAMPLES].

        Each value is the probability that a local speaker speaks in a frame. The order of the speakers has no meaning
        beyond their window.
        """
        found = np.zeros((len(windows), WINDOW_FRAMES, STREAMS), dtype=np.float32)
        is_loud = np.abs(windows).max(axis=1) > SILENCE
        if is_loud.any():
            (log_probabilities,) = self._session.run(None, {"x": windows[is_loud][:, None]})
            found[is_loud] = np.exp(log_probabilities) @ _CLASSES
        return found
