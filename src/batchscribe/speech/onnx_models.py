"""Models that onnx-asr loads: their types and files, the known ones, and what their folders say about them."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from batchscribe.models.known import KnownModel, index_by_name
from batchscribe.models.model_format import ModelFormat, list_files
from batchscribe.models.origin import read_origin
from batchscribe.speech.languages import REGIONS, TAG

NAME = "onnx"
#: The file that an operator writes into the folder of an unknown model: its type, and the tags of its languages.
FACTS_FILE = "onnx.json"
CONFIG_FILE = "config.json"

CTC = ("model{}.onnx", "vocab.txt")
TRANSDUCER = ("encoder-model{}.onnx", "decoder_joint-model{}.onnx", "vocab.txt")
AED = ("encoder-model{}.onnx", "decoder-model{}.onnx", "vocab.txt")
GIGAAM_RNNT = ("v?_rnnt_encoder{}.onnx", "v?_rnnt_decoder{}.onnx", "v?_rnnt_joint{}.onnx", "v?_vocab.txt")
GIGAAM_E2E_RNNT = (
    "v3_e2e_rnnt_encoder{}.onnx",
    "v3_e2e_rnnt_decoder{}.onnx",
    "v3_e2e_rnnt_joint{}.onnx",
    "v3_e2e_rnnt_vocab.txt",
)
KALDI = ("*/encoder{}.onnx", "*/decoder{}.onnx", "*/joiner{}.onnx", "*/tokens.txt")
#: Patterns of the files of each type, by onnx-asr's name for it; `{}` stands for a variant, such as `.int8`.
#: Source: onnx-asr 0.12.0, `_get_model_files`. Whisper is omitted: the engine `whisper` has word times for it.
TYPES: Mapping[str, tuple[str, ...]] = {
    "nemo-conformer-ctc": CTC,
    "nemo-conformer-rnnt": TRANSDUCER,
    "nemo-conformer-tdt": TRANSDUCER,
    "nemo-conformer-aed": AED,
    "gigaam-v2-ctc": ("v?_ctc{}.onnx", "v?_vocab.txt"),
    "gigaam-v2-rnnt": GIGAAM_RNNT,
    "gigaam-v3-e2e-ctc": ("v3_e2e_ctc{}.onnx", "v3_e2e_ctc_vocab.txt"),
    "gigaam-v3-e2e-rnnt": GIGAAM_E2E_RNNT,
    "gigaam-multilingual-ctc": ("multilingual*_ctc{}.onnx", "multilingual_vocab.txt"),
    "kaldi-rnnt": KALDI,
    "vosk": KALDI,
    "t-one-ctc": ("model{}.onnx", "vocab.json"),
}
#: Variants by the part of the file name before `.onnx`, best first.
VARIANTS = ("", ".fp16", ".int8", ".uint8", ".q4", ".bnb4")

#: 25 languages of Europe. Sources: the model cards of parakeet-tdt-0.6b-v3 and canary-1b-v2.
EUROPEAN = (
    "en", "bg", "hr", "cs", "da", "nl", "et", "fi", "fr", "de", "el", "hu", "it", "lv", "lt", "mt", "pl", "pt", "ro",
    "sk", "sl", "es", "sv", "ru", "uk",
)  # fmt: skip


class OnnxFacts(BaseModel):
    """What has to be known of a model. `type` is a key of `TYPES`; `languages` are tags, as in `EngineSpec`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: str | None = None
    languages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OnnxFiles:
    """The type and the variant of a model, and the names of its files."""

    type: str
    variant: str
    names: tuple[str, ...]

    @property
    def quantization(self) -> str | None:
        """The variant by onnx-asr's name."""
        return self.variant.removeprefix(".") or None


def find_files(names: Collection[str], variant: str | None = None, type_name: str | None = None) -> OnnxFiles | None:
    """Return the model that these files are, in this variant or the best one; None if one is missing.

    Several types have the same files; `type_name` says which one it is.
    """
    variants = VARIANTS if variant is None else (f".{variant}",)
    for type_, patterns in TYPES.items():
        if type_name not in (None, type_):
            continue
        for each in variants:
            found = [_match(names, pattern.format(each)) for pattern in patterns]
            if all(found):
                return OnnxFiles(type_, each, tuple(name for name in found if name))
    return None


def _match(names: Collection[str], pattern: str) -> str | None:
    """Return the only file that matches. A star does not match a slash."""
    found = [name for name in names if name.count("/") == pattern.count("/") and fnmatchcase(name, pattern)]
    exact = [name for name in found if ".onnx" not in pattern or name.count(".") == pattern.count(".")]
    return exact[0] if len(exact) == 1 else None


def select_files(names: Collection[str], variant: str | None = None) -> list[str]:
    """Return the files of the model, its weights that are stored separately, and its descriptions."""
    found = find_files(names, variant)
    if found is None:
        return []
    weights = [name for file in found.names for suffix in (".data", "_data") if (name := file + suffix) in names]
    return [*found.names, *weights, *(name for name in (CONFIG_FILE, FACTS_FILE) if name in names)]


def find_missing(names: Collection[str]) -> list[str]:
    """Return the names of the files that a model with these files lacks, of the type that lacks the fewest."""
    if find_files(names) is not None:
        return []
    types = ([pattern.format("") for pattern in patterns] for patterns in TYPES.values())
    lacking = [(len(each), [name for name in each if not _match(names, name)]) for each in types]
    return min(lacking, key=lambda each: (len(each[1]), -each[0]))[1]


@dataclass(frozen=True, slots=True)
class KnownFacts:
    """A known model: its repository on the hub, onnx-asr's type, and its languages."""

    name: str
    repository: str
    facts: OnnxFacts
    licence: str | None = None


def _known(name: str, repository: str, type_: str, *languages: str, licence: str | None = None) -> KnownFacts:
    return KnownFacts(name, repository, OnnxFacts(type=type_, languages=languages), licence)


#: Best first. Source of repositories and types: onnx-asr 0.12.0, resolver.py and loader.py.
KNOWN = (
    _known("parakeet-tdt-0.6b-v3", "istupakov/parakeet-tdt-0.6b-v3-onnx", "nemo-conformer-tdt", *EUROPEAN),
    _known("canary-1b-v2", "istupakov/canary-1b-v2-onnx", "nemo-conformer-aed", *EUROPEAN),
    _known("parakeet-tdt-0.6b-v2", "istupakov/parakeet-tdt-0.6b-v2-onnx", "nemo-conformer-tdt", "en"),
    _known("parakeet-rnnt-0.6b", "istupakov/parakeet-rnnt-0.6b-onnx", "nemo-conformer-rnnt", "en"),
    _known("parakeet-ctc-0.6b", "istupakov/parakeet-ctc-0.6b-onnx", "nemo-conformer-ctc", "en"),
    _known("gigaam-v3-e2e-rnnt", "istupakov/gigaam-v3-onnx", "gigaam-v3-e2e-rnnt", "ru"),
    _known("t-one", "t-tech/t-one", "t-one-ctc", "ru"),
    _known("vosk-model-ru", "alphacep/vosk-model-ru", "vosk", "ru"),
)
#: Of these models, the hub also has a smaller and faster variant, with 8-bit numbers.
WITH_INT8 = 5


def _make_known() -> dict[str, KnownModel]:
    full = [KnownModel(each.name, each.repository, licence=each.licence) for each in KNOWN]
    small = [
        KnownModel(f"{each.name}-int8", each.repository, licence=each.licence, variant="int8")
        for each in KNOWN[:WITH_INT8]
    ]
    return index_by_name(*full, *small)


def read_facts(folder: Path) -> OnnxFacts:
    """Return the type and the languages of the model in a folder: from `onnx.json`, or else from the known models.

    A model is known by the repository that it was pulled from, or by the name of its folder. `config.json` may also
    have the type. What is unknown stays empty. Raises `ValueError` if `onnx.json` is invalid.
    """
    given = _read_facts_file(folder)
    known = find_known(folder)
    type_ = given.type or (known.type if known else None) or _read_config_type(folder)
    return OnnxFacts(type=type_, languages=given.languages or (known.languages if known else ()))


def _read_facts_file(folder: Path) -> OnnxFacts:
    try:
        facts = OnnxFacts.model_validate_json((folder / FACTS_FILE).read_bytes())
    except FileNotFoundError:
        return OnnxFacts()
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        raise ValueError(f"{folder / FACTS_FILE}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from error
    unknown = [tag for tag in facts.languages if tag.partition("-")[0] not in REGIONS or not TAG.fullmatch(tag)]
    if unknown or facts.type not in (None, *TYPES):
        what = f"language {unknown[0]!r}" if unknown else f"type {facts.type!r}; use one of {', '.join(TYPES)}"
        raise ValueError(f"{folder / FACTS_FILE}: unknown {what}")
    return facts


def find_known(folder: Path) -> OnnxFacts | None:
    repository = read_origin(folder).repository
    names = {folder.name, folder.name.removesuffix("-int8"), folder.name.removesuffix("-onnx")}
    for each in KNOWN:
        if each.repository == repository or each.name in names or each.repository.replace("/", "--") == folder.name:
            return each.facts
    return None


def _read_config_type(folder: Path) -> str | None:
    try:
        config = json.loads((folder / CONFIG_FILE).read_bytes())
    except (FileNotFoundError, ValueError):
        return None
    found = config.get("model_type") if isinstance(config, dict) else None
    return found if isinstance(found, str) and found in TYPES else None


def read_languages(folder: Path) -> tuple[str, ...]:
    """Return the languages; none if they are unknown or `onnx.json` is invalid."""
    try:
        return read_facts(folder).languages
    except ValueError:
        return ()


def read_files(folder: Path, facts: OnnxFacts) -> OnnxFiles | None:
    return find_files(list_files(folder), type_name=facts.type)


ONNX_FORMAT = ModelFormat(
    engine=NAME,
    title="ONNX model for onnx-asr",
    select=select_files,
    find_missing=find_missing,
    read_languages=read_languages,
    known=_make_known(),
)
