"""The storage access of one side of a job: its input or its output."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TypeVar

from batchscribe.errors import CredentialsExpired
from batchscribe.settings import Settings


@dataclass(frozen=True, slots=True)
class Credentials:
    """The credentials of a job for one cloud. A subclass has the fields of the wire's type. Secrets have no `repr`."""

    @property
    def is_anonymous(self) -> bool:
        """Whether there is no secret in it, so that requests are not authorized."""
        return False


Kind = TypeVar("Kind", bound=Credentials)
Result = TypeVar("Result")


class RenewableCredentials(Protocol):
    """Credentials that may be replaced while they are in use."""

    @property
    def newest(self) -> Credentials | None: ...

    def look(self) -> None:
        """Look for newer credentials because the storage rejected `newest` as expired."""
        ...


@dataclass(frozen=True, slots=True)
class Access:
    """The settings, the folders and the credentials that stores may use.

    Without credentials, requests to a cloud are unsigned.
    """

    settings: Settings = field(default_factory=Settings.model_construct)
    file_roots: tuple[Path, ...] = ()  #: the folders allowed for `file://`, instead of those of the settings
    credentials: Credentials | None = None
    renewable: RenewableCredentials | None = None  #: instead of `credentials`
    signed_urls: Mapping[str, str] = field(default_factory=dict, repr=False)  #: database URL to full URL
    patience_sec: float | None = None  #: for one answer, including retries; None: the limits of a worker

    def newest(self, kind: type[Kind]) -> Kind | None:
        """Return the newest credentials; None if there are none of this kind.

        Each request reads them, so open recordings and listings survive a renewal.
        """
        found = self.credentials if self.renewable is None else self.renewable.newest
        return found if isinstance(found, kind) else None

    def with_newest(self, kind: type[Kind], action: Callable[[], Result]) -> Result:
        """Run the action. Repeat it once if the credentials have expired and newer ones exist."""
        used = self.newest(kind)
        try:
            return action()
        except CredentialsExpired:
            if self.renewable is None:
                raise
            self.renewable.look()
            if self.newest(kind) == used:
                raise
        return action()
