"""XML answers of storage: pages of listings."""

from __future__ import annotations

from xml.etree import ElementTree

from batchscribe.storage.answer_checks import is_web_page, nonsense
from batchscribe.storage.listing_checks import MAX_PAGE_BYTES

#: The limit for a page; 1,000 objects have about 20,000. Python's parser blocks all other threads, and millions of tags
#: take seconds.
MAX_PAGE_TAGS = 200_000


def parse_page(body: bytes, root: str, uri: str, service: str) -> ElementTree.Element:
    """Return the root element of a page. Raises `StorageAnswerInvalid` if it is too large or has another root."""
    if len(body) > MAX_PAGE_BYTES or body.count(b"<") + body.count(b"=") > MAX_PAGE_TAGS:
        raise nonsense(uri, "a page of its listing is larger than 1,000 keys can be")
    if is_web_page(body):
        raise nonsense(uri, "it answered with a web page, as a login page or a proxy does")
    try:
        page = ElementTree.fromstring(body)  # noqa: S314 (expat limits what entities expand to)
    except (ElementTree.ParseError, LookupError, ValueError):  # also for an unknown encoding
        page = None
    if page is None or tag_of(page) != root:
        raise nonsense(uri, f"it is not {service} listing")
    return page


def tag_of(element: ElementTree.Element) -> str:
    """Return the tag without its namespace."""
    return element.tag.rpartition("}")[2]


def text_of(element: ElementTree.Element, name: str) -> str:
    """Return the text of a child; empty if there is no such child."""
    found = next((child for child in element if tag_of(child) == name), None)
    return (found.text or "") if found is not None else ""
