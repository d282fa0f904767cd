"""Where recordings come from and transcripts go to: `file://` and `s3://`, behind one `Store` protocol."""
