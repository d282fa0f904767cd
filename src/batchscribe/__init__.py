"""batchscribe: recordings in object storage in, transcripts out."""

import importlib
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from batchscribe.client import AsyncClient, Client, verify_webhook

__all__ = ["AsyncClient", "Client", "__version__", "verify_webhook"]

__version__ = "0.1.0"

# onnxruntime reports to its maker over the network as soon as it is imported; see its Privacy.md.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")


def __getattr__(name: str) -> object:
    """Import the client when it is used: the processes of decoders and engines need none of its libraries."""
    if name in __all__:
        return getattr(importlib.import_module("batchscribe.client"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
