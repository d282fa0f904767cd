"""The conversion of pulled files into the files that are loaded, with a record of both."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from batchscribe.models.folders import remove_folder
from batchscribe.models.known import KnownModel
from batchscribe.models.model_files import hash_file, report_os_errors
from batchscribe.models.model_format import Conversion, ModelFormat
from batchscribe.models.origin import Origin
from batchscribe.models.pull_progress import PullProgress

CONVERTED = "converted"  #: name of the folder with the results until they are complete


def conversion_of(model: KnownModel, formats: Sequence[ModelFormat]) -> Conversion | None:
    """Return the conversion of a known model; None if the published files are loaded unchanged."""
    return next((each.conversion for each in formats if model.name in each.known), None)


def convert_files(
    conversion: Conversion | None, fetched: Path, origin: Origin, part: Path, watch: PullProgress
) -> tuple[Path, Origin]:
    """Convert the files, unless no conversion is needed or another machine has done it.

    Returns their folder, and the origin with records of the published files and of the results. Raises `ModelDamaged`,
    `ModelNotPulled`, `ModelNotStored`.
    """
    if conversion is None or origin.sources:
        return fetched, origin
    conversion.check()
    converted = part / CONVERTED
    watch.step("Converting the model")
    with report_os_errors(converted):
        remove_folder(converted)
        converted.mkdir()
        conversion.convert(fetched, converted)
        files = {path.name: hash_file(path, watch) for path in sorted(converted.iterdir())}
    return converted, origin.model_copy(update={"files": files, "sources": origin.files})
