"""The harness: on CI no test is skipped silently, and tests that share a server stay together."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.documents import ROOT
from tests.scheduling import group_of


def run_tests(
    folder: Path, code: str, *options: str, names: Sequence[str] = ("test_it.py",), **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run test files of the same content under a copy of our conftest, in a folder that has no corpus beside it."""
    tests = folder / "checkout" / "tests"
    tests.mkdir(parents=True)
    shutil.copy(ROOT / "tests" / "conftest.py", tests)
    for name in names:
        (tests / name).write_text("import os, pytest\n" + code)
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--rootdir", str(tests), str(tests), *options]
    kept = {name: value for name, value in os.environ.items() if name != "CI"}
    quick = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_PLUGINS": "xdist.plugin", "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        command, cwd=tests, env=kept | quick | environment, capture_output=True, text=True, check=False, timeout=120
    )


NEEDS_CORPUS = "def test_it(corpus): pass\n"
SEVERAL = ("--numprocesses", "2")


def test_a_skipped_test_fails_the_run_on_ci_and_is_named(tmp_path: Path) -> None:
    result = run_tests(tmp_path, NEEDS_CORPUS, CI="true")
    assert result.returncode == pytest.ExitCode.TESTS_FAILED
    assert "skipped, which fails the run on CI" in result.stdout
    assert "test_it.py::test_it: no corpus of recordings at" in result.stdout
    assert "1 skipped" in result.stdout.splitlines()[-1]


def test_a_file_that_is_skipped_whole_fails_the_run_on_ci(tmp_path: Path) -> None:
    result = run_tests(tmp_path, "pytest.skip('no reason', allow_module_level=True)\n", CI="true")
    assert "test_it.py: no reason" in result.stdout
    assert result.returncode != pytest.ExitCode.OK


def test_a_test_that_another_process_skips_fails_the_run_on_ci_too(tmp_path: Path) -> None:
    result = run_tests(tmp_path, NEEDS_CORPUS, *SEVERAL, CI="true")
    assert result.returncode == pytest.ExitCode.TESTS_FAILED
    assert "test_it.py::test_it: no corpus of recordings at" in result.stdout


def test_files_are_shared_out_whole_and_those_on_postgresql_apart(tmp_path: Path) -> None:
    code = """
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
@pytest.mark.parametrize("number", range(3))
def test_it(kind, number): pass
"""
    result = run_tests(tmp_path, code, *SEVERAL, "-v", names=("test_a.py", "test_b.py"))
    told = re.findall(r"\[(gw\d)\] .* PASSED (test_\w\.py)::test_it\[\d-(\w+)\]", result.stdout)
    assert len(told) == 2 * 2 * 3, result.stdout
    for group in {(name, kind) for _, name, kind in told}:
        assert len({process for process, *of in told if tuple(of) == group}) == 1, group


def test_the_tests_of_the_browser_stay_together() -> None:
    one, other = ("tests/browser/test_keys_page.py::test_it", "tests/browser/test_search_page.py::test_it[dark]")
    assert group_of(one) == group_of(other) != group_of("tests/unit/test_keys_page.py::test_it")


def test_the_tests_of_the_contract_stay_together_by_the_kind_of_their_database() -> None:
    one, other = (f"tests/contract/test_{name}.py::test_it[{{}}-1]" for name in ("auth", "cancel"))
    assert group_of(one.format("sqlite")) == group_of(other.format("sqlite"))
    assert group_of(one.format("postgresql")) == group_of(other.format("postgresql"))
    assert group_of(one.format("sqlite")) != group_of(one.format("postgresql"))


def test_a_skipped_test_is_fine_elsewhere(tmp_path: Path) -> None:
    result = run_tests(tmp_path, NEEDS_CORPUS)
    assert result.returncode == pytest.ExitCode.OK


def test_a_test_for_another_python_may_be_skipped_on_ci(tmp_path: Path) -> None:
    result = run_tests(tmp_path, "def test_it(): pytest.skip('not on this Python: no wheel')\n", CI="true")
    assert result.returncode == pytest.ExitCode.OK


def test_tests_do_not_use_the_settings_of_the_person_who_runs_them(tmp_path: Path) -> None:
    code = "def test_it(): assert 'BATCHSCRIBE_ENGINE' not in os.environ\n"
    result = run_tests(tmp_path, code, BATCHSCRIBE_ENGINE="whisper")
    assert result.returncode == pytest.ExitCode.OK
