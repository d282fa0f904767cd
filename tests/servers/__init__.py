"""Servers that tests start: an S3 service that checks what it is asked, and one that answers from a script."""
