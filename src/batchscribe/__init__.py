"""batchscribe: recordings in object storage in, transcripts out."""

import os

__all__ = ["__version__"]

__version__ = "0.1.0"

# onnxruntime reports to its maker over the network as soon as it is imported; see its Privacy.md.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
