"""What --language and --language-detection mean, for both commands that have them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from batchscribe.cli.inputs import Filters
from batchscribe.cli.job_request import JobOptions, job_request
from batchscribe.cli.options import language_fields
from batchscribe.cli.submission import Wanted, submission_of
from batchscribe.wire.choices import DetectionMode, OutputFormat, SegmentationMode
from batchscribe.wire.config import DEFAULT_LANGUAGE, Config
from batchscribe.wire.request import parse_job_request
from tests.recordings import write_wav

CASES: list[tuple[str | None, DetectionMode | None, str, DetectionMode | None]] = [
    (None, None, DEFAULT_LANGUAGE, None),
    ("de-DE", None, "de-DE", None),
    ("auto", None, DEFAULT_LANGUAGE, DetectionMode.ONCE),
    (" AUTO ", None, DEFAULT_LANGUAGE, DetectionMode.ONCE),
    ("auto", DetectionMode.CONTINUOUS, DEFAULT_LANGUAGE, DetectionMode.CONTINUOUS),
    (None, DetectionMode.ONCE, DEFAULT_LANGUAGE, DetectionMode.ONCE),
    (None, DetectionMode.CONTINUOUS, DEFAULT_LANGUAGE, DetectionMode.CONTINUOUS),
    ("de-DE", DetectionMode.CONTINUOUS, "de-DE", DetectionMode.CONTINUOUS),
]


def config_of_transcribe(folder: Path, said: dict[str, Any]) -> Config:
    wanted = Wanted(
        inputs=(str(write_wav(folder / "call.wav")),),
        output=None,
        layout=None,
        filters=Filters((), ()),
        language=said,
        words=False,
        channels=False,
        segmentation=SegmentationMode.AUTO,
        output_format=OutputFormat.JSON,
        overwrite=False,
        engine="auto",
        s3={},
    )
    return submission_of(wanted).config


def config_of_submit(_: Path, said: dict[str, Any]) -> Config:
    """As the server reads it."""
    options = JobOptions(inputs=("s3://calls/a.wav",), output="s3://out/", language=said)
    return parse_job_request(job_request(options, webhook_secret=None)).config


@pytest.mark.parametrize("config_of", [config_of_transcribe, config_of_submit])
@pytest.mark.parametrize(("language", "detection", "meant", "mode"), CASES)
def test_the_language_is_named_or_detected_as_the_options_say(
    tmp_path: Path,
    config_of: Any,
    language: str | None,
    detection: DetectionMode | None,
    meant: str,
    mode: DetectionMode | None,
) -> None:
    config = config_of(tmp_path, language_fields(language, detection))
    assert (config.language, config.detection_mode) == (meant, mode)
