"""AVX-512 is used if the processor has all of it and the environment does not disable it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from batchscribe.speech.whisper_model import ISA_VARIABLE, cpu_flags, use_avx512

FULL = "fpu sse4_1 avx avx2 avx512f avx512dq avx512cd avx512bw avx512vl avx512_vnni"


@pytest.fixture(autouse=True)
def _unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ISA_VARIABLE, "")  # so that it is restored at the end
    monkeypatch.delenv(ISA_VARIABLE)


def cpu_info(folder: Path, flags: str) -> Path:
    path = folder / "cpuinfo"
    path.write_text(f"processor\t: 0\nmodel name\t: Some CPU\nflags\t\t: {flags}\nbugs\t\t: none\n")
    return path


def test_a_processor_that_has_it_uses_it(tmp_path: Path) -> None:
    use_avx512(cpu_info(tmp_path, FULL))
    assert os.environ[ISA_VARIABLE] == "AVX512"


@pytest.mark.parametrize("lacking", ["avx512f", "avx512cd", "avx512vl", "avx512bw", "avx512dq"])
def test_a_processor_that_lacks_a_part_of_it_is_left_alone(tmp_path: Path, lacking: str) -> None:
    use_avx512(cpu_info(tmp_path, FULL.replace(f"{lacking} ", "")))
    assert ISA_VARIABLE not in os.environ


def test_what_the_user_chose_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ISA_VARIABLE, "GENERIC")
    use_avx512(cpu_info(tmp_path, FULL))
    assert os.environ[ISA_VARIABLE] == "GENERIC"


def test_a_kernel_without_these_values_causes_no_error(tmp_path: Path) -> None:
    assert cpu_flags(tmp_path / "missing") == cpu_flags(cpu_info(tmp_path, "")) == frozenset()
    use_avx512(tmp_path / "missing")
    assert ISA_VARIABLE not in os.environ
