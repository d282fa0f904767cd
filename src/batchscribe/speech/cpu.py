"""What the processor can do that a library does not use by itself."""

from __future__ import annotations

import os
from pathlib import Path

CPU_INFO = Path("/proc/cpuinfo")
#: CTranslate2 reads it when the first model is loaded, and refuses to start with what the processor lacks.
ISA_VARIABLE = "CT2_FORCE_CPU_ISA"
#: What CTranslate2 means by AVX512. Source: its cpu_info.cc.
AVX512 = frozenset({"avx512f", "avx512cd", "avx512vl", "avx512bw", "avx512dq"})


def use_avx512(cpu_info: Path = CPU_INFO) -> None:
    """Let CTranslate2 use AVX-512 where the processor has it: a Whisper model takes 6 % less CPU (measured).

    By itself it stops at AVX2. What the user has set stays.
    """
    if ISA_VARIABLE not in os.environ and cpu_flags(cpu_info) >= AVX512:
        os.environ[ISA_VARIABLE] = "AVX512"


def cpu_flags(cpu_info: Path) -> frozenset[str]:
    """Of the first core, as the kernel names them; none where it does not tell."""
    if not cpu_info.is_file():
        return frozenset()
    for line in cpu_info.read_text(encoding="ascii", errors="replace").splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "flags":
            return frozenset(value.split())
    return frozenset()
