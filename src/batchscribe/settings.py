"""All settings, in one frozen object: read once, from `BATCHSCRIBE_*` in the environment or from `.env`.

`docs/settings.md` shows the same table; a test keeps the two equal.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

import platformdirs
from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from batchscribe.errors import InvalidSetting


class Settings(BaseSettings):
    """One documented field a setting; the environment variable is `BATCHSCRIBE_` and the field's name in capitals."""

    model_config = SettingsConfigDict(
        env_prefix="BATCHSCRIBE_", env_file=".env", frozen=True, extra="ignore", env_ignore_empty=True
    )

    data_dir: Path = Field(
        default_factory=lambda: Path(platformdirs.user_data_dir("batchscribe")),
        description="Where the database, the key file and pulled models live.",
    )
    database_url: str | None = Field(
        default=None,
        description="SQLAlchemy URL of the database; by default a SQLite file in the data directory.",
    )
    secret_key: SecretStr | None = Field(
        default=None,
        description="Key that seals stored secrets: 32 bytes in URL-safe base64; several, newest first, "
        "separated by commas. By default a key file is made in the data directory.",
    )
    engine: str = Field(
        default="auto",
        description="Speech engine of a job that names none: `auto`, `pocketsphinx` or `whisper`.",
    )
    whisper_model: str | None = Field(
        default=None,
        description="Model of the `whisper` engine: a folder, or the name of a pulled model. "
        "By default the best pulled one.",
    )
    device: str = Field(default="auto", description="Where models run: `auto`, `cpu` or `cuda`.")
    compute_type: str = Field(
        default="default",
        description="Number format of Whisper models, as CTranslate2 names it: `int8`, `float16`...",
    )
    workers: int = Field(
        default_factory=lambda: len(os.sched_getaffinity(0)),
        ge=1,
        le=512,
        description="Engine processes, and with them the recordings worked on at once. By default one per core.",
    )
    file_roots: Annotated[tuple[Path, ...], NoDecode] = Field(
        default=(),
        description="Folders that `file://` URIs may name, separated by colons. "
        "The command line allows what it is given.",
    )
    s3_endpoint: str | None = Field(default=None, description="URL of an S3 service other than AWS.")
    s3_region: str | None = Field(
        default=None,
        description="Region of the buckets; by default asked from AWS, `us-east-1` for an endpoint.",
    )
    s3_path_style: bool = Field(
        default=False, description="Address buckets as a path of the endpoint instead of as a host name."
    )
    s3_allow_http: bool = Field(default=False, description="Allow plain HTTP to the S3 endpoint.")
    extra_formats: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="File formats accepted beside WAV, MP3, M4A and MP4, separated by commas: `flac`, `ogg`.",
    )
    max_files: int = Field(default=1_000_000, ge=1, description="Most files in one job.")
    max_file_bytes: int | None = Field(default=None, ge=1, description="Largest recording, in bytes. Off by default.")
    max_decoded_sec: float = Field(
        default=86_400.0, gt=0, description="Longest recording, in seconds of decoded audio (24 h)."
    )
    decode_memory_bytes: int = Field(
        default=3 * 2**30, ge=2**29, description="Address space of a decoder process, in bytes."
    )
    decode_stall_sec: float = Field(
        default=60.0, gt=0, description="Seconds a decoder may run without progress before it is ended."
    )
    max_attempts: int = Field(
        default=3,
        ge=1,
        description="Times a file is tried when its worker dies or its storage does not answer. "
        "On the command line its worker may die 10 times, unless this is set.",
    )
    log_level: str = Field(default="warning", description="Least severe log line: `debug`, `info`, `warning`, `error`.")

    @field_validator("file_roots", mode="before")
    @classmethod
    def _split_roots(cls, value: Any) -> Any:
        return tuple(Path(part) for part in value.split(":") if part) if isinstance(value, str) else value

    @field_validator("extra_formats", mode="before")
    @classmethod
    def _split_formats(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        return tuple(part.strip().lower().lstrip(".") for part in value.split(",") if part.strip())

    @property
    def sqlalchemy_url(self) -> str:
        return self.database_url or f"sqlite:///{self.data_dir.absolute() / 'batchscribe.db'}"

    @property
    def models_dir(self) -> Path:
        return self.data_dir / "models"


def load_settings(**overrides: Any) -> Settings:
    """Read the settings; `overrides` that are not None win over the environment.

    Raises `InvalidSetting`, naming the variable.
    """
    try:
        return Settings(**{name: value for name, value in overrides.items() if value is not None})
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        name = "BATCHSCRIBE_" + "_".join(str(part) for part in first["loc"]).upper()
        raise InvalidSetting(f"{name}: {first['msg']}.") from error
