"""The confinement of an engine process. It keeps access to the files it needs, to threads, and to the GPU if used."""

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

#: Prefixes of the variables that an engine keeps. All others may contain credentials.
KEPT_VARIABLES = (
    "CT2_", "CUDA_", "CUDNN_", "KMP_", "LANG", "LC_", "LD_LIBRARY_PATH", "MKL_", "NVIDIA_", "OMP_", "OPENBLAS_",
    "PYTHON", "TZ",
)  # fmt: skip
#: One thread for each process: the pool has one process for each core.
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
#: Libraries and the machine information that they read.
SYSTEM_FILES = (
    "/lib", "/lib32", "/lib64", "/usr", "/etc/ld.so.cache", "/etc/localtime", "/dev/null", "/dev/urandom",
    "/dev/zero", "/proc/cpuinfo", "/proc/meminfo", "/proc/self", "/proc/stat", "/proc/sys/vm", "/sys/devices/system",
    "/sys/fs/cgroup",
)  # fmt: skip
#: Additional files for NVIDIA's driver.
DRIVER_FILES = (
    "/etc/nvidia", "/proc/devices", "/proc/driver", "/proc/modules", "/sys/bus/pci", "/sys/class", "/sys/devices",
    "/sys/module",
)  # fmt: skip
#: CUDA writes the names of its threads to files in /proc/self. Without write access, it does not start.
OWN_PROCESS = (Path("/proc/self"),)
#: In /dev; all but the first are for embedded boards and Windows.
GPU_DEVICES = ("nvidia*", "nvhost*", "nvmap", "dxg")


def confine(spec: EngineSpec, layers: frozenset[Layer] = ALL_LAYERS) -> None:
    """Confine this process permanently. Call it before the model is loaded."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    take_on(needs_of(spec), layers)


def needs_of(spec: EngineSpec) -> Needs:
    uses_gpu = spec.is_on_gpu
    system = (*SYSTEM_FILES, *DRIVER_FILES) if uses_gpu else SYSTEM_FILES
    return Needs(
        reads=(*map(Path, system), *_python(), *_libraries(), *_package_of(spec), *spec.reads()),
        writes=(*spec.writes(), *(OWN_PROCESS if uses_gpu else ())),
        devices=tuple(path for name in GPU_DEVICES for path in Path("/dev").glob(name)) if uses_gpu else (),
        is_program=True,
        local_sockets=uses_gpu,
    )


def set_environment() -> None:
    """Remove credentials from the environment, and set one thread for each numeric library."""
    forget_environment(frozenset(name for name in os.environ if name.startswith(KEPT_VARIABLES)))
    for name in THREAD_VARIABLES:
        os.environ[name] = "1"


def _python() -> set[Path]:
    """Return the folders of Python, the packages and batchscribe."""
    installed = sysconfig.get_paths()
    folders = {Path(installed[name]) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    return folders | {Path(sys.base_prefix) / "lib", Path(batchscribe.__file__).parent}


def _package_of(spec: EngineSpec) -> tuple[Path, ...]:
    """Return the package, or the module, that defines the engine. It may be elsewhere if it is installed editable."""
    package = sys.modules[type(spec).__module__.partition(".")[0]]
    return tuple(map(Path, getattr(package, "__path__", None) or (package.__file__ or "/dev/null",)))


def _libraries() -> set[Path]:
    return {Path(folder) for folder in os.environ.get("LD_LIBRARY_PATH", "").split(":") if Path(folder).is_absolute()}
