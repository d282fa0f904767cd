"""Simple implementations of protocols, for tests: the same tests hold them to the behavior of the real ones."""
