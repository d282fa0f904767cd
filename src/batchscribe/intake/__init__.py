"""Turn a request, from HTTP or the command line, into a job on record: validate it, preview it or submit it."""
