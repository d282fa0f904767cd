"""Bodies of POST jobs."""

from __future__ import annotations

import copy
from typing import Any

from tests.contract.strict import Json

#: The moto server accepts any credentials, so every body has these. No answer may show them.
ACCESS_KEY_ID = "AKIAMARKEDACCESSKEY7"
SECRET_ACCESS_KEY = "marked-secret-access-key-Zq81"
SESSION_TOKEN = "marked-session-token-Vw52"
WEBHOOK_SECRET = "marked-webhook-secret-Kd37"
MARKS = (ACCESS_KEY_ID, SECRET_ACCESS_KEY, SESSION_TOKEN, WEBHOOK_SECRET)

#: Removes a field.
ABSENT = object()


def aws() -> Json:
    keys = {
        "access_key_id": ACCESS_KEY_ID,
        "secret_access_key": SECRET_ACCESS_KEY,
        "session_token": SESSION_TOKEN,
    }
    return {"aws": keys}


def single(uri: str = "s3://calls/a.wav", output: str = "s3://transcripts/a.json", **changes: Any) -> Json:
    return _job({"mode": "SINGLE", "source": "S3", "uri": uri, "auth": aws()}, output, "SINGLE", changes)


def prefix(uri: str = "s3://calls/2025/", output: str = "s3://transcripts/", **changes: Any) -> Json:
    return _job({"mode": "PREFIX", "source": "S3", "uri": uri, "auth": aws()}, output, "PREFIX", changes)


def many(bucket: str, count: int) -> list[str]:
    """Return URIs of `count` recordings for a slow job. They need not exist if the job is canceled."""
    return [f"s3://{bucket}/{number:03}.wav" for number in range(count)]


def manifest(*uris: str, output: str = "s3://transcripts/", **changes: Any) -> Json:
    return _job({"mode": "MANIFEST", "source": "S3", "manifest": list(uris), "auth": aws()}, output, "PREFIX", changes)


def hook(url: str, secret: str | None = WEBHOOK_SECRET) -> Json:
    return {"webhook_url": url} | ({"secret": secret} if secret is not None else {})


def changed(body: Json, changes: Json) -> Json:
    """Return a copy with new values at the dotted paths; `ABSENT` removes a field."""
    result = copy.deepcopy(body)
    for path, value in changes.items():
        *parents, name = path.split(".")
        place = result
        for parent in parents:
            place = place.setdefault(parent, {})
        if value is ABSENT:
            place.pop(name, None)
        else:
            place[name] = value
    return result


def _job(source: Json, output: str, layout: str, changes: Json) -> Json:
    """Return a body. `changes` replace whole top-level fields."""
    body: Json = {
        "input": source,
        "output": {"destination": "S3", "uri": output, "layout": layout, "overwrite": False, "auth": aws()},
        "config": {"language": "en-US", "segmentation_mode": "none"},
    }
    return body | changes
