"""The store in memory behaves like the one on disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from batchscribe.errors import ObjectChanged, ObjectNotFound, OutputExists, StorageError
from batchscribe.storage.access import Access
from batchscribe.storage.memory import MemoryStore
from batchscribe.storage.schemes import connect
from batchscribe.storage.store import Store


@pytest.fixture(params=["memory", "file"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Store, str]:
    """A store, and the URI of an empty folder in it."""
    if request.param == "memory":
        return MemoryStore(), "memory://bucket"
    return connect(Access(file_roots=(tmp_path,))), tmp_path.as_uri()


def test_what_is_written_is_read_back_in_any_range(place: tuple[Store, str]) -> None:
    store, base = place
    store.write(f"{base}/out/a.json", b"0123456789", overwrite=False)
    with store.open(f"{base}/out/a.json") as recording:
        assert (recording.uri, recording.size) == (f"{base}/out/a.json", 10)
        assert recording.etag == store.stat(recording.uri).etag
        assert recording.read(2, 3) == b"234"
        assert recording.read(8, 100) == b"89"
        assert recording.read(10, 5) == recording.read(99, 5) == b""


def test_an_object_that_exists_is_replaced_only_when_told_to(place: tuple[Store, str]) -> None:
    store, base = place
    store.write(f"{base}/a.json", b"first", overwrite=False)
    with pytest.raises(OutputExists, match=r"a\.json already exists"):
        store.write(f"{base}/a.json", b"second", overwrite=False)
    assert store.read(f"{base}/a.json", limit_bytes=10) == b"first"
    store.write(f"{base}/a.json", b"third!", overwrite=True)
    assert store.read(f"{base}/a.json", limit_bytes=10) == b"third!"


def test_an_object_larger_than_the_limit_is_not_read_whole(place: tuple[Store, str]) -> None:
    store, base = place
    store.write(f"{base}/a.json", b"12345", overwrite=False)
    assert store.read(f"{base}/a.json", limit_bytes=5) == b"12345"
    with pytest.raises(StorageError, match="larger than 4 bytes"):
        store.read(f"{base}/a.json", limit_bytes=4)


def test_a_missing_object_is_named(place: tuple[Store, str]) -> None:
    store, base = place
    for ask in (store.stat, store.open):
        with pytest.raises(ObjectNotFound, match=r"none\.wav"):
            ask(f"{base}/none.wav")


def test_an_object_that_changes_while_it_is_read_is_an_error(place: tuple[Store, str], tmp_path: Path) -> None:
    store, base = place
    store.write(f"{base}/a.wav", b"first", overwrite=False)
    with store.open(f"{base}/a.wav") as recording:
        if base.startswith("file"):
            (tmp_path / "a.wav").write_bytes(b"second!")
        else:
            store.write(f"{base}/a.wav", b"second!", overwrite=True)
        with pytest.raises(ObjectChanged, match="run it again"):
            recording.read(0, 5)


def test_a_listing_has_pages_and_resumes_from_any_object(place: tuple[Store, str]) -> None:
    store, base = place
    uris = [f"{base}/in/{number:04}.wav" for number in range(1002)]
    for uri in uris:
        store.write(uri, b"x", overwrite=True)
    store.write(f"{base}/in2/other.wav", b"x", overwrite=True)
    pages = list(store.list(f"{base}/in/"))
    assert [len(page) for page in pages] == [1000, 2]
    assert [info.uri for page in pages for info in page] == uris
    assert [info.uri for page in store.list(f"{base}/in/", after=uris[4]) for info in page] == uris[5:]
