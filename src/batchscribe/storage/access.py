"""What one side of a job, its input or its output, may touch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from batchscribe.outbound.policy import Policy
from batchscribe.settings import Settings


@dataclass(frozen=True, slots=True)
class AwsCredentials:
    """A job's own key. Only the region ever shows in a `repr`."""

    access_key_id: str = field(repr=False)
    secret_access_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)
    region: str | None = None


class RenewableKeys(Protocol):
    """A key that may be replaced while it is in use."""

    @property
    def aws(self) -> AwsCredentials | None: ...

    def look(self) -> None:
        """The storage says that the key has expired: from now on `aws` is the newest one there is."""
        ...


@dataclass(frozen=True, slots=True)
class Access:
    """Folders that `file://` may name, the key for `s3://` (none: unsigned requests), and where S3 is."""

    file_roots: tuple[Path, ...] = ()
    aws: AwsCredentials | None = None
    renewable: RenewableKeys | None = None  #: instead of `aws`
    s3_endpoint: str | None = None
    s3_region: str | None = None
    s3_path_style: bool = False
    s3_allow_http: bool = False
    http_policy: Policy = field(default_factory=Policy)  #: where `https://` may lead
    signed_urls: Mapping[str, str] = field(default_factory=dict, repr=False)  #: whole URLs by those on record
    patience_sec: float | None = None  #: for one answer, retries included; None: as long as a worker waits

    @classmethod
    def from_settings(
        cls, settings: Settings, *, file_roots: tuple[Path, ...] | None = None, aws: AwsCredentials | None = None
    ) -> Access:
        """`file_roots` stand in for those of the settings: the command line allows what it is given."""
        return cls(
            file_roots=settings.file_roots if file_roots is None else file_roots,
            aws=aws,
            s3_endpoint=settings.s3_endpoint,
            s3_region=settings.s3_region,
            s3_path_style=settings.s3_path_style,
            s3_allow_http=settings.s3_allow_http,
            http_policy=Policy.of_inputs(settings),
        )
