"""A client for batchscribe servers, for Python programs and for `batchscribe jobs`."""

from batchscribe.client.client import Client
from batchscribe.client.polling import PollSchedule

__all__ = ["Client", "PollSchedule"]
