"""The setting `BATCHSCRIBE_DEVICE`."""

from __future__ import annotations

import ctranslate2
import pytest

from batchscribe.errors import InvalidSetting
from batchscribe.speech.devices import find_devices, kind_of, number_of


@pytest.mark.parametrize(
    ("setting", "gpus", "devices"),
    [
        ("cpu", 2, ("cpu",)),
        ("auto", 0, ("cpu",)),
        ("auto", 2, ("cuda:0", "cuda:1")),
        ("cuda", 2, ("cuda:0", "cuda:1")),
        ("cuda", 0, ("cuda:0",)),
        ("cuda:1", 2, ("cuda:1",)),
        ("cuda:10, cuda:3", 0, ("cuda:10", "cuda:3")),
    ],
)
def test_the_setting_selects_devices(
    monkeypatch: pytest.MonkeyPatch, setting: str, gpus: int, devices: tuple[str, ...]
) -> None:
    monkeypatch.setattr(ctranslate2, "get_cuda_device_count", lambda: gpus)
    assert find_devices(setting) == devices


@pytest.mark.parametrize("setting", ["", "tpu", "cuda:", "cuda:x", "cuda:01", "cpu,cuda:0", "cuda:0,cuda:0", "cuda:0,"])
def test_an_invalid_setting_is_refused(setting: str) -> None:
    with pytest.raises(InvalidSetting, match=r"BATCHSCRIBE_DEVICE: .* such as cuda:0,cuda:1"):
        find_devices(setting)


def test_a_device_has_a_kind_and_a_number() -> None:
    assert [(kind_of(each), number_of(each)) for each in ("cpu", "cuda", "cuda:12")] == [
        ("cpu", 0),
        ("cuda", 0),
        ("cuda", 12),
    ]
