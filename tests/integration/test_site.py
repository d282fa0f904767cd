"""The site of the documents, built strictly as `make check` does, and its links as a browser sees them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from tests.built_site import build_site, copy_documents, pages_in_navigation
from tests.documents import ROOT


@dataclass
class Page(HTMLParser):
    """The anchors and links of a page. `loaded` is what a browser fetches to show it."""

    anchors: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)
    loaded: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value for name, value in attrs if value}
        self.anchors |= {values[name] for name in ("id", "name") if name in values}
        if tag == "a" and "href" in values:
            self.links.append(values["href"])
        loaded = values.get("href") if tag == "link" else values.get("src")
        self.loaded += [loaded] if loaded else []


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    copy_documents(folder)
    done = build_site(folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "build" / "site"


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Page]:
    found = {}
    for path in site.glob("*.html"):
        if path.name != "404.html":  # its addresses are those of the published site
            page = found[path] = Page()
            page.feed(path.read_text())
    return found


def test_the_navigation_has_every_document_once() -> None:
    assert sorted(pages_in_navigation()) == sorted(path.name for path in (ROOT / "docs").glob("*.md"))


def test_every_document_is_a_page(pages: dict[Path, Page]) -> None:
    assert {path.stem for path in pages} == {Path(name).stem for name in pages_in_navigation()}


def test_every_link_and_anchor_of_the_pages_exists(site: Path, pages: dict[Path, Page]) -> None:
    broken = [
        f"{path.name}: {link}" for path, page in pages.items() for link in page.links if not leads(link, path, pages)
    ]
    assert broken == []


def leads(link: str, path: Path, pages: dict[Path, Page]) -> bool:
    parts = urlsplit(link)
    if parts.scheme:
        return True
    target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
    if target.is_dir():
        target /= "index.html"
    return target.is_file() and (not parts.fragment or unquote(parts.fragment) in pages[target].anchors)


def test_a_page_loads_nothing_from_another_server(pages: dict[Path, Page]) -> None:
    loaded = {address for page in pages.values() for address in page.loaded}
    assert loaded
    assert {address for address in loaded if urlsplit(address).netloc} == set()


@pytest.mark.parametrize("link", ["missing.md", "errors.md#no-such-heading", "../README.md"])
def test_a_broken_link_fails_the_build(link: str, tmp_path: Path) -> None:
    document = copy_documents(tmp_path) / "fuzz.md"
    document.write_text(f"{document.read_text()}\n[broken]({link})\n")
    done = build_site(tmp_path)
    assert done.returncode != 0
    assert "fuzz.md" in re.sub(r"\x1b\[[0-9;]*m", "", done.stdout + done.stderr)
