"""Clients for batchscribe servers and the original service, blocking and asynchronous; `batchscribe jobs` uses them."""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from batchscribe.client.async_client import AsyncClient
    from batchscribe.client.client import Client
    from batchscribe.client.polling import PollSchedule
    from batchscribe.client.webhook_event import verify_webhook

__all__ = ["AsyncClient", "Client", "PollSchedule", "verify_webhook"]

_MODULES = {
    "AsyncClient": "async_client",
    "Client": "client",
    "PollSchedule": "polling",
    "verify_webhook": "webhook_event",
}


def __getattr__(name: str) -> object:
    """Import a module when it is used: `batchscribe jobs` without a server only needs `polling`, and no HTTP client."""
    if name in _MODULES:
        return getattr(importlib.import_module(f"batchscribe.client.{_MODULES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
