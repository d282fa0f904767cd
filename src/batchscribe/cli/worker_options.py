"""The options of commands that transcribe in this process."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from batchscribe.cli import options

if TYPE_CHECKING:
    from batchscribe.settings import Settings


@dataclass(frozen=True, slots=True)
class WorkerOptions:
    """Options that are not given take their values from the settings. Commands get it through `with_option_groups`."""

    engine: options.Engine = None
    engine_processes: options.EngineProcesses = None
    workers: options.Workers = None
    data_dir: options.DataDir = None
    s3_endpoint: options.S3Endpoint = None
    s3_region: options.S3Region = None
    s3_path_style: options.S3PathStyle = None
    s3_allow_http: options.S3AllowHttp = None

    def read_settings(self) -> Settings:
        """Load the settings, with these options on top. Raises `InvalidSetting`, `UsageError`."""
        return options.read_settings(**asdict(self))
