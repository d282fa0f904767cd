"""Where a job's recordings are."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, model_validator

from batchscribe.wire.choices import InputMode, Place
from batchscribe.wire.credentials import Auth
from batchscribe.wire.limits import Limits, limits_of
from batchscribe.wire.locations import NamedPlace, OptionalUri, Uri, place_of
from batchscribe.wire.model import JsonObject, NoNul, WireModel, refusal
from batchscribe.wire.uris import looks_like_a_folder, names_a_file, without_query

MAX_GLOB_CHARS = 1_024  # the longest key there is in S3


def _without_blanks(globs: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(glob for glob in globs if glob.strip())  # a form splits its empty field into one of these


def _few_globs(globs: Any, info: ValidationInfo) -> Any:
    return _at_most(limits_of(info).globs, globs, "globs")


def _short_manifest(manifest: Any, info: ValidationInfo) -> Any:
    return _at_most(limits_of(info).manifest, manifest, "URIs")


def _at_most(limit: int, items: Any, noun: str) -> Any:
    """Before the items are looked at: a list that is far too long costs nothing."""
    if isinstance(items, list | tuple) and len(items) > limit:
        raise refusal(f"At most {limit} {noun} are allowed, and there are {len(items)}.")
    return items


Glob = Annotated[str, Field(max_length=MAX_GLOB_CHARS), NoNul]
Globs = Annotated[
    tuple[Glob, ...],
    BeforeValidator(_few_globs),
    AfterValidator(_without_blanks),
    Field(json_schema_extra={"maxItems": Limits().globs}),
]
Manifest = Annotated[
    tuple[Uri, ...],
    BeforeValidator(_short_manifest),
    Field(json_schema_extra={"minItems": 1, "maxItems": Limits().manifest}),
]


class Filters(WireModel):
    """Which files below a prefix are meant: those that an include names, or all, less those an exclude names."""

    include_globs: Globs = ()
    exclude_globs: Globs = ()


def _with_alias(value: Any) -> Any:
    return InputMode.PREFIX if value == "INPUT_PREFIX" else value  # what the original said before 2026-03


def _inferred_mode(data: JsonObject) -> InputMode:
    if data["manifest"] is not None:
        return InputMode.MANIFEST
    uri = data["uri"]
    is_folder = uri and place_of(uri) is not Place.HTTPS and looks_like_a_folder(uri)
    return InputMode.PREFIX if is_folder else InputMode.SINGLE


def _inferred_source(data: JsonObject) -> Place:
    uris = _used(data["mode"], data["uri"], data["manifest"])
    return place_of(uris[0]) if uris else Place.S3


def _used(mode: InputMode, uri: str, manifest: tuple[str, ...] | None) -> tuple[str, ...]:
    if mode is InputMode.MANIFEST:
        return manifest or ()
    return (uri,) if uri else ()


class Input(WireModel):
    """`mode` and `source` are always there: what the client leaves out is told from the URIs."""

    uri: OptionalUri = ""
    manifest: Manifest | None = None
    mode: Annotated[InputMode, BeforeValidator(_with_alias)] = Field(default_factory=_inferred_mode)
    source: NamedPlace = Field(default_factory=_inferred_source)
    filters: Filters = Filters()
    auth: Auth | None = None

    @property
    def uris(self) -> tuple[str, ...]:
        """The manifest in mode MANIFEST, the one URI in the others."""
        return _used(self.mode, self.uri, self.manifest)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the client should know, though the job can be done."""
        repeated = len(self.uris) - len(set(self.uris))
        if not repeated:
            return ()
        return (f"The manifest names {repeated} files more than once; each is transcribed and counted once.",)

    @model_validator(mode="after")
    def _mode_has_its_uris(self) -> Self:
        if self.mode is InputMode.MANIFEST:
            self._check_manifest()
        elif self.manifest:
            raise refusal(f"A manifest does not go with mode {self.mode}; leave one out.", field="manifest")
        elif not self.uri:
            raise refusal(f"A URI is required in mode {self.mode}.", field="uri")
        elif self.mode is InputMode.PREFIX and place_of(self.uri) is Place.HTTPS:
            raise refusal("https:// names one file and cannot be listed; use s3:// for a prefix.", field="uri")
        elif self.mode is InputMode.SINGLE and not names_a_file(self.uri):
            raise refusal("Mode SINGLE takes one file; for a folder use mode PREFIX.", field="uri")
        return self

    def _check_manifest(self) -> None:
        if not self.manifest:
            raise refusal("A manifest names at least one file.", field="manifest")
        for position, uri in enumerate(self.manifest):
            if not names_a_file(uri):
                field = f"manifest.{position}"
                raise refusal("A manifest names files; for a folder use mode PREFIX.", field=field)

    @model_validator(mode="after")
    def _source_fits(self) -> Self:
        for uri in self.uris:
            # A pre-signed URL of S3 is a URI of S3 to the original, which knows no other source.
            if place_of(uri) is not self.source and not (place_of(uri) is Place.HTTPS and self.source is Place.S3):
                sentence = f"The source is {self.source}, but a URI is of {place_of(uri)}; use one place a job."
                raise refusal(sentence, field="source")
        return self

    def echo(self) -> JsonObject:
        """What a client may read back: everything but the credentials. What was not given is left out."""
        shown = self.model_copy(update={"uri": without_query(self.uri), "manifest": self._shown_manifest()})
        return {
            name: value
            for name, value in shown.model_dump(mode="json", exclude={"auth"}, exclude_none=True).items()
            if value and (name != "filters" or self.filters != Filters())
        }

    def _shown_manifest(self) -> tuple[str, ...] | None:
        """A query may be a signature."""
        return None if self.manifest is None else tuple(without_query(uri) for uri in self.manifest)
