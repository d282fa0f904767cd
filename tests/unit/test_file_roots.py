"""Each tenant has separate folders; shared folders are served only while there is one tenant."""

from __future__ import annotations

from pathlib import Path

import pytest

from batchscribe.errors import InvalidRequest
from batchscribe.storage.local.roots import check_apart, roots_of

OWN, SHARED = Path("/data/{tenant}/calls"), Path("/shared")


def test_the_tenants_name_takes_its_place_in_a_root() -> None:
    assert roots_of((OWN, SHARED), "acme") == (Path("/data/acme/calls"), SHARED)


@pytest.mark.parametrize("tenant", ["", ".", "..", "a/b", "../zeta", "a\0b"])
def test_a_tenant_whose_name_is_not_a_folder_name_gets_no_folder(tenant: str) -> None:
    assert roots_of((OWN, SHARED), tenant) == (SHARED,)


def test_a_tenant_alone_may_use_every_root() -> None:
    check_apart([("input.uri", "file:///shared/a.wav")], (OWN, SHARED), "acme", [])


def test_beside_another_tenant_only_own_folders_are_served_and_the_setting_is_named() -> None:
    check_apart([("input.uri", "file:///data/acme/calls/a.wav")], (OWN, SHARED), "acme", ["zeta"])
    check_apart([("input.uri", "s3://bucket/a.wav")], (OWN, SHARED), "acme", ["zeta"])
    for uri in ("file:///shared/a.wav", "file:///data/zeta/calls/a.wav", "file:///data/%7Btenant%7D/calls/a.wav"):
        with pytest.raises(InvalidRequest, match="BATCHSCRIBE_FILE_ROOTS") as refused:
            check_apart([("input.uri", uri)], (OWN, SHARED), "acme", ["zeta"])
        assert refused.value.field == "input.uri"


@pytest.mark.parametrize(
    ("name", "other"), [("acme", "ACME"), ("Zo\N{LATIN SMALL LETTER E WITH DIAERESIS}", "zoe\u0308")]
)
def test_names_that_a_file_system_may_take_for_one_are_served_to_neither(name: str, other: str) -> None:
    with pytest.raises(InvalidRequest, match="upper and lower case"):
        check_apart([("input.uri", f"file:///data/{name}/calls/a.wav")], (OWN,), name, [other])


def test_a_tenant_named_as_a_folder_gets_none_that_contains_those_of_others() -> None:
    roots = (Path("/data/{tenant}"), Path("/data/archive/{tenant}"))
    for tenant, uri, others in [
        ("archive", "file:///data/archive/acme/a.wav", ["acme"]),
        ("archive", "file:///data/archive/", ["acme"]),
        ("acme", "file:///data/archive/acme/a.wav", ["archive"]),
    ]:
        with pytest.raises(InvalidRequest, match="contains another's"):
            check_apart([("input.uri", uri)], roots, tenant, others)
    check_apart([("input.uri", "file:///data/acme/a.wav")], roots, "acme", ["archive"])
    check_apart([("input.uri", "file:///data/archive/acme/a.wav")], roots, "acme", ["zeta"])
