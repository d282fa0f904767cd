"""Our rows are the truth: jobs, files, shards and sealed secrets, in the engine's own database."""
