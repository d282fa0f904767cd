"""Speech recognition: engines with a common protocol, each in its own process."""
