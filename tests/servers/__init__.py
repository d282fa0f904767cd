"""Servers that tests start, such as S3 services, PostgreSQL and scripted HTTP servers."""
