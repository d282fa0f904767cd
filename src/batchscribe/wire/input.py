"""The input of a job: where its recordings are."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, model_validator

from batchscribe.wire.base import JsonObject, NoNul, RequestLimits, WireModel, refusal, request_limits_of
from batchscribe.wire.choices import CLOUDS, InputMode, Place
from batchscribe.wire.credentials import Auth
from batchscribe.wire.locations import NamedPlace, OptionalUri, Uri, place_of
from batchscribe.wire.uris import looks_like_a_folder, names_a_file, without_query

MAX_GLOB_CHARS = 1_024  # the longest S3 key


def _drop_blanks(globs: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(glob for glob in globs if glob.strip())  # an empty form field becomes one blank glob


def _limit_globs(globs: Any, info: ValidationInfo) -> Any:
    return _limit_length(request_limits_of(info).globs, globs, "globs")


def _limit_manifest(manifest: Any, info: ValidationInfo) -> Any:
    return _limit_length(request_limits_of(info).manifest, manifest, "URIs")


def _limit_length(limit: int, items: Any, noun: str) -> Any:
    """Check the length before the items are validated, so that an overlong list costs no time."""
    if isinstance(items, list | tuple) and len(items) > limit:
        raise refusal(f"At most {limit} {noun} are allowed, but there are {len(items)}.")
    return items


Glob = Annotated[str, Field(max_length=MAX_GLOB_CHARS), NoNul]
Globs = Annotated[
    tuple[Glob, ...],
    BeforeValidator(_limit_globs),
    AfterValidator(_drop_blanks),
    Field(json_schema_extra={"maxItems": RequestLimits().globs}),
]
Manifest = Annotated[
    tuple[Uri, ...],
    BeforeValidator(_limit_manifest),
    Field(json_schema_extra={"minItems": 1, "maxItems": RequestLimits().manifest}),
]


class Filters(WireModel):
    """Globs that select files below a prefix: those that an include matches (or all), except excluded ones."""

    include_globs: Globs = ()
    exclude_globs: Globs = ()


def _resolve_alias(value: Any) -> Any:
    return InputMode.PREFIX if value == "INPUT_PREFIX" else value  # the original's name until 2026-03


def _inferred_mode(data: JsonObject) -> InputMode:
    if data["manifest"] is not None:
        return InputMode.MANIFEST
    uri = data["uri"]
    is_folder = uri and place_of(uri) is not Place.HTTPS and looks_like_a_folder(uri)
    return InputMode.PREFIX if is_folder else InputMode.SINGLE


def _inferred_source(data: JsonObject) -> Place:
    uris = _used_uris(data["mode"], data["uri"], data["manifest"])
    return place_of(uris[0]) if uris else Place.S3


def _used_uris(mode: InputMode, uri: str, manifest: tuple[str, ...] | None) -> tuple[str, ...]:
    if mode is InputMode.MANIFEST:
        return manifest or ()
    return (uri,) if uri else ()


class Input(WireModel):
    """The input of a job. `mode` and `source` are inferred from the URIs if omitted."""

    uri: OptionalUri = ""
    manifest: Manifest | None = None
    mode: Annotated[InputMode, BeforeValidator(_resolve_alias)] = Field(default_factory=_inferred_mode)
    source: NamedPlace = Field(default_factory=_inferred_source)
    filters: Filters = Filters()
    auth: Auth | None = None

    @property
    def uris(self) -> tuple[str, ...]:
        """The manifest in mode MANIFEST, the single URI in other modes."""
        return _used_uris(self.mode, self.uri, self.manifest)

    @property
    def warnings(self) -> tuple[str, ...]:
        """Warnings for the client; the job is accepted."""
        repeated = len(self.uris) - len(set(self.uris))
        if not repeated:
            return ()
        return (f"The manifest names {repeated} files more than once; each is transcribed and counted once.",)

    @model_validator(mode="after")
    def _check_mode(self) -> Self:
        if self.mode is InputMode.MANIFEST:
            self._check_manifest()
        elif self.manifest:
            raise refusal(f"A manifest cannot be combined with mode {self.mode}; omit one of them.", field="manifest")
        elif not self.uri:
            raise refusal(f"A URI is required in mode {self.mode}.", field="uri")
        elif self.mode is InputMode.PREFIX and place_of(self.uri) is Place.HTTPS:
            raise refusal("An https:// URI is one file and cannot be listed; use a bucket for a prefix.", field="uri")
        elif self.mode is InputMode.SINGLE and not names_a_file(self.uri):
            raise refusal("Mode SINGLE requires the URI of a file; for a folder, use mode PREFIX.", field="uri")
        return self

    def _check_manifest(self) -> None:
        if not self.manifest:
            raise refusal("A manifest must have at least one URI.", field="manifest")
        for position, uri in enumerate(self.manifest):
            if not names_a_file(uri):
                field = f"manifest.{position}"
                raise refusal("A manifest may contain only files; for a folder, use mode PREFIX.", field=field)

    @model_validator(mode="after")
    def _check_source(self) -> Self:
        for uri in self.uris:
            # A pre-signed URL belongs to a cloud. The original has only the source S3, and uses it for all of them.
            if place_of(uri) is not self.source and not (place_of(uri) is Place.HTTPS and self.source in CLOUDS):
                sentence = f"The source is {self.source}, but a URI has {place_of(uri)}; use one source per job."
                raise refusal(sentence, field="source")
        return self

    @model_validator(mode="after")
    def _check_auth(self) -> Self:
        if self.auth is not None:
            self.auth.check_place(self.source)
        return self

    def echo(self) -> JsonObject:
        """Return the input without its credentials and without fields that were not set."""
        shown = self.model_copy(update={"uri": without_query(self.uri), "manifest": self._shown_manifest()})
        return {
            name: value
            for name, value in shown.model_dump(mode="json", exclude={"auth"}, exclude_none=True).items()
            if value and (name != "filters" or self.filters != Filters())
        }

    def _shown_manifest(self) -> tuple[str, ...] | None:
        """Return the manifest without queries, which may contain signatures."""
        return None if self.manifest is None else tuple(without_query(uri) for uri in self.manifest)
