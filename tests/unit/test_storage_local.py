"""`file://` stays inside its roots, and leaves no partial files."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from batchscribe.errors import (
    AccessDenied,
    BucketNotFound,
    LocationNotAllowed,
    ObjectChanged,
    ObjectNotFound,
    StorageError,
    StorageFull,
    StorageUnavailable,
)
from batchscribe.storage.access import Access
from batchscribe.storage.local import local_write
from batchscribe.storage.local.local_recording import storage_error
from batchscribe.storage.schemes import connect
from batchscribe.storage.store import Store

NOBODY = 65534


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "root" / "in").mkdir(parents=True)
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret.wav").write_bytes(b"secret")
    return tmp_path / "root"


@pytest.fixture
def store(root: Path) -> Store:
    return connect(Access(file_roots=(root,)))


def names(store: Store, folder: Path, after: Path | None = None) -> list[str]:
    pages = store.list(folder.as_uri() + "/", after=after.as_uri() if after else None)
    return [info.uri.removeprefix(folder.as_uri() + "/") for page in pages for info in page if not info.is_link]


def links(store: Store, folder: Path) -> list[str]:
    found = [info for page in store.list(folder.as_uri() + "/") for info in page if info.is_link]
    return [info.uri.removeprefix(folder.as_uri() + "/") for info in found]


def test_a_link_to_a_file_outside_is_neither_listed_nor_opened_nor_written_through(store: Store, root: Path) -> None:
    link = root / "in" / "link.wav"
    link.symlink_to(root.parent / "outside" / "secret.wav")
    assert names(store, root) == []
    for ask in (store.stat, store.open):
        with pytest.raises(LocationNotAllowed, match="symbolic link"):
            ask(link.as_uri())
    with pytest.raises(LocationNotAllowed, match="symbolic link"):
        store.write(link.as_uri(), b"{}", overwrite=True)
    assert (root.parent / "outside" / "secret.wav").read_bytes() == b"secret"


def test_a_link_to_a_folder_outside_is_not_walked_through(store: Store, root: Path) -> None:
    (root / "door").symlink_to(root.parent / "outside")
    assert names(store, root) == []
    with pytest.raises(LocationNotAllowed, match="symbolic link"):
        store.open((root / "door" / "secret.wav").as_uri())
    with pytest.raises(LocationNotAllowed, match="symbolic link"):
        store.write((root / "door" / "new.json").as_uri(), b"{}", overwrite=False)
    with pytest.raises(LocationNotAllowed, match="symbolic link"):
        names(store, root / "door")
    assert [path.name for path in (root.parent / "outside").iterdir()] == ["secret.wav"]


def test_links_are_listed_as_links_and_never_followed(store: Store, root: Path) -> None:
    (root / "a.wav").symlink_to(root.parent / "outside" / "secret.wav")
    (root / "door").symlink_to(root.parent / "outside")
    (root / "in" / "broken.wav").symlink_to("nothing")
    assert links(store, root) == ["a.wav", "door", "in/broken.wav"]


def test_a_loop_of_links_does_not_stop_a_listing(store: Store, root: Path) -> None:
    (root / "in" / "loop").symlink_to(root)
    (root / "in" / "self").symlink_to("self")
    (root / "in" / "a.wav").write_bytes(b"x")
    assert names(store, root) == ["in/a.wav"]


def test_a_root_may_itself_be_reached_through_a_link(root: Path) -> None:
    (root / "in" / "a.wav").write_bytes(b"x")
    alias = root.parent / "alias"
    alias.symlink_to(root)
    store = connect(Access(file_roots=(alias,)))
    assert names(store, alias) == names(store, root) == ["in/a.wav"]
    assert store.stat((alias / "in" / "a.wav").as_uri()).size == 1


def test_a_listing_is_in_folder_order_and_resumes_from_any_file(store: Store, root: Path) -> None:
    order = ["a/b.wav", "a/c/d.wav", "a/c.wav", "a.wav", "a0.wav", "ä b.wav", "\udcff.wav"]
    for name in order:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"x")
    encoded = [(root / name).as_uri().removeprefix(root.as_uri() + "/") for name in order]
    assert names(store, root) == encoded
    for seen, name in enumerate(order):
        assert names(store, root, after=root / name) == encoded[seen + 1 :]
    assert names(store, root, after=root / "a" / "gone.wav") == encoded[3:]
    assert names(store, root / "a", after=root / "a" / "b.wav") == ["c/d.wav", "c.wav"]


def test_pipes_and_sockets_are_not_listed_and_opening_one_does_not_wait(store: Store, root: Path) -> None:
    pipe = root / "in" / "pipe.wav"
    os.mkfifo(pipe)
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(root / "in" / "socket.wav"))
        assert names(store, root) == []
    with pytest.raises(StorageError, match="not a regular file"):
        store.open(pipe.as_uri())


def test_a_folder_is_not_a_recording(store: Store, root: Path) -> None:
    for uri in (root.as_uri(), (root / "in").as_uri() + "/", root.as_uri() + "/"):
        with pytest.raises(ObjectNotFound, match="is a folder"):
            store.open(uri)
    with pytest.raises(StorageError, match="not a regular file"):
        store.open((root / "in").as_uri())


def test_a_missing_folder_is_an_error_and_an_empty_one_is_not(store: Store, root: Path) -> None:
    assert names(store, root / "in") == []
    with pytest.raises(BucketNotFound, match="no folder"):
        names(store, root / "none")


def test_a_folder_that_cannot_be_listed_is_named_and_not_left_out() -> None:
    with TemporaryDirectory() as name:  # not tmp_path, which every user can read
        root = Path(name)
        root.chmod(0o755)
        (root / "a.wav").write_bytes(b"x")
        (root / "closed").mkdir(mode=0)
        with as_ordinary_user(), pytest.raises(AccessDenied, match="/closed/ is not accessible to this user"):
            names(connect(Access(file_roots=(root,))), root)
        (root / "closed").chmod(0o755)


def test_folders_nested_without_end_are_refused(store: Store, root: Path) -> None:
    folder = os.open(root, os.O_RDONLY)
    for _ in range(300):
        os.mkdir("d", dir_fd=folder)
        below = os.open("d", os.O_RDONLY, dir_fd=folder)
        os.close(folder)
        folder = below
    os.close(folder)
    with pytest.raises(StorageError, match="more than 200 folders deep"):
        names(store, root)


def test_a_write_that_fails_leaves_nothing_behind(store: Store, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_file: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError, match="free some space"):
        store.write((root / "in" / "a.json").as_uri(), b"{}", overwrite=False)
    assert list((root / "in").iterdir()) == []


def test_a_draft_that_a_crash_left_is_never_listed(store: Store, root: Path) -> None:
    (root / "in" / f"{local_write.DRAFT_PREFIX}12.wav").write_bytes(b"half")
    (root / "in" / ".hidden.wav").write_bytes(b"x")
    assert names(store, root) == ["in/.hidden.wav"]


@pytest.mark.parametrize("overwrite", [True, False])
def test_a_written_file_stands_alone_in_folders_made_for_it(store: Store, root: Path, overwrite: bool) -> None:
    store.write((root / "out" / "2026" / "a b.json").as_uri(), b"{}", overwrite=overwrite)
    assert [path.name for path in (root / "out" / "2026").iterdir()] == ["a b.json"]
    assert (root / "out" / "2026" / "a b.json").stat().st_mode & 0o777 == 0o666 & ~current_umask()


def test_a_file_system_without_hard_links_keeps_the_same_promise(
    store: Store, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_links(*_args: object, **_options: object) -> None:
        raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))

    monkeypatch.setattr(os, "link", no_links)
    uri = (root / "a.json").as_uri()
    store.write(uri, b"first", overwrite=False)
    with pytest.raises(StorageError, match="already exists"):
        store.write(uri, b"second", overwrite=False)
    assert (root / "a.json").read_bytes() == b"first"
    assert sorted(path.name for path in root.iterdir()) == ["a.json", "in"]


@pytest.mark.parametrize(
    ("number", "kind", "words"),
    [
        (errno.EROFS, AccessDenied, "read-only"),
        (errno.EACCES, AccessDenied, "permissions"),
        (errno.EDQUOT, StorageFull, "free some space"),
        (errno.ESTALE, StorageUnavailable, "at the moment"),
        (errno.ENAMETOOLONG, StorageError, "too long"),
    ],
)
def test_the_reason_of_the_file_system_reaches_the_user(number: int, kind: type[StorageError], words: str) -> None:
    told = storage_error(OSError(number, ""), "file:///data/a.wav")
    assert type(told) is kind
    assert words in str(told)
    assert "file:///data/a.wav" in str(told)


def test_no_descriptor_stays_open(store: Store, root: Path) -> None:
    (root / "in" / "a.wav").write_bytes(b"x")
    before = open_descriptors()
    with store.open((root / "in" / "a.wav").as_uri()) as recording:
        recording.read(0, 1)
    with pytest.raises(ObjectNotFound):
        store.open((root / "in" / "none.wav").as_uri())
    store.write((root / "out" / "a.json").as_uri(), b"{}", overwrite=False)
    next(iter(store.list(root.as_uri() + "/")))
    assert open_descriptors() == before


def open_descriptors() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


@contextmanager
def as_ordinary_user() -> Iterator[None]:
    """Become an ordinary user for some time, because root may read everything."""
    before = os.geteuid()
    os.seteuid(before or NOBODY)
    try:
        yield
    finally:
        os.seteuid(before)


def current_umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


@pytest.mark.parametrize("kind", ["folder", "link", "pipe", "socket"])
def test_an_output_replaces_nothing_but_a_regular_file(store: Store, root: Path, kind: str) -> None:
    output = root / "a.json"
    with socket.socket(socket.AF_UNIX) as listener:
        match kind:
            case "folder":
                output.mkdir()
            case "link":
                output.symlink_to(root.parent / "outside" / "secret.wav")
            case "pipe":
                os.mkfifo(output)
            case "socket":
                with TemporaryDirectory(dir="/tmp") as short:  # paths of sockets are short
                    listener.bind(f"{short}/s")
                    Path(short, "s").rename(output)
        before = output.lstat()
        with pytest.raises(LocationNotAllowed):
            store.write(output.as_uri(), b"{}", overwrite=True)
        assert output.lstat().st_ino == before.st_ino
    assert (root.parent / "outside" / "secret.wav").read_bytes() == b"secret"
    assert sorted(path.name for path in root.iterdir()) == ["a.json", "in"]


def test_an_output_that_replaces_a_hard_link_leaves_the_other_name_alone(store: Store, root: Path) -> None:
    os.link(root.parent / "outside" / "secret.wav", root / "a.json")
    store.write((root / "a.json").as_uri(), b"{}", overwrite=True)
    assert (root.parent / "outside" / "secret.wav").read_bytes() == b"secret"
    assert (root / "a.json").read_bytes() == b"{}"


@pytest.mark.parametrize("meanwhile", [b"HELLO", b"hel", b"hello, world"], ids=["written to", "shrunk", "grown"])
def test_a_file_that_changes_while_it_is_read_is_an_error_and_not_a_mixture(
    store: Store, root: Path, meanwhile: bytes
) -> None:
    path = root / "in" / "a.wav"
    path.write_bytes(b"hello")
    os.utime(path, ns=(1, 1))  # long ago: clocks of file systems are coarse
    with store.open(path.as_uri()) as recording:
        assert recording.read(0, 2) == b"he"
        path.write_bytes(meanwhile)
        with pytest.raises(ObjectChanged, match="while it was being read"):
            recording.read(2, 3)
