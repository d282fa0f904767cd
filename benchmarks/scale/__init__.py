"""Scaling on SQLite and PostgreSQL: a job of a million files, and two worker processes as two machines."""
