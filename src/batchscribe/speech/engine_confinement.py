"""What an engine's process gives up: it keeps the files that it reads, threads, and the GPU where it uses one."""

from __future__ import annotations

import os
import resource
import sys
import sysconfig
from pathlib import Path

import batchscribe
from batchscribe.children.layers import ALL_LAYERS, Layer, Needs, take_on
from batchscribe.children.privileges import forget_environment
from batchscribe.speech.engine import EngineSpec

#: The variables that an engine keeps begin like this. All others may hold credentials.
KEPT_VARIABLES = (
    "CT2_", "CUDA_", "CUDNN_", "KMP_", "LANG", "LC_", "LD_LIBRARY_PATH", "MKL_", "NVIDIA_", "OMP_", "OPENBLAS_",
    "PYTHON", "TZ",
)  # fmt: skip
#: One thread for each process: the pool has one process for each core.
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
#: Libraries, and what they look up about the machine.
SYSTEM_FILES = (
    "/lib", "/lib32", "/lib64", "/usr", "/etc/ld.so.cache", "/etc/localtime", "/dev/null", "/dev/urandom",
    "/dev/zero", "/proc/cpuinfo", "/proc/meminfo", "/proc/self", "/proc/stat", "/proc/sys/vm", "/sys/devices/system",
    "/sys/fs/cgroup",
)  # fmt: skip
#: What NVIDIA's driver reads besides.
DRIVER_FILES = (
    "/etc/nvidia", "/proc/devices", "/proc/driver", "/proc/modules", "/sys/bus/pci", "/sys/class", "/sys/devices",
    "/sys/module",
)  # fmt: skip
#: CUDA names its threads, in files of /proc that are this process's own, and does not start where it cannot.
OWN_PROCESS = (Path("/proc/self"),)
#: In /dev; the last are those of boards and of Windows.
GPU_DEVICES = ("nvidia*", "nvhost*", "nvmap", "dxg")


def confine(spec: EngineSpec, layers: frozenset[Layer] = ALL_LAYERS) -> None:
    """For good, and before the model is loaded."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    take_on(needs_of(spec), layers)


def needs_of(spec: EngineSpec) -> Needs:
    uses_gpu = spec.device == "cuda"
    system = (*SYSTEM_FILES, *DRIVER_FILES) if uses_gpu else SYSTEM_FILES
    return Needs(
        reads=(*map(Path, system), *_python(), *_libraries(), *spec.reads()),
        writes=(*spec.writes(), *(OWN_PROCESS if uses_gpu else ())),
        devices=tuple(path for name in GPU_DEVICES for path in Path("/dev").glob(name)) if uses_gpu else (),
        is_program=True,
        local_sockets=uses_gpu,
    )


def set_environment() -> None:
    """No credentials, and one thread in each numeric library."""
    forget_environment(frozenset(name for name in os.environ if name.startswith(KEPT_VARIABLES)))
    for name in THREAD_VARIABLES:
        os.environ[name] = "1"


def _python() -> set[Path]:
    """Python, the packages, and batchscribe, wherever they are installed."""
    installed = sysconfig.get_paths()
    folders = {Path(installed[name]) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    return folders | {Path(sys.base_prefix) / "lib", Path(batchscribe.__file__).parent}


def _libraries() -> set[Path]:
    return {Path(folder) for folder in os.environ.get("LD_LIBRARY_PATH", "").split(":") if Path(folder).is_absolute()}
