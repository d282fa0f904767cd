"""`batchscribe search`: find what was said in transcripts."""

from __future__ import annotations

from batchscribe.cli import options
from batchscribe.cli.lazy import lazy_imports

with lazy_imports():
    from batchscribe.cli import job_source
    from batchscribe.cli.present import console, hits


def search(
    words: options.SearchedWords,
    limit: options.HitLimit = 20,
    as_json: options.AsJson = False,
    server: options.Server = None,
    data_dir: options.DataDir = None,
) -> None:
    """Find what was said in transcripts, the latest first.

    A segment must contain all WORDS. Write '"late refund"' for a phrase, and invoic* for words with this prefix.
    """
    query = " ".join(words)
    with job_source.open_job_source(server, data_dir) as source:
        found = source.search(query, limit=limit)
        if as_json:
            console.print_json_list("hits", found)
        else:
            hits.show_hits(found, query)
