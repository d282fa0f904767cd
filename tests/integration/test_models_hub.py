"""Pulling a model from a hub: a small test server that answers like the real one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from batchscribe.models.at_hand import ModelInfo, list_models
from batchscribe.models.known import KnownModel, index_by_name
from batchscribe.settings import load_settings
from batchscribe.speech.whisper_format import WHISPER_FORMAT
from tests.integration.pull_runner import Pulling
from tests.models.carriers import pinned
from tests.models.whisper import random_whisper
from tests.servers.model_hub import REPOSITORY, REVISION, Hub, serving

NAME = "large-v3-turbo"


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    folder = random_whisper(tmp_path / "repository")
    (folder / "README.md").write_text("not wanted")
    with serving(Hub(folder)) as running:
        yield running


@pytest.fixture
def pulling(tmp_path: Path, hub: Hub) -> Pulling:
    return Pulling(load_settings(data_dir=tmp_path / "data"), environment={"HF_ENDPOINT": hub.url})


def pulled(pulling: Pulling) -> ModelInfo:
    [info] = list_models(pulling.settings, [WHISPER_FORMAT])
    return info


def test_a_pulled_model_is_installed_under_its_name_with_its_revision(pulling: Pulling) -> None:
    assert pulling.pull(NAME) == ""
    info = pulled(pulling)
    assert (info.name, info.revision) == (NAME, REVISION)
    assert {file.name for file in info.path.iterdir()} == {
        *("config.json", "model.bin", "tokenizer.json", "vocabulary.json", "preprocessor_config.json"),
        "batchscribe.json",
    }


def test_it_says_its_licence_and_that_the_files_are_those_of_the_hub(pulling: Pulling) -> None:
    assert pulling.pull(NAME) == ""
    info = pulled(pulling)
    assert (info.licence, info.origin.source, info.origin.repository) == ("mit", "hub", REPOSITORY)
    assert {record.checked_against for record in info.origin.files.values()} == {"hub"}
    assert info.origin.is_checked


def test_a_repository_may_be_named_by_its_owner_and_name(pulling: Pulling) -> None:
    assert pulling.pull(REPOSITORY) == ""
    assert pulled(pulling).name == REPOSITORY


def test_an_installed_model_is_not_downloaded_again(hub: Hub, pulling: Pulling) -> None:
    pulling.pull(NAME)
    fetched = list(hub.served)
    assert pulling.pull(NAME) == ""
    assert hub.served == fetched


def test_a_model_of_which_a_file_was_lost_is_fetched_again(pulling: Pulling) -> None:
    pulling.pull(NAME)
    (pulled(pulling).path / "model.bin").unlink()
    assert pulling.pull(NAME) == ""
    assert (pulled(pulling).path / "model.bin").is_file()


def test_an_interrupted_download_is_not_installed_and_resumes_where_it_was(hub: Hub, pulling: Pulling) -> None:
    hub.broken.add("model.bin")
    assert "The model hub did not answer or closed the connection" in pulling.pull(NAME, "hub")
    assert list_models(pulling.settings, [WHISPER_FORMAT]) == []
    hub.broken.clear()
    assert pulling.pull(NAME, "hub") == ""
    assert hub.served.count("tokenizer.json") == 1
    assert len(list_models(pulling.settings, [WHISPER_FORMAT])) == 1


@pytest.mark.parametrize("name", ["model.bin", "config.json"])
def test_a_file_that_does_not_arrive_as_the_hub_has_it_is_refused_and_fetched_again(
    hub: Hub, pulling: Pulling, name: str
) -> None:
    hub.changed.add(name)
    complaint = pulling.pull(NAME, "hub")
    assert complaint.startswith(f"MODEL_DAMAGED: Model {NAME} could not be pulled. The downloaded {name} differs")
    assert list_models(pulling.settings, [WHISPER_FORMAT]) == []
    hub.changed.clear()
    assert pulling.pull(NAME, "hub") == ""


def test_a_pinned_file_counts_for_more_than_what_the_hub_says(hub: Hub, pulling: Pulling) -> None:
    """The publisher may have published another model under the same name."""
    weights = pinned(hub.folder / "model.bin")
    known = index_by_name(KnownModel(NAME, REPOSITORY, files=(weights,)))
    assert Pulling(pulling.settings, known, pulling.environment).pull(NAME, "hub") == ""
    standards = {name: record.checked_against for name, record in pulled(pulling).origin.files.items()}
    assert standards.pop("model.bin") == "pinned"
    assert set(standards.values()) == {"hub"}
    pulled(pulling).path.rename(pulling.settings.data_dir / "elsewhere")
    with (hub.folder / "model.bin").open("ab") as file:
        file.write(b"more")
    complaint = Pulling(pulling.settings, known, pulling.environment).pull(NAME, "hub")
    assert f"model.bin in {REPOSITORY} differs from the publisher's file: {weights.size_bytes + 4} bytes" in complaint
    assert list_models(pulling.settings, [WHISPER_FORMAT]) == []


def test_a_repository_without_a_whisper_model_is_reported_and_leaves_nothing(hub: Hub, pulling: Pulling) -> None:
    (hub.folder / "model.bin").rename(hub.folder / "model.safetensors")
    complaint = pulling.pull(NAME, "hub")
    assert f"{REPOSITORY} is not a complete Whisper model in CTranslate2 format; missing: model.bin." in complaint
    assert hub.served == []
    assert [path for path in pulling.settings.models_dir.iterdir() if path.is_dir()] == []


def test_a_repository_that_does_not_exist_is_named(pulling: Pulling) -> None:
    assert "The model hub has no public repository nobody/nothing." in pulling.pull("nobody/nothing")


def test_an_offline_hub_gets_no_request(hub: Hub, pulling: Pulling) -> None:
    pulling.environment["HF_HUB_OFFLINE"] = "1"
    assert "HF_HUB_OFFLINE is set" in pulling.pull(NAME, "hub")
    assert hub.served == []
