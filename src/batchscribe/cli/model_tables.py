"""What is told about speech models: as tables, and as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.table import Table

from batchscribe.cli.console import console
from batchscribe.cli.places import printable
from batchscribe.settings import Settings
from batchscribe.speech.models import ModelInfo
from batchscribe.speech.models.origin import Origin
from batchscribe.speech.models.verify import FileVerdict
from batchscribe.speech.registry import speed_of
from batchscribe.wire.model import JsonObject

MB = 1_000_000
UNKNOWN = "unknown"
#: What the hashes of files were compared with, in words.
STANDARDS = {"pinned": "the publisher's hashes", "hub": "the hub's hashes", "pull": "itself when it was pulled"}


def described(model: ModelInfo, settings: Settings) -> JsonObject:
    origin = model.origin
    return {
        "name": model.name,
        "path": str(model.path),
        "size_bytes": model.size_bytes,
        "languages": list(model.languages),
        "licence": model.licence,
        "source": origin.source,
        "places": list(origin.places),
        "repository": origin.repository,
        "revision": model.revision,
        "checked": origin.is_checked,
        "checked_against": {name: record.checked_against for name, record in origin.files.items()},
        "speed": round(speed_of(model, settings), 1),
    }


def show_models(models: Sequence[ModelInfo], settings: Settings) -> None:
    table = Table("model", "size", "languages", "licence", "origin", "checked", "speed", box=None)
    for model in models:
        table.add_row(
            model.name,
            f"{model.size_bytes / MB:.0f} MB",
            f"{len(model.languages)}" if len(model.languages) > 1 else ", ".join(model.languages),
            model.licence or UNKNOWN,
            printable(origin_of(model.origin)),
            check_of(model.origin),
            f"about {speed_of(model, settings):.1f}x",
        )
    console().print(table, soft_wrap=False)


def show_pulled(model: ModelInfo) -> None:
    console().print(f"{model.name} is in {printable(str(model.path))}; its files were {check_of(model.origin)}.")


def origin_of(origin: Origin) -> str:
    """Who publishes it, and the way it came."""
    match origin.source:
        case "folder":
            return origin.places[0]
        case "hub" | "index":
            return f"{origin.repository}, from the {origin.source}"
    return origin.repository or UNKNOWN


def check_of(origin: Origin) -> str:
    """`checked against the publisher's hashes`; when only some files were, their names behind it."""
    checked = {name: record.checked_against for name, record in origin.files.items() if record.checked_against}
    if not checked:
        return "not checked"
    words = "checked against " + " and ".join(
        STANDARDS[standard] for standard in sorted(set(checked.values()), reverse=True)
    )
    return words if origin.is_checked else f"{words} ({', '.join(checked)})"


def judged(verdicts: Mapping[str, Sequence[FileVerdict]]) -> list[JsonObject]:
    return [
        {
            "name": name,
            "ok": not any(each.is_wrong for each in of_model),
            "files": [
                {"file": each.file, "verdict": each.verdict.value, "against": each.against, "fault": each.fault}
                for each in of_model
            ],
        }
        for name, of_model in verdicts.items()
    ]


def show_verdicts(verdicts: Mapping[str, Sequence[FileVerdict]]) -> None:
    table = Table("model", "file", "result", "compared with", box=None)
    for name, of_model in verdicts.items():
        for each in of_model:
            result = f"{each.verdict}: {each.fault}" if each.fault else each.verdict.value
            table.add_row(name, each.file, result, STANDARDS[each.against] if each.against else "")
    output = console()
    output.print(table, soft_wrap=False)
    for name, of_model in verdicts.items():
        if any(each.is_wrong for each in of_model):
            again = f"`batchscribe models remove {name}` and `batchscribe models pull {name}` get it again"
            output.print(f"Model {name} is not as it should be; {again}.")
