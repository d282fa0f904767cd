"""The table of known models is consistent."""

from __future__ import annotations

import re

import pytest

from batchscribe.models.known import REPOSITORY, KnownModel
from batchscribe.speech.whisper_format import missing_names
from batchscribe.speech.whisper_known import KNOWN_MODELS

MODELS = list(KNOWN_MODELS.values())
by_its_name = pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)


@by_its_name
def test_every_model_is_known_by_its_own_name_and_has_a_repository(model: KnownModel) -> None:
    assert KNOWN_MODELS[model.name] is model
    assert REPOSITORY.fullmatch(model.repository)
    assert "/" not in model.name


@by_its_name
def test_hashes_are_sha256_and_no_two_files_share_one(model: KnownModel) -> None:
    assert all(re.fullmatch(r"[0-9a-f]{64}", file.sha256) and file.size_bytes > 0 for file in model.files)
    hashes = [file.sha256 for other in MODELS for file in other.files]
    assert len(hashes) == len(set(hashes))


@by_its_name
def test_a_pinned_model_has_all_files_that_a_model_needs(model: KnownModel) -> None:
    if model.is_pinned:
        assert re.fullmatch(r"[0-9a-f]{40}", model.revision or "")
        assert missing_names({file.name for file in model.files}) == []


@by_its_name
def test_carriers_have_every_file_of_their_model_and_no_other(model: KnownModel) -> None:
    if model.carriers:
        assert model.is_pinned
        assert {name for carrier in model.carriers for name in carrier.places} == {file.name for file in model.files}
        assert model.licence


def test_the_suggested_model_is_available_from_the_index_alone() -> None:
    assert KNOWN_MODELS["base"].carriers
