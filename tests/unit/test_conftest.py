"""The harness itself: on CI nothing is skipped in silence."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.documents import ROOT


def run_tests(folder: Path, code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run one test file under a copy of our conftest, in a folder that has no corpus beside it."""
    tests = folder / "checkout" / "tests"
    tests.mkdir(parents=True)
    shutil.copy(ROOT / "tests" / "conftest.py", tests)
    (tests / "test_it.py").write_text("import os, pytest\n" + code)
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--rootdir", str(tests), str(tests)]
    without_ci = {name: value for name, value in os.environ.items() if name != "CI"}
    return subprocess.run(
        command, cwd=tests, env=without_ci | environment, capture_output=True, text=True, check=False, timeout=60
    )


NEEDS_CORPUS = "def test_it(corpus): pass\n"


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


def test_a_skipped_test_is_fine_elsewhere(tmp_path: Path) -> None:
    result = run_tests(tmp_path, NEEDS_CORPUS)
    assert result.returncode == pytest.ExitCode.OK


def test_a_test_for_another_python_may_be_skipped_on_ci(tmp_path: Path) -> None:
    result = run_tests(tmp_path, "def test_it(): pytest.skip('not on this Python: no wheel')\n", CI="true")
    assert result.returncode == pytest.ExitCode.OK


def test_tests_see_no_setting_of_the_person_who_runs_them(tmp_path: Path) -> None:
    code = "def test_it(): assert 'BATCHSCRIBE_ENGINE' not in os.environ\n"
    result = run_tests(tmp_path, code, BATCHSCRIBE_ENGINE="whisper")
    assert result.returncode == pytest.ExitCode.OK
