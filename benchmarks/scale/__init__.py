"""How far it goes, on SQLite and on PostgreSQL: a job of a million files, and two worker processes as two machines."""
