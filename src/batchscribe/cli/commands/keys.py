"""`batchscribe keys`: create, list and revoke API keys."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import typer

from batchscribe.cli import options
from batchscribe.cli.lazy import lazy_imports
from batchscribe.errors import UsageError

with lazy_imports():
    from batchscribe.cli import local_records
    from batchscribe.cli.present import console, listings
    from batchscribe.database import api_key_rows
    from batchscribe.wire import answers

if TYPE_CHECKING:
    from batchscribe.settings import Settings
    from batchscribe.wire.base import JsonObject

TENANT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")

keys_app = typer.Typer(help="Create, list and revoke API keys.", no_args_is_help=True)


@keys_app.command("create")
def create(
    tenant: options.Tenant,
    as_json: options.AsJson = False,
    data_dir: options.DataDir = None,
    database: options.Database = None,
) -> None:
    """Create an API key. Its secret is shown only now; it is stored sealed."""
    if not TENANT.fullmatch(tenant):
        raise UsageError(
            "--tenant must have 1 to 64 letters, digits, dots, dashes or underscores, and start with a letter or digit."
        )
    records = local_records.open_local_records(options.read_settings(data_dir=data_dir, database_url=database))
    with records.transaction() as connection:
        made = api_key_rows.create_key(connection, records.keyring, tenant)
    if as_json:
        typer.echo(json.dumps({"api_key": made.api_key, "api_secret": made.secret, "tenant": tenant}))
    else:
        typer.echo(f"tenant:     {tenant}\napi_key:    {made.api_key}\napi_secret: {made.secret}")
        typer.echo("Keep the secret; it is not shown again. docs/http.md shows how to use key and secret.", err=True)


@keys_app.command("list")
def list_all(
    as_json: options.AsJson = False, data_dir: options.DataDir = None, database: options.Database = None
) -> None:
    """Show all keys, including revoked ones, without their secrets."""
    settings = options.read_settings(data_dir=data_dir, database_url=database)
    keys = _read_keys(settings) if local_records.has_records(settings) else []
    if as_json:
        console.print_json({"keys": keys})
    else:
        listings.show_keys(keys)


def _read_keys(settings: Settings) -> list[JsonObject]:
    records = local_records.open_local_records(settings)
    with records.transaction() as connection:
        return [_describe_key(key) for key in api_key_rows.list_keys(connection)]


def _describe_key(key: api_key_rows.ApiKey) -> JsonObject:
    described = {"api_key": key.api_key, "tenant": key.tenant, "created_at": answers.timestamp(key.created_at)}
    return described | ({"revoked_at": answers.timestamp(key.revoked_at)} if key.revoked_at else {})


@keys_app.command("revoke")
def revoke(
    key: options.ApiKey,
    as_json: options.AsJson = False,
    data_dir: options.DataDir = None,
    database: options.Database = None,
) -> None:
    """Revoke a key. Running servers refuse it at once; the tenant's jobs continue."""
    records = local_records.open_local_records(options.read_settings(data_dir=data_dir, database_url=database))
    with records.transaction() as connection:
        revoked = api_key_rows.revoke_key(connection, key)
    if as_json:
        console.print_json({"api_key": key, "revoked": True, "was_revoked": not revoked})
    else:
        typer.echo(f"{key} is revoked." if revoked else f"{key} was already revoked.")
