"""The fields of a submission as keywords, and the request body that they become."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TypedDict

from batchscribe.errors import UsageError
from batchscribe.wire.base import JsonObject
from batchscribe.wire.choices import PLACE_OF_SCHEME


class JobFields(TypedDict, total=False):
    """The keywords of `submit` and `dry_run`."""

    input: str | Path | Sequence[str | Path]  #: a URI, a folder or file of this machine, or a list of recordings
    output: str | Path  #: where transcripts go; without it, beside their recordings
    layout: str  #: `SINGLE`, `PREFIX` or `ADJACENT`
    overwrite: bool
    include: Sequence[str]  #: globs below a folder
    exclude: Sequence[str]
    config: JsonObject  #: `language`, `diarization` and the other options
    input_auth: JsonObject  #: credentials, such as `{"aws": {...}}`
    output_auth: JsonObject
    reference_id: str
    webhook_url: str
    webhook_secret: str


def job_body(body: JsonObject | None, fields: JobFields) -> JsonObject:
    """Return the body as it is, or build it from the fields. Raises `UsageError` unless exactly one is given."""
    if body is not None:
        if fields:
            raise UsageError(f"A job is submitted as a body or with keywords, not both: omit {min(fields)}.")
        return body
    unknown = fields.keys() - JobFields.__annotations__.keys()
    if unknown:
        names = ", ".join(JobFields.__annotations__)
        raise UsageError(f"{min(unknown)!r} is not a field of a job; these are: {names}. Options go into config.")
    if "input" not in fields:
        raise UsageError("A job needs an input: the URI of a recording or folder, or a list of URIs.")
    built: JsonObject = {"input": _input(fields), "output": _output(fields), "config": fields.get("config", {})}
    if "reference_id" in fields:
        built["reference_id"] = fields["reference_id"]
    webhook = {"webhook_url": fields.get("webhook_url"), "secret": fields.get("webhook_secret")}
    notifications = {name: value for name, value in webhook.items() if value is not None}
    return built | ({"notifications": notifications} if notifications else {})


def _input(fields: JobFields) -> JsonObject:
    given = fields["input"]
    if isinstance(given, str | Path):
        uri = _uri(given)
        part: JsonObject = {"source": _place(uri), "uri": uri}  # the server infers the mode
    else:
        uris = [_uri(each) for each in given]
        part = {"mode": "MANIFEST", "manifest": uris} | ({"source": _place(uris[0])} if uris else {})
    globs = {"include_globs": fields.get("include"), "exclude_globs": fields.get("exclude")}
    filters = {name: list(value) for name, value in globs.items() if value is not None}
    if filters:
        part["filters"] = filters
    return part | _auth(fields.get("input_auth"))


def _output(fields: JobFields) -> JsonObject:
    uri = _uri(fields["output"]) if "output" in fields else ""
    # An output beside the recordings has no place of its own; the original wants one named.
    part: JsonObject = {"destination": _place(uri or _first_uri(fields["input"])), "uri": uri}
    layout = fields.get("layout") or ("" if uri else "ADJACENT")
    if layout:
        part["layout"] = layout
    if "overwrite" in fields:
        part["overwrite"] = fields["overwrite"]
    return part | _auth(fields.get("output_auth"))


def _first_uri(given: str | Path | Sequence[str | Path]) -> str:
    if isinstance(given, str | Path):
        return _uri(given)
    return _uri(given[0]) if given else "s3://"


def _uri(given: str | Path) -> str:
    if isinstance(given, Path):
        path = given.absolute()
        return path.as_uri() + ("/" if path.is_dir() else "")
    if "://" not in given:
        raise UsageError(f"{given!r} is not a URI such as s3://bucket/calls/; for a file of this machine, give a Path.")
    return given


def _place(uri: str) -> str:
    """Return the name of the storage, and `S3` for an unknown scheme: the server explains what it accepts."""
    return PLACE_OF_SCHEME.get(uri.partition("://")[0].lower(), PLACE_OF_SCHEME["s3"]).value


def _auth(auth: JsonObject | None) -> JsonObject:
    return {"auth": auth} if auth is not None else {}
