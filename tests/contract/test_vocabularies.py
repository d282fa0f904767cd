"""Vocabularies of tenants: the four routes of contract 1.6, and jobs that name one."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.contract import with_vocabulary
from tests.contract.bodies import single
from tests.contract.client import Answer, Client
from tests.contract.conftest import StartServer, client_of
from tests.contract.server import Server
from tests.contract.strict import Json, parsed
from tests.recordings import write_wav

ASSETS = "/v2/aiservices/assets"
PHRASES = ["Ada Lovelace", "Kubernetes"]
ALIASES = [{"canonical": "Kubernetes", "variants": ["cube a netties", "Cooper Netties"]}]
UNKNOWN = f"vocab_{'0' * 20}"


def assets_of(client: Client) -> Client:
    return client.but(base=ASSETS)


@pytest.fixture(scope="module")
def owner(idle_server: Server) -> Iterator[Client]:
    with client_of(idle_server, idle_server.new_key("vocabulary-owner")) as client:
        yield assets_of(client)


@pytest.fixture(scope="module")
def stranger(idle_server: Server) -> Iterator[Client]:
    with client_of(idle_server, idle_server.new_key("vocabulary-stranger")) as client:
        yield assets_of(client)


def create(client: Client, body: Json | None = None, **headers: str) -> Answer:
    given = {"phrases": PHRASES} if body is None else body
    return client.call("POST", "/vocabularies", json=given, headers=headers)


def new(client: Client, body: Json | None = None) -> str:
    answer = create(client, body)
    assert answer.status == 201
    vocabulary_id: str = answer.body["vocabulary_id"]
    return vocabulary_id


# --- create and show ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("base", [ASSETS, ASSETS.removeprefix("/v2")])
def test_a_vocabulary_is_shown_as_it_was_stored(owner: Client, base: str) -> None:
    body = {"phrases": ["  Ada   Lovelace ", "Kubernetes"], "aliases": ALIASES, "name": "Products", "more": 1}
    client = owner.but(base=base)
    created = create(client, body).body
    assert created["phrases"] == PHRASES
    assert (created["aliases"], created["name"]) == (ALIASES, "Products")
    assert client.get(f"/vocabularies/{created['vocabulary_id']}") == created


def test_without_name_and_aliases_there_are_none(owner: Client) -> None:
    assert set(create(owner).body) == {"vocabulary_id", "created_at", "phrases"}
    body = {"phrases": PHRASES, "aliases": None, "name": None, "pronunciations": []}
    assert set(create(owner, body).body) == {"vocabulary_id", "created_at", "phrases"}


def test_a_hundred_phrases_are_accepted(owner: Client) -> None:
    phrases = [f"name {number}" for number in range(100)]
    assert create(owner, {"phrases": phrases}).body["phrases"] == phrases


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "phrases"),
        ({"phrases": []}, "phrases"),
        ({"phrases": None}, "phrases"),
        ({"vocabulary": {"phrases": ["a"]}}, "phrases"),
        ({"phrases": [f"name {number}" for number in range(101)]}, "phrases"),
        ({"phrases": "Ada"}, "phrases"),
        ({"phrases": ["Ada", ""]}, "phrases.1"),
        ({"phrases": ["x" * 101]}, "phrases.0"),
        ({"phrases": ["a\0b"]}, "phrases.0"),
        ({"phrases": ["Ada"], "name": "x" * 257}, "name"),
        ({"phrases": ["Ada"], "aliases": [{"canonical": "Ada"}]}, "aliases.0.variants"),
        ({"phrases": ["Ada"], "aliases": [{"variants": ["eider"]}]}, "aliases.0.canonical"),
    ],
)
def test_what_is_not_a_vocabulary_is_refused_by_its_field(owner: Client, body: Json, field: str) -> None:
    answer = create(owner, body)
    assert (answer.status, answer.reason) == (400, "VALIDATION_FAILED")
    assert field in answer.fields


def test_pronunciations_are_refused_by_name(owner: Client) -> None:
    answer = create(owner, {"phrases": ["Ada"], "pronunciations": [{"phrase": "Ada", "pronunciation": "AY da"}]})
    assert (answer.status, answer.reason, answer.fields) == (400, "OPTION_NOT_AVAILABLE", ["pronunciations"])


@pytest.mark.parametrize("method", ["PUT", "PATCH", "POST"])
def test_a_vocabulary_is_never_changed(owner: Client, method: str) -> None:
    vocabulary_id = new(owner)
    answer = owner.call(method, f"/vocabularies/{vocabulary_id}", 405, json={"phrases": ["other"]})
    assert answer.headers["allow"] == "DELETE, GET"
    assert owner.get(f"/vocabularies/{vocabulary_id}")["phrases"] == PHRASES


def test_requests_without_a_key_are_refused(nobody: Client) -> None:
    for method, path in (("GET", "/vocabularies"), ("POST", "/vocabularies"), ("GET", f"/vocabularies/{UNKNOWN}")):
        assert nobody.but(base=ASSETS).call(method, path, 401).reason == "INVALID_ACCESS_TOKEN"


# --- idempotency -------------------------------------------------------------------------------------------------


def test_the_same_key_and_body_store_one_vocabulary(owner: Client) -> None:
    key = str(uuid.uuid4())
    answers = [create(owner, {"phrases": ["once"]}, **{"Idempotency-Key": key}) for _ in range(2)]
    assert [answer.status for answer in answers] == [201, 201]
    assert answers[0].body == answers[1].body
    other = create(owner, {"phrases": ["twice"]}, **{"Idempotency-Key": key})
    assert (other.status, other.reason) == (409, "IDEMPOTENCY_KEY_REUSED")


def test_the_key_of_a_deleted_vocabulary_stores_a_new_one(owner: Client) -> None:
    key = {"Idempotency-Key": str(uuid.uuid4())}
    first = create(owner, None, **key).body["vocabulary_id"]
    owner.call("DELETE", f"/vocabularies/{first}", 204)
    second = create(owner, None, **key).body["vocabulary_id"]
    assert first != second
    assert owner.get(f"/vocabularies/{second}")["phrases"] == PHRASES


def test_the_key_of_a_vocabulary_does_not_name_a_job(owner: Client, idle_server: Server) -> None:
    key = {"Idempotency-Key": str(uuid.uuid4())}
    body = single(phrases=PHRASES)
    assert create(owner, body, **key).status == 201
    answer = owner.but(base="/v2/aiservices/scribe").call("POST", "/jobs", 409, json=body, headers=key)
    assert answer.reason == "IDEMPOTENCY_KEY_REUSED"
    assert idle_server.process is not None


# --- list and delete ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def lister(idle_server: Server) -> Iterator[Client]:
    with client_of(idle_server, idle_server.new_key("vocabulary-lister")) as client:
        yield assets_of(client)


@pytest.fixture(scope="module")
def stored(lister: Client) -> list[str]:
    """The IDs of 60 vocabularies, newest first."""
    return [new(lister, {"phrases": [f"name {number}"]}) for number in range(60)][::-1]


def ids(page: Json) -> list[str]:
    return [each["vocabulary_id"] for each in page["vocabularies"]]


@pytest.mark.parametrize("query", [{}, {"page_size": 7}, {"page_size": 60}, {"page_size": 100}])
def test_every_vocabulary_is_on_one_page_newest_first(lister: Client, stored: list[str], query: Json) -> None:
    pages = list(lister.pages("/vocabularies", **query))
    assert [name for page in pages for name in ids(page)] == stored
    assert {len(page["vocabularies"]) for page in pages[:-1]} <= {query.get("page_size", 50)}


def test_one_that_is_deleted_between_two_pages_hides_no_other(lister: Client, stored: list[str]) -> None:
    added = [new(lister) for _ in range(6)][::-1]
    page = lister.get("/vocabularies", page_size=3)
    assert ids(page) == added[:3]
    for name in added:
        lister.call("DELETE", f"/vocabularies/{name}", 204)
    rest = lister.get("/vocabularies", page_size=3, next_page_token=page["next_page_token"])
    assert ids(rest) == stored[:3]


@pytest.mark.parametrize("size", ["0", "-1", "101", "abc"])
def test_a_page_size_out_of_range_is_refused(lister: Client, size: str) -> None:
    answer = lister.call("GET", "/vocabularies", 400, params={"page_size": size})
    assert (answer.reason, answer.fields) == ("VALIDATION_FAILED", ["page_size"])


@pytest.mark.parametrize("token", ["x", "eyJqb2JfaWQiOiJqb2JfYWJjMTIzIn0=", "W10=", "\0", "A" * 5000])
def test_a_token_that_was_never_given_out_is_refused(lister: Client, token: str) -> None:
    answer = lister.call("GET", "/vocabularies", 400, params={"next_page_token": token})
    assert (answer.reason, answer.fields) == ("VALIDATION_FAILED", ["next_page_token"])


def test_a_deleted_vocabulary_is_gone(owner: Client) -> None:
    vocabulary_id = new(owner)
    owner.call("DELETE", f"/vocabularies/{vocabulary_id}", 204)
    for method in ("GET", "DELETE"):
        assert owner.call(method, f"/vocabularies/{vocabulary_id}", 404).reason == "VOCABULARY_NOT_FOUND"
    assert vocabulary_id not in [name for page in owner.pages("/vocabularies") for name in ids(page)]


# --- other tenants -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_the_vocabulary_of_another_tenant_is_answered_like_one_that_does_not_exist(
    owner: Client, stranger: Client, method: str
) -> None:
    vocabulary_id = new(owner)
    theirs = stranger.call(method, f"/vocabularies/{vocabulary_id}", 404)
    unknown = stranger.call(method, f"/vocabularies/{UNKNOWN}", 404)
    assert theirs.content.replace(vocabulary_id.encode(), UNKNOWN.encode()) == unknown.content
    assert owner.get(f"/vocabularies/{vocabulary_id}")["phrases"] == PHRASES


def test_the_list_has_no_vocabulary_of_another_tenant(owner: Client, stranger: Client) -> None:
    vocabulary_id = new(owner)
    assert stranger.get("/vocabularies") == {"vocabularies": [], "next_page_token": ""}
    own = new(stranger)
    token = owner.get("/vocabularies", page_size=1)["next_page_token"]
    assert ids(stranger.get("/vocabularies", next_page_token=token)) in ([], [own])
    assert vocabulary_id not in ids(stranger.get("/vocabularies"))
    stranger.call("DELETE", f"/vocabularies/{own}", 204)


@pytest.mark.parametrize("dry_run", ["false", "true"])
def test_a_job_cannot_name_the_vocabulary_of_another_tenant(owner: Client, stranger: Client, dry_run: str) -> None:
    jobs = stranger.but(base="/v2/aiservices/scribe")
    theirs, unknown = (
        jobs.refused(single(config={"vocabulary_id": name}), dry_run=dry_run) for name in (new(owner), UNKNOWN)
    )
    assert theirs.content == unknown.content
    assert (theirs.reason, theirs.fields) == ("VALIDATION_FAILED", ["config.vocabulary_id"])


@pytest.mark.parametrize("name", ["\0", "x" * 5000, "../vocabularies", "🎙"])
def test_a_malformed_id_is_refused_like_an_unknown_one(owner: Client, name: str) -> None:
    answer = owner.but(base="/v2/aiservices/scribe").refused(single(config={"vocabulary_id": name}))
    assert answer.fields == ["config.vocabulary_id"]


def test_an_engine_that_takes_none_refuses_it_by_name(alice: Client) -> None:
    for config in ({"vocabulary": {"phrases": PHRASES}}, {"vocabulary_id": new(assets_of(alice))}):
        answer = alice.refused(single(config=config))
        assert (answer.reason, answer.fields) == ("OPTION_NOT_AVAILABLE", [f"config.{next(iter(config))}"])


# --- limits ------------------------------------------------------------------------------------------------------


def test_a_tenant_has_as_many_vocabularies_as_the_operator_allows(start_server: StartServer) -> None:
    server = start_server("--no-worker", BATCHSCRIBE_MAX_VOCABULARIES="2")
    with client_of(server, server.new_key("alice")) as alice, client_of(server, server.new_key("bob")) as bob:
        first = new(assets_of(alice))
        new(assets_of(alice))
        refused = create(assets_of(alice))
        assert (refused.status, refused.reason) == (400, "TOO_MANY_VOCABULARIES")
        assert "delete some" in refused.body["message"]
        new(assets_of(bob))
        assets_of(alice).call("DELETE", f"/vocabularies/{first}", 204)
        new(assets_of(alice))


# --- on a server whose engine takes a vocabulary -----------------------------------------------------------------


@pytest.fixture(scope="module")
def speaker(start_server: StartServer) -> Iterator[Client]:
    server = start_server(program=Path(with_vocabulary.__file__))
    with client_of(server, server.new_key("alice")) as client:
        yield client


def text_of(client: Client, recordings: Path, name: str, config: Json, *, delete: str | None = None) -> tuple[str, Any]:
    """Submit a job, perhaps delete a vocabulary, and return the text of its transcript and the job's configuration."""
    recording = write_wav(recordings / "vocabularies" / "call.wav", duration_sec=2.0)
    output = recording.parent / f"{name}.json"
    body = {
        "input": {"uri": recording.as_uri()},
        "output": {"uri": output.as_uri(), "overwrite": True},
        "config": {"segmentation_mode": "none"} | config,
    }
    job_id = client.submit(body)
    if delete is not None:
        assets_of(client).call("DELETE", f"/vocabularies/{delete}", 204)
    job = client.ended(job_id)
    assert job["state"] == "SUCCEEDED"
    return parsed(output.read_bytes())["result"]["text_display"], job["config"]


def test_the_engine_gets_the_phrases_of_the_request(speaker: Client, recordings: Path) -> None:
    text, config = text_of(speaker, recordings, "inline", {"vocabulary": {"phrases": ["Ada Lovelace"]}})
    assert text.startswith("Ada Lovelace")
    assert config["vocabulary"] == {"phrases": ["Ada Lovelace"]}


def test_a_job_keeps_the_phrases_of_a_vocabulary_that_is_deleted(speaker: Client, recordings: Path) -> None:
    vocabulary_id = new(assets_of(speaker))
    text, config = text_of(speaker, recordings, "asset", {"vocabulary_id": vocabulary_id}, delete=vocabulary_id)
    assert text.startswith("Ada Lovelace Kubernetes")
    assert config["vocabulary_id"] == vocabulary_id
    assert "vocabulary" not in config


def test_a_submission_repeated_after_its_vocabulary_was_deleted_gives_the_same_job(speaker: Client) -> None:
    vocabulary_id, key = new(assets_of(speaker)), {"Idempotency-Key": str(uuid.uuid4())}
    body = single(config={"vocabulary_id": vocabulary_id})
    first = speaker.call("POST", "/jobs", 201, json=body, headers=key)
    assets_of(speaker).call("DELETE", f"/vocabularies/{vocabulary_id}", 204)
    assert speaker.call("POST", "/jobs", 201, json=body, headers=key).body == first.body
    unknown = {"Idempotency-Key": str(uuid.uuid4())}
    assert speaker.call("POST", "/jobs", 400, json=body, headers=unknown).fields == ["config.vocabulary_id"]
    assert speaker.call("POST", "/jobs", 201, json=single(), headers=unknown).body["job_id"]


def test_variants_become_the_canonical_form(speaker: Client, recordings: Path) -> None:
    vocabulary = {"phrases": ["cube a netties"], "aliases": ALIASES}
    text, config = text_of(speaker, recordings, "aliases", {"vocabulary": vocabulary})
    assert text.startswith("Kubernetes cube")
    assert config["vocabulary"] == vocabulary


def test_the_aliases_of_a_stored_vocabulary_apply_after_it_was_deleted(speaker: Client, recordings: Path) -> None:
    vocabulary_id = new(assets_of(speaker), {"phrases": ["cube a netties"], "aliases": ALIASES})
    text, _ = text_of(speaker, recordings, "asset-aliases", {"vocabulary_id": vocabulary_id}, delete=vocabulary_id)
    assert text.startswith("Kubernetes cube")


def test_aliases_alone_need_no_engine_that_takes_a_vocabulary(owner: Client) -> None:
    jobs = owner.but(base="/v2/aiservices/scribe")
    assert jobs.echo(single(config={"vocabulary": {"aliases": ALIASES}}))["config"]["vocabulary"] == {
        "aliases": ALIASES
    }


# --- the profanity filter ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("wanted", [True, False])
def test_profanity_is_masked_on_request(speaker: Client, recordings: Path, wanted: bool) -> None:
    vocabulary = {"phrases": ["bullshit assessment"]}
    config = {"vocabulary": vocabulary, "profanity_filter": wanted}
    text, echoed = text_of(speaker, recordings, f"profanity-{wanted}", config)
    assert text.startswith("b******* assessment" if wanted else "bullshit assessment")
    assert echoed["profanity_filter"] is wanted


@pytest.mark.parametrize("dry_run", ["true", "false"])
@pytest.mark.parametrize(("language", "reason"), [("el-GR", "no words for el"), ("ja-JP", "without spaces")])
def test_a_language_without_a_list_is_refused(speaker: Client, language: str, reason: str, dry_run: str) -> None:
    body = single(config={"language": language, "profanity_filter": True})
    answer = speaker.refused(body, dry_run=dry_run)
    assert (answer.reason, answer.fields) == ("OPTION_NOT_AVAILABLE", ["config.profanity_filter"])
    assert reason in answer.body["message"]
