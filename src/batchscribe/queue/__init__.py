"""The durable queue: the only package that knows DBOS, and the records that it shares a database with."""
