"""Storage for recordings and transcripts. Each URI scheme is a folder with one record, listed in `schemes`."""
