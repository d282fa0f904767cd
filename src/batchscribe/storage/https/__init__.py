"""`https://`: single recordings with a public or signed URL."""
