"""Builders of tiny speech models, so that real engines run in tests without weights."""
