"""The tables of jobs, files, shards and sealed secrets, in the same database as the queue."""
