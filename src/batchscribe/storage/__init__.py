"""Storage for recordings and transcripts: `file://`, `s3://` and `https://`, behind one `Store` protocol."""
