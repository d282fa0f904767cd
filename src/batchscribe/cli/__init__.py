"""The `batchscribe` command."""
