"""Mutated recordings through a real decoder pool: a transcript or a named error, never a crash or a hang."""
