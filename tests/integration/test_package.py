"""The package as users get it: built, installed in an empty environment, and run without this checkout."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.parser import Parser
from pathlib import Path

import httpx2
import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packaging.utils import canonicalize_name

from tests.built import CONSTRAINTS, RUN_SEC, build, install, own_environment, run_uv
from tests.conftest import NOT_ON_THIS_PYTHON
from tests.documents import ROOT
from tests.sbom import SPEC_VERSION, bill_of_materials

pytestmark = pytest.mark.timeout(2 * RUN_SEC)
#: Its only extra that needs a compiler on some versions of Python.
COMPILED = "pocketsphinx"


@dataclass(frozen=True, slots=True)
class Installed:
    """The commands of an environment that has only the wheel and its dependencies."""

    commands: Path
    folder: Path

    def run(self, command: str, *words: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [self.commands / command, *words], cwd=self.folder, env=self.environment(), capture_output=True, text=True,
            timeout=150, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done

    def environment(self) -> dict[str, str]:
        return own_environment() | {"XDG_DATA_HOME": str(self.folder / "data")}

    @contextmanager
    def serving(self) -> Iterator[str]:
        """Yield the URL of its server, on a new database."""
        words = [str(self.commands / "batchscribe"), "serve", "--no-worker", "--port", "0"]
        environment = self.environment() | {"BATCHSCRIBE_AUTH": "off"}
        with subprocess.Popen(
            words, cwd=self.folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        ) as process:
            try:
                assert process.stdout is not None
                found = re.search(r"http://[\w.:]+", process.stdout.readline())
                assert found
                yield found[0]
            finally:
                process.terminate()
            assert process.wait(60) == 0


@pytest.fixture(scope="module")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The sdist, and the wheel that was built from it."""
    return build(ROOT, tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="module")
def wheel(distributions: tuple[Path, Path]) -> Path:
    return distributions[1]


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    folder = tmp_path_factory.mktemp("installed")
    return Installed(install(wheel, folder / "environment"), folder)


def source_files() -> set[str]:
    files = (path for path in (ROOT / "src").rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {str(path.relative_to(ROOT / "src")) for path in files}


def test_a_second_build_and_one_without_the_sdist_give_the_same_bytes(
    distributions: tuple[Path, Path], tmp_path: Path
) -> None:
    again = build(ROOT, tmp_path, "--sdist", "--wheel")
    assert [path.name for path in again] == [path.name for path in distributions]
    assert [path.read_bytes() for path in again] == [path.read_bytes() for path in distributions]


def test_the_wheel_contains_every_file_of_the_package_and_all_licenses(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    own = {name for name in names if ".dist-info/" not in name}
    assert own == source_files()
    assert "batchscribe/py.typed" in own
    licenses = {name.partition(".dist-info/licenses/")[2] for name in names} - {""}
    vendored = (ROOT / "src/batchscribe/web/static/vendor").glob("*.txt")
    assert licenses == {"LICENSE", *(str(path.relative_to(ROOT)) for path in vendored)}


def test_the_sdist_contains_what_the_images_are_built_from_and_neither_tests_nor_recordings(
    distributions: tuple[Path, Path],
) -> None:
    with tarfile.open(distributions[0]) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    copied = (ROOT / "deploy" / "Dockerfile.dockerignore").read_text()
    for name in re.findall(r"^!([\w.]+)$", copied, re.MULTILINE):
        assert name in names or any(each.startswith(f"{name}/") for each in names), name
    assert {"deploy/Dockerfile", "deploy/compose.yaml", "docs/deployment.md", "CHANGELOG.md"} <= names
    assert {name.split("/")[0] for name in names} <= {
        ".gitignore", "CHANGELOG.md", "LICENSE", "Makefile", "PKG-INFO", "README.md", "constraints.txt", "deploy",
        "docs", "pyproject.toml", "src",
    }  # fmt: skip


def test_the_installed_command_shows_its_version(installed: Installed, wheel: Path) -> None:
    assert installed.run("batchscribe", "--version").stdout == f"batchscribe {wheel.name.split('-')[1]}\n"


@pytest.mark.skipif(
    sys.version_info[:2] not in {(3, 11), (3, 13)}, reason=f"{NOT_ON_THIS_PYTHON}: the built-in engine has no wheel"
)
def test_the_installed_command_transcribes_with_the_built_in_engine(installed: Installed, examples: Path) -> None:
    recording = examples / "shopping.mp3"
    installed.run("batchscribe", "transcribe", str(recording), "--engine", "pocketsphinx", "--output", "out/")
    (written,) = (installed.folder / "out").glob("*.json")
    transcript = json.loads(written.read_text())
    assert len(transcript["result"]["text_display"].split()) > 10


def test_the_installed_server_makes_its_database_and_serves_every_page_and_file(installed: Installed) -> None:
    with installed.serving() as url, httpx2.Client(base_url=url, trust_env=False) as client:
        assert client.get("/readyz").status_code == 200
        for page in ("/", "/submit", "/search", "/usage", "/workers", "/docs"):
            answer = client.get(page, follow_redirects=True)
            assert answer.status_code == 200, page
            assert "</html>" in answer.text
        static = ROOT / "src" / "batchscribe" / "web" / "static"
        for path in static.rglob("*.*s"):
            assert client.get(f"/static/any/{path.relative_to(static)}").content == path.read_bytes(), path


def test_the_types_of_the_installed_package_are_seen(installed: Installed) -> None:
    script = installed.folder / "typed.py"
    script.write_text("import batchscribe\n\nnumber: int = batchscribe.__version__\n")
    python = installed.commands / "python"
    words = [sys.executable, "-m", "mypy", "--no-incremental", "--python-executable", str(python), str(script)]
    done = subprocess.run(
        words, cwd=installed.folder, env=own_environment(), capture_output=True, text=True, check=False
    )
    assert 'expression has type "str", variable has type "int"' in done.stdout


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13"])
def test_the_wheel_and_its_extras_need_no_compiler(version: str, wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        metadata = Parser().parsestr(archive.read(name).decode())
    extras = set(metadata.get_all("Provides-Extra", []))
    assert extras >= {"cuda", "onnx", "otel", "speakers", COMPILED}
    wanted = f"batchscribe[{','.join(sorted(extras - {COMPILED}))}] @ {wheel.as_uri()}\n"
    options = ("--only-binary", ":all:", "--python-version", version, "--no-header", "--no-annotate")
    resolved = run_uv("pip", "compile", "-", "-c", str(CONSTRAINTS), *options, given=wanted)
    names = {line.split("==")[0] for line in resolved.splitlines() if "==" in line}
    assert {"onnx-asr", "onnx", "nvidia-cublas-cu12"} <= names
    assert names.isdisjoint({"torch", "onnxruntime-gpu"})
    assert (COMPILED in names) is (version != "3.12")


def test_the_extra_cuda_has_the_libraries_that_ctranslate2_loads(installed: Installed) -> None:
    (library,) = installed.commands.parent.glob("lib/python3*/site-packages/ctranslate2.libs/libctranslate2*")
    loaded = set(re.findall(rb"\blib(?:cu|nv)\w+\.so\.\d+", library.read_bytes()))
    assert loaded - {b"libcuda.so.1"} == {b"libcublas.so.12"}  # the first belongs to the driver


def test_the_bill_of_materials_is_valid_and_lists_all_that_is_installed_with_licenses(
    installed: Installed, wheel: Path
) -> None:
    bill = bill_of_materials(wheel, installed.commands)
    validator = JsonStrictValidator(SchemaVersion.from_version(SPEC_VERSION))
    assert validator.validate_str(json.dumps(bill)) is None
    root, components = bill["metadata"]["component"], bill["components"]
    assert (root["name"], root["version"]) == ("batchscribe", wheel.name.split("-")[1])
    frozen = run_uv("pip", "freeze", "--python", str(installed.commands / "python"))
    expected = {line for line in frozen.splitlines() if "==" in line}
    listed = {f"{canonicalize_name(each['name'])}=={each['version']}" for each in components if "pypi" in each["purl"]}
    assert listed == expected
    scripts = {each["purl"].partition("@")[0] for each in components if "npm" in each["purl"]}
    assert scripts == {"pkg:npm/htmx.org", "pkg:npm/swagger-ui-dist", "pkg:npm/wavesurfer.js"}
    assert [each["name"] for each in components if not each["licenses"]] == []
