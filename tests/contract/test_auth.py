"""Authentication (contract 2)."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.contract.bodies import single
from tests.contract.client import Client
from tests.contract.conftest import client_of
from tests.contract.raw import send_raw
from tests.contract.server import Key, Server
from tests.contract.tokens import DAY_SEC, HOUR_SEC, encoded, forged, good_claims, token
from tests.integration.command import wait_until

ROUTES = [
    ("POST", "/jobs"),
    ("POST", "/jobs?dry_run=true"),
    ("GET", "/jobs"),
    ("GET", "/jobs/job_0"),
    ("DELETE", "/jobs/job_0"),
    ("GET", "/jobs/job_0/files"),
    ("GET", "/jobs/job_0/files/f_001"),
]
HS256 = {"alg": "HS256", "typ": "JWT"}


def assert_let_in(client: Client, **headers: str) -> None:
    client.but(**headers).get("/jobs", page_size=1)


def assert_turned_away(client: Client, **headers: str) -> None:
    answer = (client.but(**headers) if headers else client).call("GET", "/jobs", 401)
    assert (answer.body["code"], answer.body["message"]) == (124, "Invalid Access token")


def bearer(word: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {word}"}


# --- accepted ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("life_sec", [300, HOUR_SEC, 2 * HOUR_SEC, 7 * DAY_SEC, 30 * DAY_SEC])
def test_a_token_may_live_as_long_as_those_of_real_clients(nobody: Client, alice_key: Key, life_sec: int) -> None:
    assert_let_in(nobody, **bearer(token(alice_key, life_sec=life_sec)))


@pytest.mark.parametrize("header", [HS256, {"alg": "HS256"}, HS256 | {"kid": "../../etc/passwd"}])
def test_the_algorithm_is_all_that_a_token_must_say_of_itself(nobody: Client, alice_key: Key, header: object) -> None:
    assert_let_in(nobody, **bearer(forged(header, good_claims(alice_key), alice_key.api_secret)))


def test_unneeded_claims_are_ignored(nobody: Client, alice_key: Key) -> None:
    claims = good_claims(alice_key, aud="someone", sub="anyone", jti="1", appKey="x", tokenExp=1)
    assert_let_in(nobody, **bearer(forged(HS256, claims, alice_key.api_secret)))


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_bearer_needs_no_capitals(nobody: Client, alice_key: Key, scheme: str) -> None:
    assert_let_in(nobody, Authorization=f"{scheme} {token(alice_key)}")
    assert_let_in(nobody, Authorization=f"{scheme} {alice_key.api_secret}")


def test_the_secret_is_a_plain_key_as_bearer_and_as_x_api_key(nobody: Client, alice_key: Key) -> None:
    assert_let_in(nobody, **bearer(alice_key.api_secret))
    assert_let_in(nobody, x_api_key=alice_key.api_secret)


def test_the_plain_key_and_the_token_belong_to_the_same_tenant(nobody: Client, alice: Client, alice_key: Key) -> None:
    job_id = alice.submit(single())
    assert nobody.but(x_api_key=alice_key.api_secret).job(job_id)["job_id"] == job_id


@pytest.mark.parametrize("late_sec", [0, 30, 50])
def test_a_clock_may_be_late(nobody: Client, alice_key: Key, late_sec: int) -> None:
    now = int(time.time())
    claims = good_claims(alice_key, iat=now - HOUR_SEC, exp=now - late_sec)
    assert_let_in(nobody, **bearer(forged(HS256, claims, alice_key.api_secret)))


@pytest.mark.parametrize("early_sec", [0, 30, 50])
def test_a_clock_may_be_early(nobody: Client, alice_key: Key, early_sec: int) -> None:
    assert_let_in(nobody, **bearer(token(alice_key, age_sec=-early_sec)))


def test_a_second_key_of_a_tenant_sees_the_same_jobs(server: Server, alice: Client) -> None:
    job_id = alice.submit(single())
    job = alice.ended(job_id)
    with client_of(server, server.new_key("alice")) as second:
        assert second.job(job_id) == job


# --- rejected ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("method", "path"), ROUTES)
@pytest.mark.parametrize("base", ["/v2/aiservices/scribe", "/aiservices/scribe", "/v2//aiservices/scribe"])
def test_no_route_answers_without_a_key(nobody: Client, base: str, method: str, path: str) -> None:
    answer = nobody.call_at(method, f"{base}{path}", 401)
    assert answer.reason == "INVALID_ACCESS_TOKEN"


@pytest.mark.parametrize(
    "rest",
    [
        {"content": b"{not json", "headers": {"Content-Type": "application/json"}},
        {"content": b"x", "headers": {"Content-Type": "text/plain"}},
        {"content": b"x" * 5_000_000, "headers": {"Content-Type": "application/json"}},
        {"params": {"dry_run": "perhaps"}},
    ],
)
def test_an_unauthenticated_client_learns_nothing_about_its_body(nobody: Client, rest: dict[str, Any]) -> None:
    nobody.call("POST", "/jobs", 401, **rest)


@pytest.mark.parametrize("value", ["", "Bearer", "Basic dXNlcjpwYXNz", "Token x", "Bearer a b", "Bearer null", "x.y.z"])
def test_an_empty_header_is_rejected(nobody: Client, value: str) -> None:
    assert_turned_away(nobody, Authorization=value)


def test_a_token_with_non_ascii_bytes_is_rejected(nobody: Client) -> None:
    for name in ("Authorization: Bearer", "x-api-key:"):
        assert send_raw(nobody, "GET", f"{nobody.base}/jobs", lines=(f"{name} \xff\xe9",)).status == 401


def test_a_token_of_many_kilobytes_is_rejected(nobody: Client) -> None:
    assert_turned_away(nobody, **bearer("a" * 20_000))
    assert_turned_away(nobody, **bearer(f"{encoded(HS256)}.{'a' * 20_000}.b"))


def test_the_api_key_alone_is_not_enough(nobody: Client, alice_key: Key) -> None:
    assert_turned_away(nobody, **bearer(alice_key.api_key))
    assert_turned_away(nobody, x_api_key=alice_key.api_key)


@pytest.mark.parametrize("cut", [slice(None, -1), slice(1, None), slice(0, 8)])
def test_a_part_of_the_secret_is_not_enough(nobody: Client, alice_key: Key, cut: slice) -> None:
    assert_turned_away(nobody, x_api_key=alice_key.api_secret[cut])


def test_a_token_signed_with_another_secret_is_rejected(nobody: Client, alice_key: Key, bob_key: Key) -> None:
    for secret in ("", "wrong", alice_key.api_key, bob_key.api_secret):
        assert_turned_away(nobody, **bearer(forged(HS256, good_claims(alice_key), secret)))


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "nOnE", ""])
def test_an_unsigned_token_is_rejected(nobody: Client, alice_key: Key, algorithm: str) -> None:
    unsigned = f"{encoded({'alg': algorithm, 'typ': 'JWT'})}.{encoded(good_claims(alice_key))}"
    for signature in ("", "AA"):
        assert_turned_away(nobody, **bearer(f"{unsigned}.{signature}"))


@pytest.mark.parametrize(("algorithm", "digest"), [("HS384", "sha384"), ("HS512", "sha512"), ("HS256", "sha512")])
def test_a_token_of_another_hmac_is_rejected(nobody: Client, alice_key: Key, algorithm: str, digest: str) -> None:
    word = forged({"alg": algorithm, "typ": "JWT"}, good_claims(alice_key), alice_key.api_secret, digest)
    assert_turned_away(nobody, **bearer(word))


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "RS256", "typ": "JWT"},
        {"alg": "ES256"},
        {"alg": "hs256"},
        {"alg": ["HS256"]},
        {"alg": None},
        {"alg": {}},
        {"typ": "JWT"},
        {},
        [],
        "HS256",
        "no json",
        HS256 | {"crit": ["exp"]},
        HS256 | {"b64": False, "crit": ["b64"]},
    ],
)
def test_a_token_with_an_impossible_header_is_rejected(nobody: Client, alice_key: Key, header: object) -> None:
    assert_turned_away(nobody, **bearer(forged(header, good_claims(alice_key), alice_key.api_secret)))


@pytest.mark.parametrize("claims", ["no json", "[]", "null", "1", "{}", '{"iss": NaN}', "{" * 5000])
def test_a_token_with_impossible_claims_is_rejected(nobody: Client, alice_key: Key, claims: str) -> None:
    assert_turned_away(nobody, **bearer(forged(HS256, claims, alice_key.api_secret)))


@pytest.mark.parametrize("claim", ["iss", "iat", "exp"])
@pytest.mark.parametrize("value", [..., None, "", "soon", [], {}, True, 1e300, -1, 10**400, "1e400"])
def test_a_token_with_a_claim_missing_or_of_the_wrong_kind_is_rejected(
    nobody: Client, alice_key: Key, claim: str, value: object
) -> None:
    claims = good_claims(alice_key, **{claim: value})
    assert_turned_away(nobody, **bearer(forged(HS256, claims, alice_key.api_secret)))


@pytest.mark.parametrize("issuer", ["unknown", "alice", "' OR 1=1 --", "\0", "*", "%"])
def test_a_token_of_an_unknown_issuer_is_rejected(nobody: Client, alice_key: Key, issuer: str) -> None:
    assert_turned_away(nobody, **bearer(forged(HS256, good_claims(alice_key, iss=issuer), alice_key.api_secret)))


def test_an_issuer_that_only_contains_the_key_is_rejected(nobody: Client, alice_key: Key) -> None:
    key = alice_key.api_key
    for issuer in ([key], {"key": key}, f"{key} ", f" {key}", key.upper(), key[:-1]):
        assert_turned_away(nobody, **bearer(forged(HS256, good_claims(alice_key, iss=issuer), alice_key.api_secret)))


def test_an_expired_token_is_rejected(nobody: Client, alice_key: Key) -> None:
    now = int(time.time())
    for late_sec in (70, HOUR_SEC):
        claims = good_claims(alice_key, iat=now - 2 * HOUR_SEC, exp=now - late_sec)
        assert_turned_away(nobody, **bearer(forged(HS256, claims, alice_key.api_secret)))


@pytest.mark.parametrize("early_sec", [75, HOUR_SEC])
def test_a_token_from_the_future_is_rejected(nobody: Client, alice_key: Key, early_sec: int) -> None:
    assert_turned_away(nobody, **bearer(token(alice_key, age_sec=-early_sec)))


def test_a_token_that_is_not_valid_yet_is_rejected(nobody: Client, alice_key: Key) -> None:
    claims = good_claims(alice_key, nbf=int(time.time()) + HOUR_SEC)
    assert_turned_away(nobody, **bearer(forged(HS256, claims, alice_key.api_secret)))


@pytest.mark.parametrize("life_sec", [30 * DAY_SEC + 120, 365 * DAY_SEC, 10_000 * DAY_SEC])
def test_a_token_may_not_live_longer_than_thirty_days(nobody: Client, alice_key: Key, life_sec: int) -> None:
    assert_turned_away(nobody, **bearer(token(alice_key, life_sec=life_sec)))


def test_a_token_that_expires_before_it_is_valid_is_rejected(nobody: Client, alice_key: Key) -> None:
    assert_turned_away(nobody, **bearer(token(alice_key, life_sec=-HOUR_SEC)))


def test_a_changed_signature_or_claim_is_rejected(nobody: Client, alice_key: Key, bob_key: Key) -> None:
    header, claims, signature = token(alice_key).split(".")
    other = encoded(good_claims(bob_key))
    for word in (f"{header}.{claims}.", f"{header}.{claims}.{signature[::-1]}", f"{header}.{other}.{signature}"):
        assert_turned_away(nobody, **bearer(word))


def test_a_revoked_key_is_rejected_immediately_but_the_tenants_other_keys_work(server: Server, alice: Client) -> None:
    key = server.new_key("alice")
    with client_of(server, key) as client:
        client.get("/jobs", page_size=1)
        assert server.run("keys", "revoke", key.api_key).status == 0
        wait_until(lambda: client.call("GET", "/jobs").status == 401)
        assert_turned_away(client)
        assert_turned_away(client, x_api_key=key.api_secret)
    alice.get("/jobs", page_size=1)


def test_the_list_of_keys_shows_no_secret(server: Server, alice_key: Key) -> None:
    listed = server.run("keys", "list")
    assert alice_key.api_key in listed.out
    assert alice_key.api_secret not in listed.out + listed.err


HALF_A_PAIR = '{"iss": "\\ud800"}'


@pytest.mark.parametrize(
    ("header", "claims"),
    [
        ({"alg": "HS256", "typ": "JWT"}, HALF_A_PAIR),
        ('{"alg": "HS256", "kid": "\\udfff"}', {"iss": "a"}),
        ({"alg": "HS256"}, "[" * 943 + '"\\u0041"' + "]" * 943),
        ({"alg": "HS256"}, '{"iss": ' + "[" * 50_00 + "]" * 50_00 + "}"),
        ({"alg": "HS256"}, '{"iss": "a", "exp": 1e400}'),
        ({"alg": "HS256"}, '{"iss": "a\\u0000"}'),
        ({"alg": "HS256"}, "[]"),
        ("[]", "{}"),
    ],
)
def test_an_unsigned_token_is_rejected_whatever_its_claims(nobody: Client, header: object, claims: object) -> None:
    answer = nobody.but(authorization=f"Bearer {forged(header, claims, 'x')}").call("GET", "/jobs", 401)
    assert answer.reason == "INVALID_ACCESS_TOKEN"


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_health_routes_accept_head(nobody: Client, path: str) -> None:
    answer = nobody.http.head(f"{nobody.url}{path}")
    assert (answer.status_code, answer.content) == (200, b"")
