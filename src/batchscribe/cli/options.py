"""Options that several commands share, and the settings they make."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from batchscribe.settings import Settings

DataDir = Annotated[
    Path | None, typer.Option(help="Folder of the database, the key file and the models.", show_default=False)
]
Database = Annotated[
    str | None,
    typer.Option(help="URL of the database. By default a SQLite file in the data directory.", show_default=False),
]
Workers = Annotated[
    int | None, typer.Option(min=1, max=512, help="Engine processes. By default one per core.", show_default=False)
]
S3Endpoint = Annotated[str | None, typer.Option(help="URL of an S3 service other than AWS.", show_default=False)]
S3Region = Annotated[str | None, typer.Option(help="Region of the buckets. By default asked from AWS.")]
S3PathStyle = Annotated[
    bool | None, typer.Option("--s3-path-style", help="Address buckets as paths of the endpoint.", show_default=False)
]
S3AllowHttp = Annotated[
    bool | None, typer.Option("--s3-allow-http", help="Allow plain HTTP to the endpoint.", show_default=False)
]
Server = Annotated[
    str | None,
    typer.Option(metavar="URL", help="Ask this server. By default BATCHSCRIBE_SERVER, else the data directory."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]


def settings_of(*, data_dir: Path | None, **options: Any) -> Settings:
    """The settings, where options that were given win; the log goes as they say. Raises `InvalidSetting`."""
    from batchscribe.cli.log import configure_log  # here, so that `--help` comes at once
    from batchscribe.settings import load_settings

    settings = load_settings(data_dir=data_dir and data_dir.expanduser(), **options)
    configure_log(settings.log_level)
    return settings
