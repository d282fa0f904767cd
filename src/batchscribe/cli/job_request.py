"""Conversion of the options of `transcribe` and `jobs submit` to the JSON that any client of the server sends."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Sequence
from itertools import groupby

from batchscribe.cli.environment_credentials import read_auth
from batchscribe.cli.inputs import CLOUD_SCHEMES, GlobOptions, read_inputs, read_manifest, read_output
from batchscribe.cli.options import AUTO_LANGUAGE, JobOptions, Layout
from batchscribe.cli.vocabulary_file import read_vocabulary
from batchscribe.errors import InvalidRequest, UsageError
from batchscribe.jobs.source import Source, SourceKind
from batchscribe.storage.schemes import FORMS
from batchscribe.wire.base import JsonObject, RequestLimits
from batchscribe.wire.choices import DetectionMode, InputMode, OutputFormat, OutputLayout
from batchscribe.wire.request import JobRequest, parse_job_request
from batchscribe.wire.uris import FILE_SCHEME, scheme_of

#: The limits are for clients on a network, not for the user of this machine.
NO_LIMITS = RequestLimits(manifest=sys.maxsize, globs=sys.maxsize, reference_chars=sys.maxsize)
#: The option or argument for each field of a request.
OPTION_OF = {
    "input.uri": "INPUT",
    "input.manifest": "INPUT",
    "input.source": "INPUT",
    "input.filters.include_globs": "--include",
    "input.filters.exclude_globs": "--exclude",
    "output.uri": "--output",
    "output.layout": "--layout",
    "config.language": "--language",
    "config.channel_separation": "--channels",
    "config.diarization": "--speakers",
    "config.num_speakers": "--speakers",
    "config.min_speakers": "--speakers",
    "config.max_speakers": "--speakers",
    "config.vocabulary_id": "--vocabulary-id",
    **{
        f"{side}.auth.{form.field}.{name}": variable
        for side in ("input", "output")
        for form in FORMS
        for name, variable in form.variables.items()
    },
}
SPEAKERS = re.compile(r"auto|(?P<least>[0-9]{1,3})(-(?P<most>[0-9]{1,3}))?")
POSITION = re.compile(r"\.\d+$")  #: in a list
OTHER_FIELD = re.compile(r"\b[a-z]+(?:_[a-z]+)+\b")  #: in a sentence; a name without an underscore may be a word


def build_server_request(options: JobOptions, *, webhook_secret: str | None) -> JsonObject:
    """Return the body for a server, which infers omitted fields. Raises `UsageError`."""
    inputs = _build_inputs(options, on_server=True)
    if len(inputs) > 1:
        raise UsageError(
            "Several INPUTs must be files. Submit a job for each folder, prefix or glob; for s3:// files without an "
            "extension use --manifest."
        )
    body = _build_bodies(options, inputs, on_server=True)[0]
    if options.reference_id is not None:
        body["reference_id"] = options.reference_id
    if options.webhook_url is not None:
        secret = {"secret": webhook_secret} if webhook_secret else {}
        body["notifications"] = {"webhook_url": options.webhook_url, **secret}
    return body


def build_local_requests(options: JobOptions) -> list[JobRequest]:
    """Return the requests of one local job: one if it can name all inputs, else several that differ only in the input.

    Raises `UsageError`.
    """
    inputs = _build_inputs(options, on_server=False)
    _check_clouds(inputs)
    return [_parse_request(body) for body in _build_bodies(options, inputs, on_server=False)]


def _check_clouds(inputs: Sequence[JsonObject]) -> None:
    """Check that the inputs are in one cloud at most: a job has the credentials of one."""
    uris = (uri for source in inputs for uri in source.get("manifest") or [source["uri"]])
    clouds = sorted({scheme_of(uri) for uri in uris} & CLOUD_SCHEMES)
    if len(clouds) > 1:
        raise UsageError(f"The INPUTs are in {len(clouds)} clouds ({', '.join(clouds)}); run one command for each.")


def _build_bodies(options: JobOptions, inputs: list[JsonObject], *, on_server: bool) -> list[JsonObject]:
    """Return a body for each input, with the credentials of the environment for each side that is in a cloud."""
    output = _build_output(options, inputs, on_server=on_server)
    if "uri" in output:
        output |= _build_auth([output["uri"]])
    bodies = []
    for source in inputs:
        auth = _build_auth(source.get("manifest") or [source["uri"]])
        own_output = output if "uri" in output else output | auth
        bodies.append({"input": source | auth, "output": own_output, "config": _build_config(options)})
    return bodies


def _build_inputs(options: JobOptions, *, on_server: bool) -> list[JsonObject]:
    """Group consecutive files of one place into one input, a manifest if several. Folders and globs stay separate."""
    if options.manifest is not None:
        return [_build_manifest(options)]
    if not options.inputs:
        raise UsageError("No recording was named; give an INPUT or a --manifest.")
    globs = GlobOptions(tuple(options.include or ()), tuple(options.exclude or ()))
    sources = read_inputs(options.inputs, globs, on_server=on_server)
    return [_build_input(list(group)) for _, group in groupby(sources, _find_group)]


def _build_manifest(options: JobOptions) -> JsonObject:
    if options.inputs:
        raise UsageError("Name the recordings as arguments or in --manifest, not both.")
    if options.include or options.exclude:
        raise UsageError("--include and --exclude select files in a folder or prefix; a manifest names its files.")
    uris = read_manifest(options.manifest or "")
    if not uris:
        raise UsageError("No recording was named; the --manifest is empty.")
    return {"manifest": list(uris)}


def _find_group(source: Source) -> object:
    return scheme_of(source.uri) == FILE_SCHEME if source.kind is SourceKind.FILE else source


def _build_input(sources: Sequence[Source]) -> JsonObject:
    first = sources[0]
    if len(sources) > 1:
        return {"manifest": [source.uri for source in sources]}
    if first.kind is SourceKind.PREFIX:
        named = {"include_globs": list(first.include), "exclude_globs": list(first.exclude)}
        filters = {name: globs for name, globs in named.items() if globs}
        return {"uri": first.uri, **({"filters": filters} if filters else {})}
    # Without the mode, a name without an extension would be read as a folder.
    return {"uri": first.uri, **({"mode": InputMode.SINGLE.value} if scheme_of(first.uri) == FILE_SCHEME else {})}


def _build_output(options: JobOptions, inputs: Sequence[JsonObject], *, on_server: bool) -> JsonObject:
    output: JsonObject = {"overwrite": True} if options.overwrite else {}
    if options.layout is not None:
        output["layout"] = options.layout.value.upper()
    elif len(inputs) > 1:
        output["layout"] = OutputLayout.PREFIX.value  # otherwise each request might be read as one for a single file
    if options.layout is Layout.ADJACENT:
        if options.output is not None:
            raise UsageError("--layout adjacent writes next to each recording; omit --output.")
        return output
    if options.output is None:
        missing = f"--layout {options.layout} needs --output." if options.layout else None
        raise UsageError(missing or "Set the destination with --output, or use --layout adjacent.")
    uri = read_output(options.output, on_server=on_server)
    if options.layout is Layout.SINGLE:
        _check_single(uri, inputs)
    return {"uri": uri, **output}


def _check_single(uri: str, inputs: Sequence[JsonObject]) -> None:
    """Check what the wire also refuses, with messages that name the options."""
    if len(inputs) > 1 or "manifest" in inputs[0] or inputs[0]["uri"].endswith("/"):
        raise UsageError("--layout single is for one recording; use --layout prefix for several.")
    if uri.endswith("/"):
        raise UsageError("With --layout single, --output names the transcript, not a folder.")


def _build_config(options: JobOptions) -> JsonObject:
    is_auto = options.language is not None and options.language.strip().lower() == AUTO_LANGUAGE
    detection = options.language_detection or (DetectionMode.ONCE if is_auto else None)
    fields = {
        "language": None if is_auto else options.language,
        "language_detection": {"mode": detection.value} if detection else None,
        "word_time_offsets": options.words or None,
        "word_confidence": options.word_confidence or None,
        **_build_speakers(options.speakers),
        "vocabulary": None if options.vocabulary is None else read_vocabulary(options.vocabulary),
        "vocabulary_id": options.vocabulary_id,
        "profanity_filter": options.profanity_filter or None,
        "channel_separation": options.channels or None,
        "segmentation_mode": options.segmentation and options.segmentation.value,
        **_build_formats(options.formats or ()),
    }
    return {name: value for name, value in fields.items() if value is not None}


def _build_speakers(speakers: str | None) -> JsonObject:
    """Return the fields of `auto`, `2` or `2-5`. Raises `UsageError`."""
    if speakers is None:
        return {}
    found = SPEAKERS.fullmatch(speakers.strip().lower())
    if found is None:
        raise UsageError(f"--speakers is {speakers!r}; use auto, a number such as 2, or a range such as 2-5.")
    if found["most"]:
        return {"diarization": True, "min_speakers": int(found["least"]), "max_speakers": int(found["most"])}
    return {"diarization": True, "num_speakers": int(found["least"]) if found["least"] else None}


def _build_formats(formats: Sequence[OutputFormat]) -> JsonObject:
    """Return the field for the formats. A single format uses the original's field."""
    if len(formats) > 1:
        return {"output_formats": [each.value for each in formats]}
    return {"output_format": formats[0].value} if formats else {}


def _build_auth(uris: Iterable[str]) -> JsonObject:
    auth = read_auth(uris)
    return {} if auth is None else {"auth": auth}


def _parse_request(body: JsonObject) -> JobRequest:
    try:
        return parse_job_request(body, NO_LIMITS)
    except InvalidRequest as error:
        raise UsageError(explain_in_options(error)) from None  # the cause may contain the input with its credentials


def explain_in_options(error: InvalidRequest) -> str:
    """Return the message, with its fields replaced by their options."""
    option = OPTION_OF.get(POSITION.sub("", error.field))
    if option is None or not error.message.startswith(error.field):
        return error.message

    def rename(other: re.Match[str]) -> str:
        found = OPTION_OF.get(f"config.{other[0]}", option)
        return other[0] if found == option else found  # the option cannot contradict itself

    return option + OTHER_FIELD.sub(rename, error.message.removeprefix(error.field))
