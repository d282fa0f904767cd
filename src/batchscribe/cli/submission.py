"""The command's words as a job to be submitted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from batchscribe.cli.credentials import credentials_of_environment, needs_credentials
from batchscribe.cli.inputs import Filters, read_inputs
from batchscribe.cli.options import Layout
from batchscribe.cli.outputs import output_root, read_output
from batchscribe.intake.submission import Submission, new_job_id
from batchscribe.wire.choices import OutputFormat, SegmentationMode
from batchscribe.wire.config import Config
from batchscribe.wire.refusals import refused

TENANT = "default"
#: Settings that say where S3 is. They go with the job, so that resuming it needs none of the options again.
S3_PLACE = ("s3_endpoint", "s3_region", "s3_path_style", "s3_allow_http")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the options of `transcribe` said."""

    inputs: tuple[str, ...]
    output: str | None
    layout: Layout | None
    filters: Filters
    language: Mapping[str, Any]  #: as `language_fields` returns it
    words: bool
    channels: bool
    segmentation: SegmentationMode
    output_format: OutputFormat
    overwrite: bool
    engine: str
    s3: Mapping[str, Any]  #: where S3 is: the settings named in `S3_PLACE`


def submission_of(wanted: Wanted) -> Submission:
    """A job in a lane of its own, so that no other command works on it. Raises `UsageError`, `InvalidRequest`."""
    inputs = read_inputs(wanted.inputs, wanted.filters)
    output = read_output(wanted.output, wanted.layout, inputs, overwrite=wanted.overwrite)
    root = output_root(output)
    job_id = new_job_id()
    return Submission(
        job_id=job_id,
        lane=job_id,
        tenant=TENANT,
        input=inputs.echo,
        sources=inputs.sources,
        output=output,
        config=_config(wanted),
        engine=wanted.engine,
        file_roots=(*inputs.roots, *(() if root is None else (root,))),
        s3=wanted.s3,
        input_aws=credentials_of_environment() if needs_credentials(inputs.sources, output) else None,
    )


def _config(wanted: Wanted) -> Config:
    try:
        return Config(
            **wanted.language,
            word_time_offsets=wanted.words,
            channel_separation=wanted.channels,
            segmentation_mode=wanted.segmentation,
            output_format=wanted.output_format,
        )
    except ValidationError as error:
        raise refused(error) from None
