"""Pulling a model from a hub: a small server of our own that answers as the real one does."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from batchscribe.settings import Settings, load_settings
from batchscribe.speech.models import list_models
from tests.models.whisper import random_whisper

REVISION = "0123456789abcdef0123456789abcdef01234567"
REPOSITORY = "mobiuslabsgmbh/faster-whisper-large-v3-turbo"
PROGRAM = """
import sys
from batchscribe.errors import EngineNotAvailable
from batchscribe.settings import load_settings
from batchscribe.speech.models import pull_model

try:
    pull_model(sys.argv[1], load_settings(data_dir=sys.argv[2]))
except EngineNotAvailable as error:
    sys.exit(str(error))
"""


@dataclass
class Hub:
    """One repository with the files of `folder`; those in `broken` break off after half their bytes."""

    folder: Path
    url: str = ""
    broken: set[str] = field(default_factory=set)
    served: list[str] = field(default_factory=list)

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        path = request.path.partition("?")[0]
        if path.startswith(f"/api/models/{REPOSITORY}/tree/"):
            reply_json(request, [entry(file) for file in sorted(self.folder.iterdir())])
        elif path.startswith(f"/api/models/{REPOSITORY}"):
            reply_json(request, {"id": REPOSITORY, "sha": REVISION, "siblings": [], "private": False})
        elif path.startswith(f"/{REPOSITORY}/resolve/"):
            self.reply_file(request, self.folder / path.rpartition("/")[2])
        else:
            request.send_response(404)
            request.send_header("X-Error-Code", "RepoNotFound")
            request.send_header("Content-Length", "0")
            request.end_headers()

    def reply_file(self, request: BaseHTTPRequestHandler, file: Path) -> None:
        body = file.read_bytes()
        request.send_response(200)
        request.send_header("Content-Length", str(len(body)))
        request.send_header("ETag", f'"{etag(file)}"')
        request.send_header("X-Repo-Commit", REVISION)
        request.end_headers()
        if request.command == "HEAD":
            return
        if file.name in self.broken:
            request.wfile.write(body[: len(body) // 2])
            request.close_connection = True
            return
        self.served.append(file.name)
        request.wfile.write(body)


def reply_json(request: BaseHTTPRequestHandler, answer: object) -> None:
    body = json.dumps(answer).encode()
    request.send_response(200)
    request.send_header("Content-Type", "application/json")
    request.send_header("Content-Length", str(len(body)))
    request.end_headers()
    request.wfile.write(body)


def etag(file: Path) -> str:
    """As git names the file's content."""
    body = file.read_bytes()
    return hashlib.sha1(b"blob %d\0" % len(body) + body).hexdigest()  # noqa: S324


def entry(file: Path) -> dict[str, object]:
    return {"type": "file", "path": file.name, "size": file.stat().st_size, "oid": etag(file)}


@contextmanager
def serving(hub: Hub) -> Iterator[Hub]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            hub.answer(self)

        do_HEAD = do_GET  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        hub.url = f"http://127.0.0.1:{server.server_address[1]}"
        Thread(target=server.serve_forever, daemon=True).start()
        yield hub
        server.shutdown()


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    folder = random_whisper(tmp_path / "repository")
    (folder / "README.md").write_text("not wanted")
    with serving(Hub(folder)) as running:
        yield running


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(data_dir=tmp_path / "data")


def pull(name: str, settings: Settings, url: str) -> str:
    """In a process of its own, because the hub's library reads its address once; returns what it complains about."""
    environment = {"HF_ENDPOINT": url, "HF_HOME": str(settings.data_dir / "hub"), "HF_HUB_DISABLE_XET": "1"}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, name, str(settings.data_dir)],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    return done.stderr.strip().rpartition("\n")[2] if done.returncode else ""


def test_a_pulled_model_is_at_hand_under_its_name_with_its_revision(hub: Hub, settings: Settings) -> None:
    assert pull("large-v3-turbo", settings, hub.url) == ""
    [info] = list_models(settings)
    assert (info.name, info.revision) == ("large-v3-turbo", REVISION)
    assert {file.name for file in info.path.iterdir()} == {
        *("config.json", "model.bin", "tokenizer.json", "vocabulary.json", "preprocessor_config.json"),
        "batchscribe.json",
    }


def test_a_repository_may_be_named_by_its_owner_and_name(hub: Hub, settings: Settings) -> None:
    assert pull(REPOSITORY, settings, hub.url) == ""
    assert [info.name for info in list_models(settings)] == [REPOSITORY]


def test_a_model_that_is_at_hand_is_not_fetched_again(hub: Hub, settings: Settings) -> None:
    pull("large-v3-turbo", settings, hub.url)
    fetched = list(hub.served)
    assert pull("large-v3-turbo", settings, hub.url) == ""
    assert hub.served == fetched


def test_a_download_that_breaks_off_is_not_at_hand_and_goes_on_where_it_was(hub: Hub, settings: Settings) -> None:
    hub.broken.add("model.bin")
    complaint = pull("large-v3-turbo", settings, hub.url)
    assert "could not be downloaded" in complaint
    assert list_models(settings) == []
    hub.broken.clear()
    assert pull("large-v3-turbo", settings, hub.url) == ""
    assert hub.served.count("tokenizer.json") == 1
    assert len(list_models(settings)) == 1


def test_a_repository_that_is_no_whisper_model_is_told_so_and_leaves_nothing(hub: Hub, settings: Settings) -> None:
    (hub.folder / "model.bin").rename(hub.folder / "model.safetensors")
    complaint = pull("large-v3-turbo", settings, hub.url)
    assert complaint == f"{REPOSITORY} is no Whisper model in CTranslate2's format: model.bin missing."
    assert list(settings.models_dir.iterdir()) == []


def test_a_repository_that_does_not_exist_is_named(hub: Hub, settings: Settings) -> None:
    assert pull("nobody/nothing", settings, hub.url) == "The model hub has no public repository nobody/nothing."


def test_without_a_hub_in_reach_the_next_step_is_told(settings: Settings) -> None:
    complaint = pull("tiny", settings, "http://127.0.0.1:9")
    assert "check the connection to the model hub" in complaint
    assert "BATCHSCRIBE_WHISPER_MODEL" in complaint
