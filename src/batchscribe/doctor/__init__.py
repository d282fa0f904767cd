"""Checks of everything that batchscribe needs, with advice. They change nothing."""
