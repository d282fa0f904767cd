"""`batchscribe vocabularies`: store, list, show and delete the vocabularies of a tenant on a server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from batchscribe.cli import options
from batchscribe.cli.lazy import lazy_imports

with lazy_imports():
    from batchscribe.cli import served_vocabularies, vocabulary_file
    from batchscribe.cli.present import console, listings

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

vocabularies_app = typer.Typer(help="Store, list, show and delete vocabularies on a server.", no_args_is_help=True)


def _open(server: str | None) -> AbstractContextManager[served_vocabularies.ServedVocabularies]:
    return served_vocabularies.open_served_vocabularies(options.read_settings(data_dir=None, server=server))


@vocabularies_app.command("create")
def create(
    file: options.StoredVocabulary,
    name: options.VocabularyLabel = None,
    as_json: options.AsJson = False,
    server: options.Server = None,
) -> None:
    """Store a vocabulary. Jobs name it with --vocabulary-id."""
    body = vocabulary_file.read_vocabulary(file) | ({"name": name} if name is not None else {})
    with _open(server) as served:
        stored = served.create(body)
    if as_json:
        console.print_json(stored)
    else:
        typer.echo(f"vocabulary: {console.format_text(str(stored.get('vocabulary_id')))}")


@vocabularies_app.command("list")
def list_all(
    limit: options.VocabularyLimit = 20, as_json: options.AsJson = False, server: options.Server = None
) -> None:
    """Show the newest vocabularies."""
    with _open(server) as served:
        found = served.newest(limit=limit)
        if as_json:
            console.print_json_list("vocabularies", found)
        else:
            listings.show_vocabularies(found)


@vocabularies_app.command("show")
def show(vocabulary_id: options.VocabularyId, as_json: options.AsJson = False, server: options.Server = None) -> None:
    """Show a vocabulary, as a file for --vocabulary."""
    with _open(server) as served:
        found = served.get(vocabulary_id)
    if as_json:
        console.print_json(found)
    else:
        listings.show_vocabulary(found)


@vocabularies_app.command("delete")
def delete(vocabulary_id: options.VocabularyId, as_json: options.AsJson = False, server: options.Server = None) -> None:
    """Delete a vocabulary. Jobs that use it keep a copy."""
    with _open(server) as served:
        served.delete(vocabulary_id)
    if as_json:
        console.print_json({"vocabulary_id": vocabulary_id, "deleted": True})
    else:
        typer.echo(f"{vocabulary_id} is deleted.")
