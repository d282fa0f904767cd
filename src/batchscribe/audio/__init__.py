"""The bytes of one recording become segments of speech, decoded in a child process that nobody has to trust."""
