"""Validation, preview and submission of jobs, from HTTP or the command line."""
