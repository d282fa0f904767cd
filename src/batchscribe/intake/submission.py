"""A job as it was requested: what `submit` stores and `dry_run` previews."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from batchscribe.jobs.model import LOCAL_TENANT
from batchscribe.jobs.source import Source, SourceKind, sources_of
from batchscribe.queue.tasks import SERVER_LANE
from batchscribe.settings import Settings
from batchscribe.stages.deliver import Webhook
from batchscribe.storage.access import Credentials
from batchscribe.storage.schemes import is_for_another_cloud, read_credentials, select_settings
from batchscribe.wire.base import JsonObject
from batchscribe.wire.choices import InputMode, OutputLayout
from batchscribe.wire.config import Config
from batchscribe.wire.locations import place_of
from batchscribe.wire.output import Output
from batchscribe.wire.request import JobRequest
from batchscribe.wire.uris import FILE_SCHEME, as_folder, path_of, scheme_of, without_query
from batchscribe.wire.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True)
class RequestTrace:
    """The request that submits a job: its tracking id, and its header `traceparent`."""

    tracking_id: str | None = None
    traceparent: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """A job before it is stored. `lane` names the queues that its tasks go through."""

    job_id: str
    lane: str
    tenant: str
    input: Mapping[str, Any]  #: as echoed to the client; `sources` is its meaning
    sources: tuple[Source, ...]
    output: Output
    config: Config
    engine: str
    vocabulary: Vocabulary | None = None  #: see `Job.vocabulary`
    reference_id: str | None = None
    file_roots: tuple[Path, ...] = ()  #: folders that this job may use in addition to those of the settings
    storage_settings: Mapping[str, Any] = field(default_factory=dict)  #: see `Job.storage_settings`
    input_credentials: Credentials | None = None
    output_credentials: Credentials | None = None  #: see `credentials_of_output`
    signed_urls: Mapping[str, str] = field(default_factory=dict, repr=False)  #: see `Access.signed_urls`
    webhook: Webhook | None = None
    tracking_id: str | None = None  #: of the request that submits it
    traceparent: str | None = None  #: see `Job.traceparent`
    warnings: tuple[str, ...] = ()  #: about the request, for its sender

    @property
    def credentials_of_output(self) -> Credentials | None:
        """The credentials of the output, by default those of the input unless they are for another cloud."""
        found = self.output_credentials or self.input_credentials
        return None if found is None or is_for_another_cloud(found, self.output.uri) else found

    @property
    def fingerprint(self) -> str:
        """A hash that is equal for identical requests."""
        facts = [
            self.tenant,
            [asdict(source) for source in self.sources],
            self.output.echo(),
            self.config.echo(),
            self.engine,
            dict(self.storage_settings),
        ]
        return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def new_job_id() -> str:
    return f"job_{secrets.token_hex(10)}"


def read_request(
    request: JobRequest, *, tenant: str, settings: Settings, submitted_by: RequestTrace = RequestTrace()
) -> Submission:
    """Convert a request to the server. Raises `InvalidRequest` for invalid globs."""
    sources, signed_urls = strip_signatures(sources_of(request.input))
    return Submission(
        job_id=new_job_id(),
        lane=SERVER_LANE,
        tenant=tenant,
        input=request.input.echo(),
        sources=sources,
        signed_urls=signed_urls,
        output=request.output,
        config=request.config,
        vocabulary=request.config.vocabulary,
        engine=settings.engine,
        reference_id=request.reference_id,
        input_credentials=read_credentials(request.input.auth),
        output_credentials=read_credentials(request.output.auth),
        webhook=_read_webhook(request),
        tracking_id=submitted_by.tracking_id,
        traceparent=submitted_by.traceparent,
        warnings=request.input.warnings,
    )


def read_local_requests(
    requests: Sequence[JobRequest], *, settings: Settings, traceparent: str | None = None
) -> Submission:
    """Combine requests of the command line that differ only in their input into one submission.

    It has its own lane, so that no other command works on it. It may use the folders that it names. Its output folder
    ends in `/`, so that its fingerprint is the same before and after that folder exists.
    """
    first, job_id = requests[0], new_job_id()
    sources = tuple(dict.fromkeys(source for request in requests for source in sources_of(request.input)))
    output = first.output
    if output.layout is OutputLayout.PREFIX:
        output = output.model_copy(update={"uri": as_folder(output.uri)})
    return Submission(
        job_id=job_id,
        lane=job_id,
        tenant=LOCAL_TENANT,
        input=first.input.echo() if len(requests) == 1 else _echo_sources(sources),
        sources=sources,
        output=output,
        config=first.config,
        vocabulary=first.config.vocabulary,
        engine=settings.engine,
        file_roots=_list_folders(sources, output),
        storage_settings=select_settings(settings),
        input_credentials=next(filter(None, (read_credentials(request.input.auth) for request in requests)), None),
        output_credentials=next(filter(None, (read_credentials(request.output.auth) for request in requests)), None),
        traceparent=traceparent,
    )


def _echo_sources(sources: Sequence[Source]) -> JsonObject:
    """Echo several inputs as a manifest."""
    uris = [source.uri for source in sources]
    return {"mode": InputMode.MANIFEST.value, "source": place_of(uris[0]).value, "manifest": uris}


def _list_folders(sources: Sequence[Source], output: Output) -> tuple[Path, ...]:
    """List the local folders that the job reads and writes."""
    places = [(source.uri, source.kind is SourceKind.FILE) for source in sources]
    places.append((output.uri, output.layout is OutputLayout.SINGLE))
    paths = ((Path("/" + path_of(uri)), is_file) for uri, is_file in places if scheme_of(uri) == FILE_SCHEME)
    return tuple(dict.fromkeys(path.parent if is_file else path for path, is_file in paths))


def strip_signatures(sources: tuple[Source, ...]) -> tuple[tuple[Source, ...], dict[str, str]]:
    """Return the sources with shortened `https://` URLs, and the full URLs by the short ones.

    A query may contain a signature, so the job's row gets URLs without the query, with a number that makes them unique.
    The full URLs are sealed.
    """
    kept: list[Source] = []
    urls: dict[str, str] = {}
    for number, source in enumerate(sources, 1):
        uri = source.uri
        if scheme_of(uri) == "https":
            uri = f"{without_query(uri)}#{number}"
            urls[uri] = source.uri
        kept.append(replace(source, uri=uri))
    return tuple(kept), urls


def _read_webhook(request: JobRequest) -> Webhook | None:
    wanted = request.notifications
    if wanted is None:
        return None
    secret = wanted.secret.get_secret_value() if wanted.secret else ""
    return Webhook(wanted.webhook_url, secret or None)
