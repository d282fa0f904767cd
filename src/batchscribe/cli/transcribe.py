"""`batchscribe transcribe`: recordings in, transcripts out, in this process and as one durable job."""

from __future__ import annotations

from typing import Annotated

import typer

from batchscribe.cli.choices import Format, Layout, Segmentation
from batchscribe.cli.options import (
    DataDir,
    Language,
    LanguageDetection,
    S3AllowHttp,
    S3Endpoint,
    S3PathStyle,
    S3Region,
    Workers,
    language_fields,
    settings_of,
)


def transcribe(
    inputs: Annotated[
        list[str], typer.Argument(metavar="INPUT", help="Files, folders, quoted globs, file:// and s3:// URIs.")
    ],
    output: Annotated[
        str | None, typer.Option("--output", "-o", help="Folder, file or s3:// URI for the transcripts.")
    ] = None,
    layout: Annotated[
        Layout | None,
        typer.Option(
            help="adjacent: next to each recording; prefix: below --output, with the input's folders; "
            "single: --output is the transcript. By default inferred from --output.",
            show_default=False,
        ),
    ] = None,
    include: Annotated[
        list[str] | None,
        typer.Option(help="In folders and prefixes, take only files that match this glob. Repeatable."),
    ] = None,
    exclude: Annotated[list[str] | None, typer.Option(help="Exclude files that match this glob. Repeatable.")] = None,
    language: Language = None,
    language_detection: LanguageDetection = None,
    words: Annotated[bool, typer.Option("--words", help="Write word times.")] = False,
    channels: Annotated[bool, typer.Option("--channels", help="Transcribe each channel separately.")] = False,
    segmentation: Annotated[
        Segmentation, typer.Option(help="auto: transcribe only detected speech; none: everything.")
    ] = Segmentation.AUTO,
    output_format: Annotated[Format, typer.Option("--format", help="Format of the transcripts.")] = Format.JSON,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace existing transcripts.")] = False,
    engine: Annotated[
        str | None,
        typer.Option(
            help="auto, pocketsphinx or whisper. By default auto: the best one available.", show_default=False
        ),
    ] = None,
    workers: Workers = None,
    data_dir: DataDir = None,
    s3_endpoint: S3Endpoint = None,
    s3_region: S3Region = None,
    s3_path_style: S3PathStyle = None,
    s3_allow_http: S3AllowHttp = None,
) -> None:
    """Transcribe recordings: WAV, MP3, M4A and MP4.

    The work is a durable job. After Ctrl-C or a crash, run the same command again, or `batchscribe jobs resume JOB`, to
    continue where it stopped. S3 keys come from AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN.

    Progress goes to standard error, the summary to standard output. Exit status: 0 all files succeeded or were skipped,
    1 some failed, 2 invalid command, 130 interrupted.
    """
    settings = settings_of(
        data_dir=data_dir,
        workers=workers,
        engine=engine,
        s3_endpoint=s3_endpoint,
        s3_region=s3_region,
        s3_path_style=s3_path_style,
        s3_allow_http=s3_allow_http,
    )
    from batchscribe.cli.inputs import Filters
    from batchscribe.cli.submission import S3_PLACE, Wanted, submission_of  # here, so that `--help` comes at once
    from batchscribe.cli.work import run_submission

    wanted = Wanted(
        inputs=tuple(inputs),
        output=output,
        layout=layout,
        filters=Filters(tuple(include or ()), tuple(exclude or ())),
        language=language_fields(language, language_detection),
        words=words,
        channels=channels,
        segmentation=segmentation,
        output_format=output_format,
        overwrite=overwrite,
        engine=settings.engine,
        s3={name: getattr(settings, name) for name in S3_PLACE},
    )
    raise typer.Exit(run_submission(submission_of(wanted), settings))
