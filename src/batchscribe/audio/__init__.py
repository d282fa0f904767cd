"""Decoding of recordings into windows of speech, in a child process that is not trusted."""
