"""The durable queue (only this package uses DBOS), and access to the records in the same database."""
