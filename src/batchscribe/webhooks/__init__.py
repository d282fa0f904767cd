"""Webhooks: the event for each change of a job's state, its signature, and the retry schedule."""
