"""The options of `jobs submit` as the body of a request. What nobody said is left to the server."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from batchscribe.cli.credentials import credentials_of_environment
from batchscribe.cli.given_text import read_lines
from batchscribe.cli.options import Layout
from batchscribe.cli.places import UNDECODED
from batchscribe.cli.present.console import format_uri
from batchscribe.errors import UsageError
from batchscribe.wire.choices import InputMode, OutputFormat, SegmentationMode
from batchscribe.wire.model import JsonObject
from batchscribe.wire.uris import as_folder, scheme_of


@dataclass(frozen=True, slots=True)
class JobOptions:
    """Empty, None or false is what was not said."""

    inputs: tuple[str, ...] = ()
    manifest: str | None = None  #: a file of URIs, or `-`
    output: str | None = None
    layout: Layout | None = None
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    language: Mapping[str, Any] = field(default_factory=dict)  #: as `language_fields` returns it
    words: bool = False
    channels: bool = False
    segmentation: SegmentationMode | None = None
    output_format: OutputFormat | None = None
    overwrite: bool = False
    reference_id: str | None = None
    webhook_url: str | None = None


def job_request(options: JobOptions, *, webhook_secret: str | None) -> JsonObject:
    """With the S3 keys of the environment where S3 is used. Raises `UsageError`."""
    source, output = _input(options), _output(options)
    uris = [source["uri"]] if "uri" in source else source["manifest"]
    reads = _auth(uris)
    source |= reads
    output |= reads if options.layout is Layout.ADJACENT else _auth([output["uri"]])
    body: JsonObject = {"input": source, "output": output, "config": _config(options)}
    if options.reference_id is not None:
        body["reference_id"] = options.reference_id
    if options.webhook_url is not None:
        secret = {"secret": webhook_secret} if webhook_secret else {}
        body["notifications"] = {"webhook_url": options.webhook_url, **secret}
    return body


def _input(options: JobOptions) -> JsonObject:
    if options.manifest is not None and options.inputs:
        raise UsageError("Name the recordings as arguments or in --manifest, not both.")
    filters = _filters(options)
    if options.manifest is None and len(options.inputs) == 1:
        return _one(options.inputs[0]) | filters
    if filters:
        raise UsageError("--include and --exclude pick files of one folder or prefix; leave them out for several.")
    names = options.inputs if options.manifest is None else read_lines(options.manifest)
    if not names:
        raise UsageError("Nothing to transcribe was named: give an INPUT, or a --manifest that names some.")
    return {"manifest": [_uri_of_existing(name) for name in names]}


def _one(argument: str) -> JsonObject:
    uri = _uri_of_existing(argument)
    is_file_here = not scheme_of(argument) and not uri.endswith("/")
    # Only here is it known that a name without an extension is a file's.
    return {"uri": uri, **({"mode": InputMode.SINGLE.value} if is_file_here else {})}


def _filters(options: JobOptions) -> JsonObject:
    named = {"include_globs": list(options.include), "exclude_globs": list(options.exclude)}
    given = {name: globs for name, globs in named.items() if globs}
    return {"filters": given} if given else {}


def _output(options: JobOptions) -> JsonObject:
    said: JsonObject = {"overwrite": True} if options.overwrite else {}
    if options.layout is not None:
        said["layout"] = options.layout.value.upper()
    if options.layout is Layout.ADJACENT:
        if options.output is not None:
            raise UsageError("--layout adjacent writes beside each recording; leave --output out.")
        return said
    if options.output is None:
        raise UsageError("Say with --output where the transcripts go, or give --layout adjacent.")
    return {"uri": _uri(options.output), **said}


def _config(options: JobOptions) -> JsonObject:
    said = {
        **options.language,
        "word_time_offsets": options.words or None,
        "channel_separation": options.channels or None,
        "segmentation_mode": options.segmentation and options.segmentation.value,
        "output_format": options.output_format and options.output_format.value,
    }
    return {name: value for name, value in said.items() if value is not None}


def _auth(uris: Iterable[str]) -> JsonObject:
    """A side of the job gets no key that it has no use for."""
    keys = credentials_of_environment() if any(scheme_of(uri) == "s3" for uri in uris) else None
    if keys is None:
        return {}
    aws = {"access_key_id": keys.access_key_id, "secret_access_key": keys.secret_access_key}
    return {"auth": {"aws": aws | ({"session_token": keys.session_token} if keys.session_token else {})}}


def _uri_of_existing(argument: str) -> str:
    if argument and not scheme_of(argument) and not os.path.exists(_path(argument)):  # noqa: PTH110 - never raises
        raise UsageError(f"{argument} is not here, and it is no URI; those begin with s3://, file:// or https://.")
    return _uri(argument)


def _uri(argument: str) -> str:
    """A URI as it is; a path of this machine as `file://`, a folder's with a closing `/`. Raises `UsageError`."""
    if not argument:  # a variable of the shell that is not set; as a path it would be the current folder
        raise UsageError("An empty name was given; name a file, a folder or a URI.")
    if not scheme_of(argument):
        path = _path(argument).resolve()
        is_folder = argument.endswith("/") or os.path.isdir(path)  # noqa: PTH112 - never raises
        return as_folder(path.as_uri()) if is_folder else path.as_uri()
    if UNDECODED.search(argument):
        raise UsageError(f"{format_uri(argument)}: a URI is text in UTF-8.")
    return argument


def _path(argument: str) -> Path:
    return Path(os.path.expanduser(argument))  # noqa: PTH111 - pathlib raises for the home of nobody
