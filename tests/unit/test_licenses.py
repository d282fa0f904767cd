"""`docs/licenses.md` lists every pinned package, and none that users install is under terms that would bind them."""

from __future__ import annotations

import sys
from importlib.metadata import PathDistribution
from pathlib import Path

import pytest

from tests.conftest import NOT_ON_THIS_PYTHON
from tests.licenses import PAGE, licensed_packages, page, stated_license

PERMISSIVE = {
    "0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "CNRI-Python", "ISC", "MIT", "MIT-0", "PSF-2.0",
    "Zlib",
}  # fmt: skip
#: Explained in docs/dependencies.md, or files under MPL that we do not change.
KNOWN = {"certifi": "MPL-2.0", "psycopg": "LGPL-3.0-only", "psycopg-binary": "LGPL-3.0-only", "tqdm": "MPL-2.0"}


@pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason=f"{NOT_ON_THIS_PYTHON}: the page is written on 3.11")
def test_the_page_is_what_make_licenses_writes() -> None:
    assert PAGE.read_text() == page(), "run `make licenses`"


def test_every_package_has_a_license() -> None:
    assert [each.name for each in licensed_packages() if each.license == "unknown"] == []


def test_what_users_install_is_permissive_except_for_what_the_documents_explain() -> None:
    installed = [each for each in licensed_packages() if each.use != "development"]
    assert len(installed) > 60
    for each in installed:
        names = set(each.license.replace(" OR ", " AND ").split(" AND "))
        assert names <= PERMISSIVE | {KNOWN.get(each.name, "")} or each.name.startswith("nvidia-"), each


@pytest.mark.parametrize(
    ("fields", "license_name"),
    [
        ({"License-Expression": "MIT", "License": "GPL"}, "MIT"),
        ({"License": "UNKNOWN", "Classifier": "License :: OSI Approved :: ISC License (ISCL)"}, "ISC"),
        ({"License": "Copyright 2020\n" * 9, "Classifier": "License :: OSI Approved :: MIT License"}, "MIT"),
        ({"Classifier": "Typing :: Typed"}, ""),
    ],
)
def test_the_newest_field_of_the_metadata_counts(fields: dict[str, str], license_name: str, tmp_path: Path) -> None:
    indented = {name: content.replace("\n", "\n ") for name, content in fields.items()}
    (tmp_path / "METADATA").write_text("".join(f"{name}: {content}\n" for name, content in indented.items()))
    assert stated_license(PathDistribution(tmp_path).metadata) == license_name
