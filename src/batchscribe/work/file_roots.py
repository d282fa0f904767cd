"""The folders that one tenant's `file://` URIs may name.

`{tenant}` in a root of the settings is the name of the tenant. A root without it belongs to everybody, which is right
for one tenant alone: with keys of a second one, each could read and replace the other's files.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection
from pathlib import Path

from batchscribe.errors import InvalidRequest, Mistake
from batchscribe.storage.roots import Roots
from batchscribe.wire.refusals import MOST_MISTAKES
from batchscribe.wire.uris import FILE_SCHEME, scheme_of

PLACEHOLDER = "{tenant}"


def roots_of(roots: Collection[Path], tenant: str) -> tuple[Path, ...]:
    """All that the settings allow the tenant. Who has a name that is none of a folder gets no folder by it."""
    is_folder_name = tenant not in ("", ".", "..") and not set(tenant) & {"/", "\0"}
    return tuple(
        Path(str(root).replace(PLACEHOLDER, tenant)) for root in roots if PLACEHOLDER not in str(root) or is_folder_name
    )


def check_apart(
    named: Collection[tuple[str, str]], roots: Collection[Path], tenant: str, others: Collection[str]
) -> None:
    """`named` are fields and their URIs, `others` the other tenants with keys. Raises `InvalidRequest`."""
    if not others:
        return
    shares_name = any(_folded(other) == _folded(tenant) for other in others)
    places = Roots(() if shares_name else _own_roots(roots, tenant, others))
    mistakes = tuple(
        Mistake(field, f"{field}: {_why(tenant, shares_name=shares_name)}")
        for field, uri in named
        if scheme_of(uri) == FILE_SCHEME and not places.has(uri)
    )
    if mistakes:
        raise InvalidRequest(mistakes[0].message, field=mistakes[0].field, mistakes=mistakes[:MOST_MISTAKES])


def _own_roots(roots: Collection[Path], tenant: str, others: Collection[str]) -> tuple[Path, ...]:
    """Without those that lie in another tenant's folder or contain it.

    With `/data/{tenant}:/data/archive/{tenant}` a tenant named `archive` would have everybody's.
    """
    apart = [root for root in roots if PLACEHOLDER in str(root)]
    taken = [root for other in others for root in roots_of(apart, other)]
    return tuple(own for own in roots_of(apart, tenant) if not any(_is_nested(own, root) for root in taken))


def _is_nested(one: Path, other: Path) -> bool:
    return one.is_relative_to(other) or other.is_relative_to(one)


def _folded(name: str) -> str:
    """The same for names that some file system takes for one: in upper case, or with accents of their own."""
    return unicodedata.normalize("NFKC", name).casefold()


def _why(tenant: str, *, shares_name: bool) -> str:
    if shares_name:
        return (
            f"Another tenant's name differs from {tenant} only in upper and lower case or in how accents are written, "
            "so neither may use file:// URIs; ask the operator to rename one."
        )
    return (
        "The URI is outside the folders of this tenant. As several tenants have keys, the operator must put "
        "{tenant} into each folder of BATCHSCRIBE_FILE_ROOTS, so that no tenant's folder contains another's."
    )
