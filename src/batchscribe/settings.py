"""All settings, in one frozen object: read once, from `BATCHSCRIBE_*` in the environment or from `.env`.

`docs/settings.md` shows the same table; a test keeps the two equal.
"""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings

from batchscribe.cpu_cores import count_cores
from batchscribe.errors import InvalidSetting
from batchscribe.input_formats import ALL_NAMES
from batchscribe.old_settings import OldSettings, accept_old
from batchscribe.setting_types import (
    LOCAL_NETWORKS,
    MOST_ENGINE_PROCESSES,
    READING,
    AllowedNetworks,
    Folders,
    InputFormats,
    PathPrefix,
    usual_data_dir,
)


class Settings(BaseSettings):
    """One documented field per setting; its environment variable is `BATCHSCRIBE_` and the field's name in capitals."""

    model_config = READING

    data_dir: Path = Field(
        default_factory=usual_data_dir,
        description="Folder for the database, the key file and pulled models.",
    )
    database_url: str | None = Field(
        default=None,
        description="URL of the database, such as `postgresql://user:password@host/name`; by default a SQLite file "
        "in the data directory.",
    )
    secret_key: SecretStr | None = Field(
        default=None,
        description="Key that seals stored secrets: 32 bytes in URL-safe base64. Several keys, newest first, are "
        "separated by commas. By default a key file is created in the data directory.",
    )
    engine: str = Field(
        default="auto",
        description="Speech engine for jobs that do not name one: `auto`, `onnx`, `pocketsphinx`, `whisper`, or the "
        "engine of an installed package.",
    )
    whisper_model: str | None = Field(
        default=None,
        description="Model for the `whisper` engine: a folder, or the name of a pulled model. By default the best "
        "pulled model.",
    )
    onnx_model: str | None = Field(
        default=None,
        description="Model for the `onnx` engine: a folder, or the name of a pulled model. By default the best pulled "
        "model.",
    )
    device: str = Field(
        default="auto",
        description="Where models run: `cpu`, `cuda` for all GPUs, or GPUs by number, such as `cuda:0,cuda:1`. Each "
        "GPU has one engine process. `auto` uses all GPUs, or the CPU if there are none.",
    )
    compute_type: str = Field(
        default="auto",
        description="Number format of Whisper models, by CTranslate2's names: `int8`, `float16`... `auto` is `int8` "
        "on a CPU and `float16` on a GPU.",
    )
    engine_processes: int = Field(
        default_factory=count_cores,
        ge=1,
        le=MOST_ENGINE_PROCESSES,
        description="Engine processes on a CPU. By default one per core, or fewer if a container or systemd unit has a "
        "CPU limit.",
    )
    decoders: int | None = Field(
        default=None,
        ge=1,
        le=MOST_ENGINE_PROCESSES,
        description="Maximum number of recordings that are decoded at once. By default one per engine process, and "
        "with a GPU one per core.",
    )
    files_in_progress: int | None = Field(
        default=None,
        ge=1,
        le=4096,
        description="Maximum number of recordings in progress. By default two per engine process. With GPUs, two per "
        "core, and in addition enough short ones for two full batches of each GPU.",
    )
    file_roots: Folders = Field(
        default=(),
        description="Folders that `file://` URIs may name, separated by colons. `{tenant}` in a folder stands for "
        "the name of the tenant that makes the request. Once several tenants have keys, only folders "
        "with `{tenant}` are served. The command line allows the inputs and outputs that it is given.",
    )
    s3_endpoint: str | None = Field(default=None, description="URL of an S3 service other than AWS.")
    s3_region: str | None = Field(
        default=None,
        description="Region of the buckets. By default batchscribe asks AWS, or uses `us-east-1` for a custom "
        "endpoint.",
    )
    s3_path_style: bool = Field(
        default=False, description="Put the bucket into the URL's path instead of its host name."
    )
    s3_allow_http: bool = Field(default=False, description="Allow plain HTTP to the S3 endpoint.")
    gcs_endpoint: str | None = Field(
        default=None, description="URL of Google Cloud Storage for private access, or of an emulator on this machine."
    )
    gcs_token_url: str | None = Field(
        default=None,
        description="URL that exchanges the key of a service account for an access token. By default Google's.",
    )
    azure_endpoint: str | None = Field(
        default=None,
        description="URL of Azure Blob Storage. `{account}` stands for the name of the storage account. By default "
        "`https://{account}.blob.core.windows.net`.",
    )
    azure_account: str | None = Field(
        default=None,
        description="Storage account of `az://` URIs in jobs without Azure credentials, for public containers.",
    )
    input_formats: InputFormats = Field(
        default=ALL_NAMES,
        description="Formats of recordings to accept, separated by commas. By default all. Clients of the HTTP "
        "interface rely on `wav`, `mp3` and `m4a`.",
    )
    profanity_file: Path | None = Field(default=None, description="File that changes the lists of profanities.")
    max_files: int = Field(default=1_000_000, ge=1, description="Maximum number of files in a job.")
    max_file_bytes: int | None = Field(
        default=None, ge=1, description="Maximum size of a recording, in bytes. No limit by default."
    )
    max_decoded_sec: float = Field(
        default=86_400.0, gt=0, description="Maximum length of a recording, in seconds of decoded audio (24 h)."
    )
    decode_memory_bytes: int = Field(
        default=3 * 2**30, ge=2**29, description="Address space limit of a decoder process, in bytes."
    )
    decode_stall_sec: float = Field(
        default=60.0,
        gt=0,
        description="A decoder counts as hung, and is killed, after this many seconds without CPU use, or after "
        "this many seconds of CPU time without progress.",
    )
    max_attempts: int = Field(
        default=3,
        ge=1,
        description="Attempts per file if its worker dies or its storage does not respond. On the command line, the "
        "worker may die 10 times unless this is set.",
    )
    credentials_wait_sec: float = Field(
        default=3600.0,
        ge=0,
        description="Seconds that the files of a job with expired credentials wait for fresh ones before they fail. "
        "With 0 they fail at once, as they always do on the command line.",
    )
    host: str = Field(default="127.0.0.1", description="Address that `batchscribe serve` listens on.")
    port: int = Field(
        default=8080, ge=0, le=65_535, description="Port that `batchscribe serve` listens on. 0 means any free port."
    )
    auth: Literal["on", "off"] = Field(
        default="on",
        description="With `off`, requests need no key and belong to the tenant `default`. Requires a loopback address.",
    )
    web: Literal["on", "off"] = Field(default="on", description="With `off`, the server has no web interface.")
    root_path: PathPrefix = Field(
        default="",
        description="Path prefix under which a proxy publishes the server, such as `/transcribe`. The proxy may strip "
        "the prefix or keep it.",
    )
    session_sec: float = Field(
        default=43_200.0, gt=0, description="Seconds after which users must sign in to the web interface again (12 h)."
    )
    search: Literal["on", "off"] = Field(
        default="on",
        description="With `off`, the database stores no transcript text, and there is no search.",
    )
    waveforms: Literal["on", "off"] = Field(
        default="on",
        description="With `off`, the database stores no waveforms of recordings.",
    )
    retention_days: float | None = Field(
        default=None,
        gt=0,
        description="Days after which an ended job is deleted, with everything that the database stores about it. "
        "Recordings and transcripts in storage are kept. By default, jobs are kept.",
    )
    credentials_keep_sec: float = Field(
        default=0.0,
        ge=0,
        description="Seconds for which a job's storage credentials are kept after its end, sealed, so that the web "
        "interface can play its recordings and failed files can be retried. With 0, they are deleted at once.",
    )
    webhook_keep_sec: float = Field(
        default=604_800.0,
        ge=0,
        description="Seconds for which a webhook's URL and secret are kept after its last delivery, sealed, so that it "
        "can be sent again (7 days). With 0, they are deleted at once.",
    )
    max_body_bytes: int = Field(default=4 * 2**20, ge=1024, description="Maximum size of a request body, in bytes.")
    max_connections: int | None = Field(
        default=None,
        ge=1,
        description="Maximum number of open connections of a server process. By default half of the process's "
        "descriptor limit, but at most 4,096.",
    )
    request_head_sec: float = Field(
        default=10.0, gt=0, description="Seconds within which the request line and the headers must arrive."
    )
    request_body_sec: float = Field(
        default=30.0,
        gt=0,
        description="Seconds within which a request body must arrive. A body that arrives at 16 KiB/s or faster may "
        "take longer.",
    )
    keep_alive_sec: float = Field(default=75.0, gt=0, description="Seconds after which an idle connection is closed.")
    max_manifest: int = Field(default=1000, ge=1, le=10_000, description="Maximum number of URIs in a manifest.")
    max_globs: int = Field(
        default=10, ge=0, le=1000, description="Maximum number of include globs in a job, and of exclude globs."
    )
    max_reference_chars: int = Field(default=256, ge=1, description="Maximum length of `reference_id`, in characters.")
    max_vocabularies: int = Field(default=1000, ge=0, description="Maximum number of stored vocabularies per tenant.")
    max_page_jobs: int = Field(default=100, ge=1, description="Maximum `page_size` for a list of jobs.")
    max_page_files: int = Field(default=1000, ge=1, description="Maximum `page_size` for a list of files.")
    rate_limit: str | None = Field(
        default=None,
        description="Requests that a tenant may send to one server process: `30/second`, `1000/minute`. No limit by "
        "default.",
    )
    dry_run_max_sec: float = Field(
        default=20.0,
        gt=0,
        description="Seconds within which a dry run is answered. After three quarters of this time, it stops listing "
        "and returns what it has found.",
    )
    grace_sec: float = Field(
        default=60.0,
        ge=0,
        description="Seconds that files in progress have to finish after a server or worker is told to stop.",
    )
    metrics_allow_networks: AllowedNetworks = Field(
        default=LOCAL_NETWORKS,
        description="Networks that may read the server's `/metrics`, in CIDR form, separated by commas. By default "
        "this machine and private networks.",
    )
    metrics_host: str = Field(default="127.0.0.1", description="Address for a worker's `/metrics`.")
    metrics_port: int | None = Field(
        default=None,
        ge=0,
        le=65_535,
        description="Port for a worker's `/metrics`. 0 means any free port. Off by default.",
    )
    worker_name: str = Field(
        default_factory=socket.gethostname,
        min_length=1,
        max_length=100,
        description="Name of a worker in logs and metrics. By default the machine's host name.",
    )
    heartbeat_sec: float = Field(
        default=10.0, ge=0.1, description="Seconds between a worker's heartbeats in the database."
    )
    silent_sec: float = Field(
        default=30.0,
        ge=0.3,
        description="Seconds without a heartbeat after which other workers take over a worker's files.",
    )
    tenant_shards: int | None = Field(
        default=None,
        ge=1,
        description="Maximum number of shards (of up to 64 files) that all workers together process for one tenant at "
        "a time. The limit applies to each engine and model: a tenant whose jobs are for two models may have twice as "
        "many. Use the same value on all workers. No limit by default.",
    )
    input_allow_networks: AllowedNetworks = Field(
        default=(),
        description="Networks that `https://` inputs may be in besides public ones, in CIDR form, separated by commas.",
    )
    webhook_allow_networks: AllowedNetworks = Field(
        default=(),
        description="Networks that webhooks may go to besides public ones, in CIDR form, separated by commas.",
    )
    webhook_allow_http: bool = Field(default=False, description="Allow webhooks to plain `http://` URLs.")
    webhook_processing: bool = Field(
        default=False, description="Also send a webhook when a job starts, not only when it ends."
    )
    webhook_first_retry_sec: float = Field(
        default=5.0, gt=0, description="Seconds before the first retry of a webhook. Later retries wait longer."
    )
    webhook_give_up_sec: float = Field(
        default=259_200.0, gt=0, description="Seconds after which batchscribe stops retrying a webhook (72 h)."
    )
    server: str | None = Field(
        default=None,
        description="URL of the server for `batchscribe jobs`. By default, the command uses the data directory.",
    )
    api_key: str | None = Field(default=None, description="API key for `batchscribe jobs`.")
    api_secret: SecretStr | None = Field(
        default=None, description="Secret of that API key. It signs a token for each request."
    )
    webhook_secret: SecretStr | None = Field(
        default=None, description="Webhook secret that `batchscribe jobs submit` sends with a webhook URL."
    )
    log_level: str = Field(
        default="warning", description="Minimum level of log lines: `debug`, `info`, `warning`, `error`."
    )

    @property
    def effective_database_url(self) -> str:
        return self.database_url or f"sqlite:///{self.data_dir.absolute() / 'batchscribe.db'}"

    @property
    def is_fleet(self) -> bool:
        """Whether many machines may share the database."""
        return not self.effective_database_url.startswith("sqlite")

    @property
    def models_dir(self) -> Path:
        return self.data_dir / "models"


def load_settings(**overrides: Any) -> Settings:
    """Read the settings; `overrides` that are not None win over the environment.

    Raises `InvalidSetting`, naming the variable.
    """
    given = {name: value for name, value in overrides.items() if value is not None}
    try:
        settings, old = Settings(**given), OldSettings()
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        name = "BATCHSCRIBE_" + "_".join(str(part) for part in first["loc"]).upper()
        raise InvalidSetting(f"{name}: {first['msg']}.") from error
    return accept_old(settings, old, given)
