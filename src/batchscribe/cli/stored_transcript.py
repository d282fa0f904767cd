"""A transcript in storage, named by its path or URI, or as that of a job's file."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

from batchscribe.cli.inputs import CLOUD_SCHEMES
from batchscribe.cli.present.console import format_text, format_uri, local_path
from batchscribe.cli.present.job_report import read_answer
from batchscribe.cli.text_files import parse_path
from batchscribe.errors import ObjectNotFound, TranscriptNotFound, TranscriptUnreadable, UsageError
from batchscribe.input_formats import NAME_OF_EXTENSION
from batchscribe.settings import Settings
from batchscribe.stages.existing_output import MAX_TRANSCRIPT_BYTES
from batchscribe.storage.access import Access
from batchscribe.storage.schemes import connect, read_environment
from batchscribe.storage.store import Recording
from batchscribe.transcript.stored_document import StoredDocument, parse_document
from batchscribe.wire.answers import FileAnswer
from batchscribe.wire.base import JsonObject
from batchscribe.wire.choices import FileState, OutputFormat
from batchscribe.wire.uris import FILE_SCHEME, extension_of, scheme_of

OTHER_FORMATS = {format_.value for format_ in OutputFormat} - {OutputFormat.JSON.value}


def is_job_id(name: str) -> bool:
    return name.startswith("job_") and not Path(name).exists()


def find_transcript(files: Iterable[JsonObject], job_id: str, file_id: str | None) -> str:
    """Return the URI of the JSON transcript of one of the job's files. Raises `UsageError`, `TranscriptNotFound`."""
    file = _choose_file((read_answer(FileAnswer, body) for body in files), job_id, file_id)
    if file.state is not FileState.SUCCEEDED:
        why = f" ({file.error.code}: {format_text(file.error.message)})" if file.error else ""
        raise TranscriptNotFound(f"{file.file_id} of {job_id} has no transcript; it is {file.state}{why}.")
    uris = file.output_uris or (file.output_uri,)
    found = next((uri for uri in uris if extension_of(uri) not in OTHER_FORMATS), None)
    if found is None:
        raise TranscriptNotFound(f"{file.file_id} of {job_id} has no JSON transcript, but {format_uri(uris[0])}.")
    return found


def _choose_file(files: Iterator[FileAnswer], job_id: str, file_id: str | None) -> FileAnswer:
    if file_id is not None:
        found = next((file for file in files if file.file_id == file_id), None)
        if found is None:
            raise UsageError(f"{job_id} has no file {file_id!r}; `batchscribe jobs files {job_id}` shows its files.")
        return found
    first = list(islice(files, 2))
    if len(first) != 1:
        many = "several files; name one" if first else "no files"
        raise UsageError(f"{job_id} has {many}: `batchscribe jobs files {job_id}` shows them.")
    return first[0]


def read_transcript(name: str, settings: Settings) -> tuple[bytes, StoredDocument]:
    """Return the JSON transcript at a path or URI, read with the credentials of the environment, and its content.

    Raises `UsageError`, `TranscriptUnreadable`, `TranscriptNotFound`, `StorageError`.
    """
    content = _read_bytes(name, settings)
    try:
        return content, parse_document(content)
    except TranscriptUnreadable as error:
        raise TranscriptUnreadable(f"{name} is not a JSON transcript of batchscribe.") from error


def _read_bytes(name: str, settings: Settings) -> bytes:
    uri = _read_uri(name)
    if (extension := extension_of(uri)) in OTHER_FORMATS:
        raise UsageError(f"{name} is not JSON; this command shows JSON transcripts. Other formats need no command.")
    if extension in NAME_OF_EXTENSION:
        raise UsageError(f"{name} seems to be a recording; name its transcript, which usually ends in .json.")
    with _open(uri, settings) as found:
        if found.size > MAX_TRANSCRIPT_BYTES:
            raise TranscriptUnreadable(f"{name} is too large for a transcript: {found.size} bytes.")
        return found.read(0, found.size)


def _read_uri(name: str) -> str:
    scheme = scheme_of(name)
    if scheme in CLOUD_SCHEMES:
        return name
    if scheme and scheme != FILE_SCHEME:
        raise UsageError(f"{name}: transcripts are read from paths and file://, s3://, gs:// and az:// URIs.")
    path = local_path(name) if scheme else parse_path(name)
    if path.is_dir():
        raise UsageError(f"{name} is a folder; name one transcript in it.")
    if not path.exists():
        raise TranscriptNotFound(f"There is no transcript {name}.")
    return path.resolve().as_uri()


@contextmanager
def _open(uri: str, settings: Settings) -> Iterator[Recording]:
    roots = (local_path(uri).parent,) if scheme_of(uri) == FILE_SCHEME else ()
    store = connect(Access(settings, file_roots=roots, credentials=read_environment(uri, os.environ)))
    try:
        with store.open(uri) as found:
            yield found
    except ObjectNotFound as error:
        raise TranscriptNotFound(f"There is no transcript {format_uri(uri)}.") from error
