"""What batchscribe must know about a URI scheme. Each folder of `storage` has one such record.

A record imports its store, and the HTTP client, in the functions that need them: servers and workers start without.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from batchscribe.check import Check
from batchscribe.settings import Settings
from batchscribe.storage.access import Access, Credentials
from batchscribe.storage.bucket_uris import split_bucket
from batchscribe.storage.store import Store

CheckUri = Callable[[str], None]  #: raises `LocationNotAllowed`


def check_bucket_uris(_access: Access) -> CheckUri:
    """Return a check that a URI names a bucket, for schemes with buckets."""

    def check(uri: str) -> None:
        split_bucket(uri)

    return check


def _examine_nothing(_settings: Settings) -> Iterator[Check]:
    return iter(())


@dataclass(frozen=True, slots=True)
class CredentialsForm:
    """The credentials that a scheme takes."""

    field: str  #: in `auth` of a request
    kind: type[Credentials]
    variables: Mapping[str, str]  #: fields to the environment variables that the command line reads
    read_environment: Callable[[Mapping[str, str]], Credentials | None]  #: raises `UsageError`


@dataclass(frozen=True, slots=True)
class Scheme:
    """A URI scheme: its name, and how to check, open and examine its storage."""

    name: str  #: `s3` of `s3://`
    checker: Callable[[Access], CheckUri]  #: checks URIs without sending a request
    connect: Callable[[Access], Store]  #: sends no request; raises `InvalidSetting`
    credentials: CredentialsForm | None = None
    #: Names of the settings that a local job stores, so that resuming it does not need the options again.
    settings: tuple[str, ...] = ()
    examine: Callable[[Settings], Iterator[Check]] = field(default=_examine_nothing)  #: for `doctor`
