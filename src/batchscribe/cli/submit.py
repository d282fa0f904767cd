"""`batchscribe jobs submit`: give a server a job."""

from __future__ import annotations

from typing import Annotated

import typer

from batchscribe.cli.choices import Format, Layout, Segmentation
from batchscribe.cli.options import AsJson, Language, LanguageDetection, Server, language_fields, settings_of


def submit(
    inputs: Annotated[
        list[str] | None, typer.Argument(metavar="INPUT", help="s3://, file:// and https:// URIs, or local paths.")
    ] = None,
    output: Annotated[str | None, typer.Option("--output", "-o", help="URI for the transcripts.")] = None,
    layout: Annotated[
        Layout | None,
        typer.Option(
            help="adjacent: next to each recording; prefix: below --output; single: --output is the transcript. "
            "By default the server chooses.",
            show_default=False,
        ),
    ] = None,
    include: Annotated[list[str] | None, typer.Option(help="Take only files that match this glob. Repeatable.")] = None,
    exclude: Annotated[list[str] | None, typer.Option(help="Exclude files that match this glob. Repeatable.")] = None,
    language: Language = None,
    language_detection: LanguageDetection = None,
    words: Annotated[bool, typer.Option("--words", help="Write word times.")] = False,
    channels: Annotated[bool, typer.Option("--channels", help="Transcribe each channel separately.")] = False,
    segmentation: Annotated[
        Segmentation | None,
        typer.Option(help="auto: transcribe only detected speech; none: everything.", show_default=False),
    ] = None,
    output_format: Annotated[
        Format | None, typer.Option("--format", help="Format of the transcripts.", show_default=False)
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace existing transcripts.")] = False,
    reference_id: Annotated[str | None, typer.Option(help="Your own label for the job.", show_default=False)] = None,
    webhook_url: Annotated[
        str | None, typer.Option(help="URL that gets a webhook when the job ends.", show_default=False)
    ] = None,
    manifest: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Read the INPUTs from this file, one per line; - is standard input."),
    ] = None,
    request: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Send this JSON file as the job; - is standard input."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what the job would do.")] = False,
    idempotency_key: Annotated[
        str | None, typer.Option(help="The same key creates no second job within a day.", show_default=False)
    ] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until the job ends, as `jobs wait` does.")] = False,
    as_json: AsJson = False,
    server: Server = None,
) -> None:
    """Submit a job to a server. Several INPUTs, or a manifest, must be files; a single INPUT may be a folder or prefix.

    S3 keys come from AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, and the webhook secret from
    BATCHSCRIBE_WEBHOOK_SECRET, because options are visible in the process list.
    """
    from batchscribe.cli.job_request import JobOptions  # here, so that `--help` comes at once
    from batchscribe.cli.submitting import Sending, send_job

    options = JobOptions(
        inputs=tuple(inputs or ()),
        manifest=manifest,
        output=output,
        layout=layout,
        include=tuple(include or ()),
        exclude=tuple(exclude or ()),
        language=language_fields(language, language_detection),
        words=words,
        channels=channels,
        segmentation=segmentation,
        output_format=output_format,
        overwrite=overwrite,
        reference_id=reference_id,
        webhook_url=webhook_url,
    )
    sending = Sending(request=request, dry_run=dry_run, idempotency_key=idempotency_key, wait=wait, as_json=as_json)
    raise typer.Exit(send_job(options, sending, settings_of(data_dir=None, server=server), server=server))
