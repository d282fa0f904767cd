"""The report of a dry run: counts, the first transcripts, warnings."""

from __future__ import annotations

from dataclasses import dataclass, field

from batchscribe.errors import OutputNameTooLong
from batchscribe.jobs.layout import OutputNames
from batchscribe.jobs.model import Job
from batchscribe.jobs.source import SourceKind
from batchscribe.stages.listing import ListedObject, ListingPage
from batchscribe.stages.page_plan import AdmittedFile, PagePlan, Rules, admit_files, plan_page
from batchscribe.wire.base import JsonObject
from batchscribe.wire.choices import FileState
from batchscribe.wire.uris import without_query

MOST_PLANNED = 100  # extensions.md, row 1


@dataclass(slots=True)
class Preview:
    """The counts so far; `complete` is true once the whole listing was read."""

    job: Job
    complete: bool = False
    matched: int = 0
    skipped: int = 0
    refused: int = 0  #: named individually, in a format that is not transcribed
    excluded: int = 0
    missing: int = 0
    too_long: int = 0  #: files whose transcripts' names are too long
    renamed: int = 0
    existing: int = 0  #: planned transcripts that exist and are not replaced
    bytes: int = 0
    audio_sec: float = 0.0
    planned: list[tuple[str, str]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def body(self) -> JsonObject:
        return {
            "dry_run": True,
            "complete": self.complete,
            "matched": self.matched,
            "skipped": self.skipped,
            "excluded": self.excluded,
            "bytes": self.bytes,
            "estimated_audio_hours": round(self.audio_sec / 3600, 6),
            "planned": [{"input_uri": without_query(uri), "output_uri": output} for uri, output in self.planned],
            "warnings": self.warnings(),
            "input": dict(self.job.input),
            "output": self.job.output.echo(),
            "config": self.job.config.echo(),
        }

    def warnings(self) -> list[str]:
        found = list(self.problems)
        if self.complete and not self.matched:
            found.append("No file would be transcribed; check the input's URI and the filters.")
        if self.refused:
            found.append(f"Named files without the extension of a recording, which would fail: {self.refused}.")
        if self.too_long:
            found.append(
                "Files that would fail because the names of their transcripts are longer than the storage allows: "
                f"{self.too_long}."
            )
        if self.missing:
            found.append(f"Named files that were not found and would fail: {self.missing}.")
        if self.existing:
            among = f" among the first {len(self.planned)}" if self.matched > len(self.planned) else ""
            found.append(
                f"Transcripts{among} that already exist: {self.existing}. Their files would be skipped; allow "
                "overwriting to replace them."
            )
        if self.renamed:
            found.append(
                f"Transcripts that get another name, because the first belongs to another recording: {self.renamed}."
            )
        return found

    def count(self, page: ListingPage, names: OutputNames, rules: Rules) -> None:
        """Add the files of one page of the listing."""
        wanted = admit_files(page, self.job, rules)
        planned = plan_page(self.job, wanted, names, rules)
        self.excluded += sum(1 for found in page.found if _is_listed(found)) - sum(
            1 for each in wanted if _is_listed(each.found)
        )
        self.skipped += planned.counted.skipped
        too_long = sum(1 for row in planned.rows if row["error_code"] == OutputNameTooLong.code)
        self.too_long += too_long
        self.refused += planned.counted.failed - too_long
        self.audio_sec += planned.audio_sec
        self._count_rows(wanted, planned)

    def _count_rows(self, wanted: list[AdmittedFile], planned: PagePlan) -> None:
        for each, row in zip(wanted, planned.rows, strict=True):
            if row["state"] is not FileState.QUEUED:
                continue
            self.matched += 1
            self.bytes += row["size_bytes"] or 0
            self.renamed += row["output_uri"] != each.output_uri
            if len(self.planned) < MOST_PLANNED:
                self.planned.append((row["input_uri"], row["output_uri"]))


def _is_listed(found: ListedObject) -> bool:
    """Return whether it comes from a listing, rather than being named individually."""
    return found.source.kind is SourceKind.PREFIX
