"""The devices on which models run: the CPU, or NVIDIA GPUs by number."""

from __future__ import annotations

import re

from batchscribe.errors import InvalidSetting

CPU, CUDA = "cpu", "cuda"
_GPU = re.compile(r"cuda:(0|[1-9][0-9]?)")


def find_devices(setting: str) -> tuple[str, ...]:
    """Return the devices of `BATCHSCRIBE_DEVICE`: `("cpu",)`, or GPUs such as `("cuda:0", "cuda:1")`.

    If no GPU is found, `cuda` stands for the first one, and loading a model on it reports what is wrong. Raises
    `InvalidSetting`.
    """
    if setting == CPU:
        return (CPU,)
    if setting in ("auto", CUDA):
        gpus = tuple(f"{CUDA}:{number}" for number in range(_count_gpus()))
        return gpus or ((CPU,) if setting == "auto" else (f"{CUDA}:0",))
    names = tuple(name.strip() for name in setting.split(","))
    if not all(_GPU.fullmatch(name) for name in names) or len(set(names)) < len(names):
        raise InvalidSetting(
            f"BATCHSCRIBE_DEVICE: {setting!r} is not auto, cpu, cuda, or different GPUs such as cuda:0,cuda:1."
        )
    return names


def kind_of(device: str) -> str:
    """Return `cpu` or `cuda`."""
    return device.partition(":")[0]


def number_of(device: str) -> int:
    """Return the number of a GPU among those that the process can see; 0 for other devices."""
    return int(device.partition(":")[2] or 0)


def _count_gpus() -> int:
    import ctranslate2  # not loaded unless a model needs it

    return int(ctranslate2.get_cuda_device_count())
