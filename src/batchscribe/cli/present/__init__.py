"""Output for people and programs: progress, tables, summaries and JSON, made only from answers of the wire."""
