"""The storage access of one side of a job: its input or its output."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from batchscribe.outbound.policy import Policy
from batchscribe.settings import Settings


@dataclass(frozen=True, slots=True)
class AwsCredentials:
    """The credentials of a job. Only the region is shown in a `repr`."""

    access_key_id: str = field(repr=False)
    secret_access_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)
    region: str | None = None


class RenewableKeys(Protocol):
    """Credentials that may be replaced while they are in use."""

    @property
    def aws(self) -> AwsCredentials | None: ...

    def look(self) -> None:
        """Look for newer credentials because the storage rejected `aws` as expired. `aws` then returns the newest."""
        ...


@dataclass(frozen=True, slots=True)
class Access:
    """The folders allowed for `file://`, the credentials for `s3://`, and the S3 endpoint.

    Without credentials, requests are unsigned.
    """

    file_roots: tuple[Path, ...] = ()
    aws: AwsCredentials | None = None
    renewable: RenewableKeys | None = None  #: instead of `aws`
    s3_endpoint: str | None = None
    s3_region: str | None = None
    s3_path_style: bool = False
    s3_allow_http: bool = False
    http_policy: Policy = field(default_factory=Policy)  #: the addresses allowed for `https://`
    signed_urls: Mapping[str, str] = field(default_factory=dict, repr=False)  #: database URL to full URL
    patience_sec: float | None = None  #: for one answer, including retries; None: the limits of a worker

    @classmethod
    def from_settings(
        cls, settings: Settings, *, file_roots: tuple[Path, ...] | None = None, aws: AwsCredentials | None = None
    ) -> Access:
        """Return the access that the settings allow. `file_roots`, if given, replaces the setting."""
        return cls(
            file_roots=settings.file_roots if file_roots is None else file_roots,
            aws=aws,
            s3_endpoint=settings.s3_endpoint,
            s3_region=settings.s3_region,
            s3_path_style=settings.s3_path_style,
            s3_allow_http=settings.s3_allow_http,
            http_policy=Policy.of_inputs(settings),
        )
