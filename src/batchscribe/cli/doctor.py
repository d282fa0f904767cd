"""`batchscribe doctor`: what is wrong here, and what to do about it."""

from __future__ import annotations

from typing import Annotated

import typer

from batchscribe.cli.options import AsJson, Database, DataDir, settings_of
from batchscribe.errors import InvalidSetting, UsageError

EXIT_FAILED = 1


def doctor(
    database: Database = None,
    data_dir: DataDir = None,
    bucket: Annotated[
        str | None,
        typer.Option(metavar="S3_URI", help="A bucket or prefix to list, with the keys in the environment."),
    ] = None,
    write: Annotated[bool, typer.Option("--write", help="Also write a small object there and delete it.")] = False,
    load: Annotated[
        bool, typer.Option("--load", help="Also load the engine and transcribe a trial recording.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Check database, schema, key, storage, decoder, engine, clock, disk, workers and settings, and report what to do.

    Nothing is created or changed. The exit status is 1 if a check failed.
    """
    if write and bucket is None:
        raise UsageError("--write needs to know where: --bucket s3://NAME/PREFIX.")
    from batchscribe.cli.credentials import credentials_of_environment
    from batchscribe.cli.json_output import print_json_list
    from batchscribe.cli.tables import show_checks
    from batchscribe.doctor.check import Verdict
    from batchscribe.doctor.examination import examine, examine_without
    from batchscribe.doctor.storage import Probe

    probe = None if bucket is None else Probe(bucket, write, credentials_of_environment())
    try:
        settings = settings_of(data_dir=data_dir, database_url=database)
    except InvalidSetting as error:
        checks = list(examine_without(error))
    else:
        checks = list(examine(settings, probe=probe, load=load))
    is_well = all(check.verdict is not Verdict.FAILED for check in checks)
    if as_json:
        print_json_list("checks", (check.as_json() for check in checks), beside={"ok": is_well})
    else:
        show_checks(checks)
    raise typer.Exit(0 if is_well else EXIT_FAILED)
