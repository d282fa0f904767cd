"""Clients for batchscribe servers and the original service, blocking and asynchronous, and for `batchscribe jobs`."""

from batchscribe.client.async_client import AsyncClient
from batchscribe.client.client import Client
from batchscribe.client.polling import PollSchedule
from batchscribe.client.webhook_event import verify_webhook

__all__ = ["AsyncClient", "Client", "PollSchedule", "verify_webhook"]
