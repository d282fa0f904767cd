"""The client of a batchscribe server, for programs and for `batchscribe jobs`."""

from batchscribe.client.client import Client

__all__ = ["Client"]
