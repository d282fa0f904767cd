"""The licenses of all pinned packages: `python -m tests.licenses` writes `docs/licenses.md`."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageMetadata, PackageNotFoundError, distribution
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.built import CONSTRAINTS
from tests.documents import ROOT, table_rows

PAGE = ROOT / "docs" / "licenses.md"
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
VENDORED = ROOT / "src" / "batchscribe" / "web" / "static" / "vendor" / "README.md"
HEAD = """# Licenses

Every pinned package that can be installed on Linux, and the JavaScript of the pages, with the license that its metadata
states. [Dependencies](dependencies.md) explains the direct ones, and what to know before you distribute an image.
`make licenses` writes this page. `make sbom` writes a CycloneDX file with the packages of an installation.

"""
ROW = "| {} | {} | {} |"
#: SPDX identifiers of what older metadata says, in lower case and without "license".
IDENTIFIERS = {
    "3-clause bsd": "BSD-3-Clause",
    "apache": "Apache-2.0",
    "apache 2.0": "Apache-2.0",
    "apache software": "Apache-2.0",
    "bsd-3": "BSD-3-Clause",
    "bsd 2-clause": "BSD-2-Clause",
    "bsd 3-clause": "BSD-3-Clause",
    "isc (iscl)": "ISC",
    "mozilla public 2.0 (mpl 2.0)": "MPL-2.0",
    "psfl": "PSF-2.0",
    "python software foundation": "PSF-2.0",
}
#: From the license file of a package whose metadata names no license, or only a family, or that is not installed here.
READ = {
    "axe-playwright-python": "MIT",
    "jinja2": "BSD-3-Clause",
    "locate": "MIT",
    "nvidia-cublas-cu12": "LicenseRef-NVIDIA-Proprietary",
    "nvidia-cuda-nvrtc-cu12": "LicenseRef-NVIDIA-Proprietary",
    "pocketsphinx": "BSD-2-Clause",
    "promql-parser": "MIT",
    "pyannote-core": "MIT",
    "pyannote-database": "MIT",
    "pyannote-metrics": "MIT",
    "python-dateutil": "Apache-2.0 OR BSD-3-Clause",
}
#: What a package needs that is not installed here.
NEEDS = {"nvidia-cublas-cu12": ["nvidia-cuda-nvrtc-cu12"]}
LONGEST = 60  #: characters of an identifier; longer fields contain the whole license


@dataclass(frozen=True, slots=True)
class Licensed:
    """A package, its license, and what installs it: `run time`, an extra, or `development`."""

    name: str
    license: str
    use: str


def page() -> str:
    rows = [ROW.format(each.name, each.license, each.use) for each in licensed_packages()]
    scripts = [ROW.format(name, license_name, "the pages") for name, license_name in vendored_packages()]
    lines = [ROW.format("Package", "License", "Installed for"), "|---|---|---|", *rows, *scripts]
    return HEAD + "\n".join(lines) + "\n"


def licensed_packages() -> list[Licensed]:
    uses: dict[str, str] = {}
    for extra in PROJECT["optional-dependencies"]:
        uses |= dict.fromkeys(needed_by(PROJECT["name"], extra), f"`{extra}`")
    uses |= dict.fromkeys(needed_by(PROJECT["name"]), "run time")
    return [Licensed(name, license_of(name), uses.get(name, "development")) for name in sorted(pinned())]


def vendored_packages() -> list[tuple[str, str]]:
    """Return the JavaScript packages in the wheel, such as `htmx.org 4.0.1`, and their licenses."""
    return sorted({(row[1], IDENTIFIERS.get(row[3].lower(), row[3])) for row in table_rows(VENDORED)})


def pinned() -> set[str]:
    """Return the packages that are pinned for some version of Python on Linux."""
    lines = (line for line in CONSTRAINTS.read_text().splitlines() if not line.lstrip().startswith("#"))
    pins = ((canonicalize_name(pin.name), pin.marker) for pin in map(Requirement, lines))
    return {name for name, marker in pins if marker is None or any(map(marker.evaluate, machines()))}


def machines() -> Iterator[dict[str, str]]:
    for version in ("3.11", "3.12", "3.13", "3.14"):
        python = {"python_version": version, "python_full_version": f"{version}.0"}
        yield python | {"sys_platform": "linux", "platform_machine": "x86_64"}


def needed_by(package: str, extra: str = "") -> set[str]:
    """Return the names of the packages that it needs, directly or not, on this Python."""
    seen: set[tuple[str, str]] = set()
    waiting = [(package, extra)]
    while waiting:
        wanted = waiting.pop()
        if wanted not in seen:
            seen.add(wanted)
            waiting += needs(*wanted)
    return {name for name, _ in seen} - {package}


def needs(package: str, extra: str) -> Iterator[tuple[str, str]]:
    for need in map(Requirement, stated_needs(package, extra)):
        if need.marker is None or need.marker.evaluate({"extra": extra}):
            name = canonicalize_name(need.name)
            yield from ((name, each) for each in ("", *need.extras))


def stated_needs(package: str, extra: str) -> list[str]:
    if package == PROJECT["name"]:  # not its metadata, which may be from before a change
        own: list[str] = PROJECT["optional-dependencies"][extra] if extra else PROJECT["dependencies"]
        return own
    try:
        return distribution(package).requires or []
    except PackageNotFoundError:
        return NEEDS.get(package, [])


def license_of(package: str) -> str:
    """Return the license. A package that is not installed on this Python keeps the one that the page states."""
    if package in READ:
        return READ[package]
    try:
        return stated_license(distribution(package).metadata) or "unknown"
    except PackageNotFoundError:
        return dict(row[:2] for row in table_rows(PAGE)).get(package, "unknown")


def stated_license(metadata: PackageMetadata) -> str:
    """Return what the metadata of a package state, newest field first; empty if they state nothing usable."""
    (expression,), (field,) = metadata.get_all("License-Expression", [""]), metadata.get_all("License", [""])
    classifiers = [each for each in metadata.get_all("Classifier", []) if each.startswith("License ::")]
    families = [each.split(" :: ")[-1] for each in classifiers if not each.endswith("DFSG approved")]
    short = [] if len(field) > LONGEST or "\n" in field or field == "UNKNOWN" else [field]
    for stated in filter(None, (expression, *short, *families)):
        plain = re.sub(r"(?i)\s*licen[sc]e\b", "", stated).strip()
        return IDENTIFIERS.get(plain.lower(), plain)
    return ""


if __name__ == "__main__":
    PAGE.write_text(page())
