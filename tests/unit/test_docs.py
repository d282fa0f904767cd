"""The documents' links and examples, and the table of modules."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.documents import DOCUMENTS, ROOT, code_blocks, prose

LINK = re.compile(r"\]\((?!\w+:)([^)#\s]*)(?:#([^)\s]+))?\)")


def anchors(document: Path) -> set[str]:
    """The anchors that headings get: lower case, words joined by dashes, no punctuation."""
    headings = re.findall(r"^#+ (.+)$", prose(document), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken_links(document: Path) -> list[str]:
    broken = []
    for target, anchor in LINK.findall(prose(document)):
        path = (document.parent / target) if target else document
        if not path.exists() or (anchor and anchor not in anchors(path)):
            broken.append(f"{target}#{anchor}")
    return broken


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_leads_somewhere(document: Path) -> None:
    assert broken_links(document) == []


def test_a_link_to_a_missing_file_or_heading_is_found(tmp_path: Path) -> None:
    document = tmp_path / "a.md"
    document.write_text("# A head, here\n[1](a.md#a-head-here) [2](b.md) [3](#nowhere) [4](https://example.org)\n")
    assert broken_links(document) == ["b.md#", "#nowhere"]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_json_example_is_json(document: Path) -> None:
    for example in code_blocks(document, "json"):
        json.loads(example)


def test_every_document_is_reached_from_the_readme() -> None:
    """Directly, or through the first page of the site, which has them all."""
    assert "docs/index.md" in targets(ROOT / "README.md")
    in_docs = {document.name for document in DOCUMENTS if document.parent == ROOT / "docs"}
    assert in_docs - {"index.md"} <= targets(ROOT / "docs" / "index.md")


def targets(document: Path) -> set[str]:
    return {target for target, _ in LINK.findall(prose(document))}
