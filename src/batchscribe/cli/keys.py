"""`batchscribe keys`: who may use the server."""

from __future__ import annotations

import json
import re
from typing import Annotated

import typer

from batchscribe.cli.options import AsJson, Database, DataDir, settings_of
from batchscribe.errors import UsageError

keys_app = typer.Typer(help="Create, list and revoke API keys.", no_args_is_help=True)
TENANT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
Tenant = Annotated[str, typer.Option(help="Tenant that the key belongs to. A tenant sees only its own jobs.")]
Key = Annotated[str, typer.Argument(metavar="KEY", help="An API key, as `batchscribe keys list` shows it.")]


@keys_app.command("create")
def create(tenant: Tenant, as_json: AsJson = False, data_dir: DataDir = None, database: Database = None) -> None:
    """Create an API key. Its secret is shown only now; it is stored sealed."""
    if not TENANT.fullmatch(tenant):
        raise UsageError(
            "--tenant takes 1 to 64 letters, digits, dots, dashes and underscores, a letter or digit first."
        )
    from batchscribe.cli.records import opened
    from batchscribe.database.api_key import create_key

    records = opened(settings_of(data_dir=data_dir, database_url=database))
    with records.transaction() as connection:
        made = create_key(connection, records.keyring, tenant)
    if as_json:
        typer.echo(json.dumps({"api_key": made.api_key, "api_secret": made.secret, "tenant": tenant}))
    else:
        typer.echo(f"tenant:     {tenant}\napi_key:    {made.api_key}\napi_secret: {made.secret}")
        typer.echo("Keep the secret: it is not shown again. See docs/http.md for how to use the two.", err=True)


@keys_app.command("list")
def list_all(as_json: AsJson = False, data_dir: DataDir = None, database: Database = None) -> None:
    """Show all keys, including revoked ones, without their secrets."""
    from batchscribe.cli.records import opened
    from batchscribe.cli.tables import show_keys
    from batchscribe.database.api_key import list_keys
    from batchscribe.wire.answers import timestamp

    records = opened(settings_of(data_dir=data_dir, database_url=database))
    with records.transaction() as connection:
        keys = list_keys(connection)
    if not as_json:
        show_keys(keys)
        return
    rows = [
        {"api_key": key.api_key, "tenant": key.tenant, "created_at": timestamp(key.created_at)}
        | ({"revoked_at": timestamp(key.revoked_at)} if key.revoked_at else {})
        for key in keys
    ]
    typer.echo(json.dumps({"keys": rows}, indent=2))


@keys_app.command("revoke")
def revoke(key: Key, data_dir: DataDir = None, database: Database = None) -> None:
    """Revoke a key. Running servers refuse it at once; the tenant's jobs continue."""
    from batchscribe.cli.records import opened
    from batchscribe.database.api_key import revoke_key

    records = opened(settings_of(data_dir=data_dir, database_url=database))
    with records.transaction() as connection:
        revoked = revoke_key(connection, key)
    typer.echo(f"{key} is revoked." if revoked else f"{key} was revoked before.")
