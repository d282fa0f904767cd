"""The output of a job: where its transcripts go."""

from __future__ import annotations

from typing import Self

from pydantic import Field, StrictBool

from batchscribe.wire.base import JsonObject, WireModel, refusal
from batchscribe.wire.choices import InputMode, OutputLayout, Place
from batchscribe.wire.credentials import Auth
from batchscribe.wire.input import Input
from batchscribe.wire.locations import NamedPlace, OptionalUri, place_of
from batchscribe.wire.uris import extension_of, names_a_file, path_of

#: Extensions that no transcript may have, so that no transcript replaces a recording of any job.
RECORDINGS = frozenset(
    [
        "3gp",
        "aac",
        "ac3",
        "aif",
        "aiff",
        "amr",
        "ape",
        "au",
        "avi",
        "caf",
        "flac",
        "flv",
        "gsm",
        "m4a",
        "m4b",
        "m4v",
        "mka",
        "mkv",
        "mov",
        "mp1",
        "mp2",
        "mp3",
        "mp4",
        "mpeg",
        "mpg",
        "mpga",
        "oga",
        "ogg",
        "ogv",
        "opus",
        "ra",
        "rf64",
        "spx",
        "ts",
        "w64",
        "wav",
        "wave",
        "weba",
        "webm",
        "wma",
        "wmv",
        "wv",
    ]
)


def _inferred_destination(data: JsonObject) -> Place:
    return place_of(data["uri"]) if data["uri"] else Place.S3


class Output(WireModel):
    """The output of a job. `infer_from` sets `layout` and `destination` from the input if they were omitted."""

    uri: OptionalUri = ""
    destination: NamedPlace = Field(default_factory=_inferred_destination)
    layout: OutputLayout = OutputLayout.PREFIX
    overwrite: StrictBool = False
    auth: Auth | None = None

    def infer_from(self, source: Input) -> Self:
        """Return the output with its layout and destination set. Raises if they contradict the input."""
        layout = self.layout if "layout" in self.model_fields_set else self._default_layout(source)
        if self.auth is not None:
            self.auth.check_place(source.source if layout is OutputLayout.ADJACENT else self.destination)
        if layout is OutputLayout.ADJACENT:
            _check_adjacent(source)
            return self.model_copy(update={"layout": layout, "destination": source.source})
        self._check_uri()
        if layout is OutputLayout.SINGLE:
            self._check_single(source)
        return self.model_copy(update={"layout": layout})

    def _default_layout(self, source: Input) -> OutputLayout:
        is_file = path_of(self.uri) != "" and names_a_file(self.uri)
        return OutputLayout.SINGLE if source.mode is InputMode.SINGLE and is_file else OutputLayout.PREFIX

    def _check_uri(self) -> None:
        if self.uri and place_of(self.uri) is Place.HTTPS:
            raise refusal("Transcripts cannot be written to https://; use s3://, gs://, az:// or file://.", field="uri")
        if not self.uri:
            raise refusal("A URI is required, except with layout ADJACENT.", field="uri")
        if place_of(self.uri) is not self.destination:
            sentence = f"The destination is {self.destination}, but the URI has {place_of(self.uri)}."
            raise refusal(sentence, field="destination")

    def _check_single(self, source: Input) -> None:
        if source.mode is not InputMode.SINGLE:
            raise refusal(f"Layout SINGLE cannot be combined with mode {source.mode}.", field="layout")
        if not names_a_file(self.uri):
            raise refusal("Layout SINGLE requires the URI of the transcript, not of a folder.", field="uri")
        if self.uri == source.uri:
            raise refusal("The transcript would replace its own recording; use another URI.", field="uri")
        if extension_of(self.uri) in RECORDINGS:
            raise refusal(
                "The transcript's name has the extension of a recording; use .json, so that it replaces none.",
                field="uri",
            )

    def echo(self) -> JsonObject:
        """Return the output without its credentials. Clients require all four fields."""
        return self.model_dump(mode="json", include={"destination", "uri", "layout", "overwrite"})


def _check_adjacent(source: Input) -> None:
    """Allow ADJACENT with any mode: clients of the original send it if their user sets no layout (contract 5)."""
    for position, uri in enumerate(source.uris):
        if place_of(uri) is Place.HTTPS:
            name = f"input.manifest.{position}" if source.mode is InputMode.MANIFEST else "input.uri"
            sentence = f"Transcripts cannot be written next to an https:// recording ({name}); use another layout."
            raise refusal(sentence, field="layout")
