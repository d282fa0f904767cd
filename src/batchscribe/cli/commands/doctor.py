"""`batchscribe doctor`: check this installation and report what to do."""

from __future__ import annotations

import os

import typer

from batchscribe.cli import options
from batchscribe.cli.lazy import lazy_imports
from batchscribe.errors import InvalidSetting, UsageError

with lazy_imports():
    from batchscribe import check
    from batchscribe.cli.present import console, listings
    from batchscribe.doctor import examination, storage_check
    from batchscribe.storage import schemes

EXIT_FAILED = 1


def doctor(
    database: options.Database = None,
    data_dir: options.DataDir = None,
    bucket: options.Bucket = None,
    write: options.WriteProbe = False,
    load: options.LoadProbe = False,
    as_json: options.AsJson = False,
) -> None:
    """Check database, schema, key, storage, decoder, engine, clock, disk, workers and settings, and report what to do.

    Without --write, nothing is created or changed. The exit status is 1 if a check failed.
    """
    if write and bucket is None:
        raise UsageError("--write requires --bucket s3://NAME/PREFIX.")
    probe = None
    if bucket is not None:
        probe = storage_check.Probe(bucket, write, schemes.read_environment(bucket, os.environ))
    try:
        settings = options.read_settings(data_dir=data_dir, database_url=database)
    except InvalidSetting as error:
        checks = list(examination.examine_without(error))
    else:
        checks = list(examination.examine(settings, probe=probe, load=load))
    is_well = all(each.verdict is not check.CheckResult.FAILED for each in checks)
    results = [each.as_json() for each in checks]
    if as_json:
        console.print_json_list("checks", results, beside={"ok": is_well})
    else:
        listings.show_checks(results)
    raise typer.Exit(0 if is_well else EXIT_FAILED)
