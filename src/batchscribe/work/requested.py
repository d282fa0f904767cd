"""A request of the wire as a job to be submitted."""

from __future__ import annotations

from dataclasses import replace

from batchscribe.jobs.source import Source, sources_of
from batchscribe.settings import Settings
from batchscribe.storage.access import AwsCredentials
from batchscribe.wire.credentials import Auth
from batchscribe.wire.request import JobRequest
from batchscribe.wire.uris import scheme_of, without_query
from batchscribe.work.notify import Webhook
from batchscribe.work.submit import Submission, new_job_id

SERVER_LANE = "main"  #: of all jobs that come over the wire


def requested(request: JobRequest, *, tenant: str, settings: Settings, tracking_id: str | None = None) -> Submission:
    """Raises `InvalidRequest` for globs that cannot be used."""
    sources, signed_urls = without_signatures(sources_of(request.input))
    return Submission(
        job_id=new_job_id(),
        lane=SERVER_LANE,
        tenant=tenant,
        input=request.input.echo(),
        sources=sources,
        signed_urls=signed_urls,
        output=request.output,
        config=request.config,
        engine=settings.engine,
        reference_id=request.reference_id,
        input_aws=aws_of(request.input.auth),
        output_aws=aws_of(request.output.auth),
        webhook=_webhook(request),
        tracking_id=tracking_id,
        warnings=request.input.warnings,
    )


def without_signatures(sources: tuple[Source, ...]) -> tuple[tuple[Source, ...], dict[str, str]]:
    """A query may be a signature: URLs go on record without it, told apart by a number, and whole ones are sealed."""
    kept: list[Source] = []
    urls: dict[str, str] = {}
    for number, source in enumerate(sources, 1):
        uri = source.uri
        if scheme_of(uri) == "https":
            uri = f"{without_query(uri)}#{number}"
            urls[uri] = source.uri
        kept.append(replace(source, uri=uri))
    return tuple(kept), urls


def aws_of(auth: Auth | None) -> AwsCredentials | None:
    if auth is None or auth.aws is None:
        return None
    token = auth.aws.session_token
    return AwsCredentials(
        access_key_id=auth.aws.access_key_id.get_secret_value(),
        secret_access_key=auth.aws.secret_access_key.get_secret_value(),
        session_token=None if token is None else token.get_secret_value(),
        region=auth.aws.region,
    )


def _webhook(request: JobRequest) -> Webhook | None:
    wanted = request.notifications
    if wanted is None:
        return None
    secret = wanted.secret.get_secret_value() if wanted.secret else ""
    return Webhook(wanted.webhook_url, secret or None)
