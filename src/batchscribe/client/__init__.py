"""A client for batchscribe servers, for Python programs and for `batchscribe jobs`."""

from batchscribe.client.client import Client

__all__ = ["Client"]
