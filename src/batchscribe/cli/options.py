"""Options that several commands share, and the settings they make."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from batchscribe.cli.choices import AUTO_LANGUAGE, Detection

if TYPE_CHECKING:
    from batchscribe.settings import Settings

DataDir = Annotated[
    Path | None, typer.Option(help="Folder for the database, the key file and the models.", show_default=False)
]
Database = Annotated[
    str | None,
    typer.Option(help="URL of the database. By default a SQLite file in the data directory.", show_default=False),
]
Workers = Annotated[
    int | None, typer.Option(min=1, max=512, help="Engine processes. By default one per core.", show_default=False)
]
S3Endpoint = Annotated[str | None, typer.Option(help="URL of an S3 service other than AWS.", show_default=False)]
S3Region = Annotated[str | None, typer.Option(help="Region of the buckets. By default batchscribe asks AWS.")]
S3PathStyle = Annotated[
    bool | None, typer.Option("--s3-path-style", help="Put the bucket into the URL's path.", show_default=False)
]
S3AllowHttp = Annotated[
    bool | None, typer.Option("--s3-allow-http", help="Allow plain HTTP to the endpoint.", show_default=False)
]
Server = Annotated[
    str | None,
    typer.Option(metavar="URL", help="Use this server. By default BATCHSCRIBE_SERVER, or else the data directory."),
]
Language = Annotated[
    str | None,
    typer.Option(
        help="Spoken language, as a BCP-47 tag; auto detects it. By default en-US.", show_default=False, metavar="TAG"
    ),
]
LanguageDetection = Annotated[
    Detection | None,
    typer.Option(
        help="once: each recording is in one language, which is detected; continuous: the language may change within a "
        "recording. --language is then the fallback in case of doubt.",
        show_default=False,
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]


def language_fields(language: str | None, detection: Detection | None) -> dict[str, Any]:
    """What the two options say, as fields of `config` on the wire."""
    is_auto = language is not None and language.strip().lower() == AUTO_LANGUAGE
    mode = detection or (Detection.ONCE if is_auto else None)
    return {
        **({} if language is None or is_auto else {"language": language}),
        **({} if mode is None else {"language_detection": {"mode": mode.value}}),
    }


def settings_of(*, data_dir: Path | None, **options: Any) -> Settings:
    """The settings, where options that were given win; the log goes as they say. Raises `InvalidSetting`."""
    from batchscribe.cli.log import configure_log  # here, so that `--help` comes at once
    from batchscribe.settings import load_settings

    settings = load_settings(data_dir=data_dir and data_dir.expanduser(), **options)
    configure_log(settings.log_level)
    return settings
