"""The bill of materials of an installation: `python -m tests.sbom` writes it to `dist`, beside sdist and wheel."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name, parse_wheel_filename

from tests.built import build, install, own_environment
from tests.documents import ROOT
from tests.licenses import license_of, vendored_packages

DIST = ROOT / "dist"
SPEC_VERSION = "1.6"


def bill_of_materials(wheel: Path, commands: Path) -> dict[str, Any]:
    """Return a CycloneDX document: the wheel, the packages installed with it, and the JavaScript in it."""
    words = ["--output-reproducible", "--pyproject", str(ROOT / "pyproject.toml"), "--spec-version", SPEC_VERSION]
    listed = subprocess.run(
        [sys.executable, "-m", "cyclonedx_py", "environment", *words, str(commands / "python")],
        env=own_environment(), capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    bill: dict[str, Any] = json.loads(listed)
    bill["metadata"]["component"]["version"] = str(parse_wheel_filename(wheel.name)[1])
    for component in bill["components"]:
        if "licenses" not in component:
            component["licenses"] = declared(license_of(canonicalize_name(component["name"])))
    bill["components"] += [script_component(*package) for package in vendored_packages()]
    return bill


def script_component(package: str, expression: str) -> dict[str, Any]:
    name, version = package.split()
    purl = f"pkg:npm/{name}@{version}"
    library = {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl}
    return library | {"licenses": declared(expression)}


def declared(expression: str) -> list[dict[str, str]]:
    return [{"expression": expression}]


def write_bill_of_materials() -> Path:
    shutil.rmtree(DIST, ignore_errors=True)  # it may contain another release
    _, wheel = build(ROOT, DIST)
    with tempfile.TemporaryDirectory() as folder:
        bill = bill_of_materials(wheel, install(wheel, Path(folder) / "environment"))
    path = DIST / f"batchscribe-{bill['metadata']['component']['version']}.cdx.json"
    path.write_text(json.dumps(bill, indent=2) + "\n")
    return path


if __name__ == "__main__":
    sys.stdout.write(f"{write_bill_of_materials()}\n")
