"""Where the transcripts go: `--output` and `--layout` as the job's output."""

from __future__ import annotations

from pathlib import Path

from batchscribe.cli.inputs import Inputs
from batchscribe.cli.options import Layout
from batchscribe.cli.places import read_place
from batchscribe.cli.present.console import local_path
from batchscribe.errors import UsageError
from batchscribe.jobs.source import SourceKind
from batchscribe.wire.choices import OutputLayout
from batchscribe.wire.locations import place_of
from batchscribe.wire.output import Output
from batchscribe.wire.uris import FILE_SCHEME, as_folder, scheme_of


def read_output(output: str | None, layout: Layout | None, inputs: Inputs, *, overwrite: bool) -> Output:
    """Raises `UsageError` when the two do not go together, or not with the inputs."""
    chosen = layout or _default_layout(output, inputs)
    if chosen is Layout.ADJACENT:
        if output is not None:
            raise UsageError("--layout adjacent writes beside each recording; leave --output out.")
        place = place_of(inputs.sources[0].uri)
        return Output(layout=OutputLayout.ADJACENT, destination=place, overwrite=overwrite)
    if output is None:
        raise UsageError(f"--layout {chosen} needs --output.")
    uri = _uri(output)
    if chosen is Layout.SINGLE:
        return Output(uri=_checked_single(uri, inputs), layout=OutputLayout.SINGLE, overwrite=overwrite)
    return Output(uri=as_folder(uri), layout=OutputLayout.PREFIX, overwrite=overwrite)


def output_root(output: Output) -> Path | None:
    """The local folder that the job may write to, made when it is not there. Raises `UsageError`."""
    if scheme_of(output.uri) != FILE_SCHEME:
        return None
    path = local_path(output.uri)
    root = path.parent if output.layout is OutputLayout.SINGLE else path
    try:
        root.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"The output folder {root} cannot be made: {error.strerror}.") from error
    return root


def _default_layout(output: str | None, inputs: Inputs) -> Layout:
    if output is None:
        return Layout.ADJACENT
    return Layout.SINGLE if output.endswith(".json") and _is_one_file(inputs) else Layout.PREFIX


def _checked_single(uri: str, inputs: Inputs) -> str:
    if not _is_one_file(inputs):
        raise UsageError("--layout single is for one recording; use --layout prefix for several.")
    if uri.endswith("/"):
        raise UsageError("--layout single takes the transcript's own name in --output, not a folder.")
    if uri == inputs.sources[0].uri:
        raise UsageError("The transcript would replace its own recording; give --output another name.")
    return uri


def _is_one_file(inputs: Inputs) -> bool:
    return len(inputs.sources) == 1 and inputs.sources[0].kind is SourceKind.FILE


def _uri(output: str) -> str:
    """Whatever is a folder already ends in `/`."""
    place = read_place(output)
    if not isinstance(place, Path):
        if scheme_of(place) == "https":
            raise UsageError("Nothing can be written to https://; use a folder or an s3:// URI.")
        return place
    try:
        is_folder = place.is_dir() or output.endswith("/")
    except OSError as error:
        raise UsageError(f"{output} cannot be looked at: {error.strerror}.") from error
    uri = place.resolve().as_uri()
    return as_folder(uri) if is_folder else uri
