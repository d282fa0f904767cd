"""The domain of batch jobs, without I/O: states, sources, globs, output names, shards and summaries."""
