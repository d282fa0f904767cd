"""The domain of batch jobs, without I/O: states and their moves, sources, globs, output names, shards, summaries."""
