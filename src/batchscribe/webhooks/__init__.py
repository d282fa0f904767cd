"""Webhooks: what is sent when a job changes its state, how it is signed, and when it is sent again."""
