"""What people and programs read: progress, tables, summaries and JSON, made from answers of the wire alone."""
