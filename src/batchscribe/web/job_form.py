"""A form as the body of a job request. The names of its fields are the paths of the body: `config.language`.

So a mistake in the body names the field of the form.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from batchscribe.web.forms import Form
from batchscribe.wire.base import JsonObject
from batchscribe.wire.choices import OutputFormat

AUTH_FIELDS = (
    "aws.access_key_id", "aws.secret_access_key", "aws.session_token", "aws.region",
    "gcp.client_email", "gcp.private_key", "gcp.private_key_id", "gcp.access_token",
    "azure.account_name", "azure.account_key", "azure.sas_token", "azure.access_token",
)  # fmt: skip
CREDENTIALS = tuple(f"{side}.auth.{name}" for side in ("input", "output") for name in AUTH_FIELDS)
TEXTS = (
    "input.mode", "output.uri", "output.layout", "config.language", "config.segmentation_mode", "config.vocabulary_id",
    "reference_id", "notifications.webhook_url", "notifications.secret", *CREDENTIALS,
)  # fmt: skip
SWITCHES = (
    "output.overwrite", "config.word_time_offsets", "config.word_confidence", "config.channel_separation",
    "config.diarization", "config.profanity_filter",
)  # fmt: skip
NUMBERS = ("config.num_speakers", "config.min_speakers", "config.max_speakers")
LISTS = ("input.filters.include_globs", "input.filters.exclude_globs")  #: one item per line
RECORDINGS, FORMATS, DETECTION = "input.uri", "config.output_formats", "config.language_detection"
FIELDS = (RECORDINGS, FORMATS, DETECTION, *TEXTS, *SWITCHES, *NUMBERS, *LISTS)
MANIFEST = "input.manifest"
MAX_DIGITS = 9


def body_of_form(form: Form) -> JsonObject:
    """Return the body of the request. Empty fields are absent, so they have their defaults."""
    body: JsonObject = {"input": {}, "output": {}}
    for name, value in (*_texts(form, TEXTS), *_numbers(form), *_recordings(form), *_choices(form)):
        _put(body, name, value)
    return body


def _texts(form: Form, names: Iterable[str]) -> Iterator[tuple[str, object]]:
    for name in names:
        if value := form.get(name, "").strip():
            yield name, value


def _numbers(form: Form) -> Iterator[tuple[str, object]]:
    """Yield what is not a number as it is: the check of the body says what is wrong with it."""
    for name, value in _texts(form, NUMBERS):
        text = str(value)
        yield name, int(text) if text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS else text


def _recordings(form: Form) -> Iterator[tuple[str, object]]:
    uris = _lines(form, RECORDINGS)
    if len(uris) > 1:
        yield MANIFEST, uris
    elif uris:
        yield RECORDINGS, uris[0]
    for name in LISTS:
        if lines := _lines(form, name):
            yield name, lines


def _choices(form: Form) -> Iterator[tuple[str, object]]:
    for name in SWITCHES:
        if name in form:
            yield name, True
    if formats := [each for each in form.getlist(FORMATS) if each]:
        yield FORMATS, formats
    if mode := form.get(DETECTION, ""):
        yield DETECTION, {"mode": mode}


def credentials_in(form: Form) -> JsonObject:
    """Return the body of a request for fresh credentials. Empty fields are absent."""
    body: JsonObject = {}
    for name, value in _texts(form, CREDENTIALS):
        _put(body, name, value)
    return body


def field_of(path: str) -> str:
    """Return the field of the form that a path of the body belongs to; empty if there is no such field."""
    if path == MANIFEST or path.startswith(f"{MANIFEST}."):
        return RECORDINGS
    found = [name for name in FIELDS if path == name or path.startswith(f"{name}.") or name.startswith(f"{path}.")]
    return max(found, key=lambda name: len(name) if path.startswith(name) else 0, default="")


def values_of(form: Form) -> dict[str, str]:
    """Return what to show in the form again. Secrets are not among it."""
    shown = (RECORDINGS, DETECTION, *NUMBERS, *LISTS, *(name for name in TEXTS if name not in _SECRETS))
    return {name: form.get(name, "") for name in shown}


_SECRETS = frozenset(
    {"notifications.secret", *(n for n in CREDENTIALS if not n.endswith(("region", "account_name", "client_email")))}
)
ALL_FORMATS = tuple(each.value for each in OutputFormat)


def _lines(form: Form, name: str) -> list[str]:
    return [line.strip() for line in form.get(name, "").splitlines() if line.strip()]


def _put(body: JsonObject, path: str, value: object) -> None:
    *parents, last = path.split(".")
    for parent in parents:
        body = body.setdefault(parent, {})
    body[last] = value
