"""Google Cloud Storage in memory, with what its emulator lacks: conditions, pages, tokens of service accounts.

Written from https://cloud.google.com/storage/docs/json_api/v1 and
https://developers.google.com/identity/protocols/oauth2/service-account.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, unquote

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from batchscribe.storage.access import Access, Credentials
from batchscribe.storage.gcs.gcs_credentials import GcpCredentials
from tests.servers.accesses import access_with
from tests.servers.scripted import Asked, Reply, ScriptedServer, scripted_server

BUCKET = "bucket"
ACCOUNT = "robot@project.iam.gserviceaccount.com"
AUDIENCE = "https://oauth2.googleapis.com/token"
OBJECTS = "/storage/v1/b/bucket/o"
#: What is answered instead; None: what the service answers.
Instead = Callable[[Asked], Reply | None]


def refusal(status: int, reason: str, message: str = "secret detail") -> Reply:
    error = {"code": status, "message": message, "errors": [{"reason": reason, "message": message}]}
    return Reply(status, {"error": error})


def new_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def pem(key: rsa.RSAPrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


class GcsBucket:
    """A bucket. A request needs one of `tokens`; `key` is that of the service account, which gets new tokens."""

    def __init__(self, objects: Mapping[str, bytes], instead: Instead, page_items: int = 1000) -> None:
        self.objects = {name: (data, number) for number, (name, data) in enumerate(objects.items(), 1)}
        self.instead = instead
        self.page_items = page_items
        self.key = new_key()
        self.tokens: set[str] = set()
        self.minted = 0
        self.token_prefix = "minted-"
        self._lock = threading.Lock()
        self._server: ScriptedServer | None = None

    @property
    def url(self) -> str:
        assert self._server is not None
        return self._server.url

    @property
    def asked(self) -> list[Asked]:
        assert self._server is not None
        return self._server.asked

    @property
    def account(self) -> GcpCredentials:
        return GcpCredentials(ACCOUNT, pem(self.key), "key-1")

    def access(self, credentials: Credentials | None = None) -> Access:
        return access_with(credentials or self.account, gcs_endpoint=self.url, gcs_token_url=f"{self.url}/token")

    def put(self, name: str, data: bytes) -> int:
        """Store an object, and return its generation."""
        generation = max((number for _, number in self.objects.values()), default=0) + 1
        self.objects[name] = data, generation
        return generation

    def answer(self, asked: Asked) -> Reply:
        with self._lock:
            return self.instead(asked) or self._own(asked)

    def _own(self, asked: Asked) -> Reply:
        if asked.method == "HEAD":  # of the doctor
            return Reply(405)
        if asked.path == "/token":
            return self._mint(asked)
        if asked.headers.get("authorization", "").removeprefix("Bearer ") not in self.tokens:
            return refusal(401, "authError")
        if asked.path == f"/upload{OBJECTS}":
            return self._upload(asked)
        if asked.path == OBJECTS:
            return self._list(asked.query)
        if not asked.path.startswith(f"{OBJECTS}/"):
            return refusal(404, "notFound", "The specified bucket does not exist.")
        return self._object(asked, unquote(asked.path.removeprefix(f"{OBJECTS}/")))

    def _mint(self, asked: Asked) -> Reply:
        assertion = parse_qs(asked.body.decode())["assertion"][0]
        try:
            claims = jwt.decode(
                assertion, self.key.public_key(), ["RS256"], audience=AUDIENCE, options={"verify_iat": False}
            )
        except jwt.InvalidSignatureError:
            return Reply(400, {"error": "invalid_grant", "error_description": "Invalid JWT Signature."})
        except jwt.ExpiredSignatureError:
            sentence = "Invalid JWT: Token must be a short-lived token. Check your iat and exp values in the JWT claim."
            return Reply(400, {"error": "invalid_grant", "error_description": sentence})
        if claims["iss"] != ACCOUNT:
            return Reply(400, {"error": "invalid_grant", "error_description": "Invalid grant: account not found"})
        assert claims["scope"] == "https://www.googleapis.com/auth/devstorage.read_write"
        self.minted += 1
        token = f"{self.token_prefix}{self.minted}"
        self.tokens.add(token)
        return Reply(200, {"access_token": token, "expires_in": 3599, "token_type": "Bearer"})

    def _upload(self, asked: Asked) -> Reply:
        boundary = asked.headers["content-type"].partition("boundary=")[2].encode()
        _, facts, media, _ = asked.body.split(b"--" + boundary)
        named = json.loads(facts.partition(b"\r\n\r\n")[2])
        data = media.partition(b"\r\n\r\n")[2].removesuffix(b"\r\n")
        if asked.query.get("ifGenerationMatch") == "0" and named["name"] in self.objects:
            return refusal(412, "conditionNotMet")
        if named["md5Hash"] != base64.b64encode(hashlib.md5(data).digest()).decode():  # noqa: S324
            return refusal(400, "invalid", "Provided MD5 hash does not match calculated MD5 hash.")
        return Reply(200, {"name": named["name"], "generation": str(self.put(named["name"], data))})

    def _list(self, query: Mapping[str, str]) -> Reply:
        start = query.get("pageToken") or query.get("startOffset", "")
        names = sorted(name for name in self.objects if name.startswith(query.get("prefix", "")) and name >= start)
        page, rest = names[: self.page_items], names[self.page_items :]
        body: dict[str, Any] = {"items": [self._facts(name) for name in page]}
        return Reply(200, body | ({"nextPageToken": rest[0]} if rest else {}))

    def _facts(self, name: str) -> dict[str, str]:
        data, generation = self.objects[name]
        return {"name": name, "size": str(len(data)), "generation": str(generation)}

    def _object(self, asked: Asked, name: str) -> Reply:
        if name not in self.objects:
            is_media = asked.query.get("alt") == "media"
            return Reply(404, f"No such object: {name}".encode()) if is_media else refusal(404, "notFound")
        if asked.method == "DELETE":
            del self.objects[name]
            return Reply(204)
        data, generation = self.objects[name]
        if asked.query.get("ifGenerationMatch", str(generation)) != str(generation):
            return Reply(412, b"Precondition Failed")
        if asked.query.get("alt") != "media":
            return Reply(200, self._facts(name))
        return _ranged(data, asked.headers["range"], {"X-Goog-Generation": str(generation), "ETag": "unused"})


def _ranged(data: bytes, wanted: str, headers: dict[str, str]) -> Reply:
    found = re.fullmatch(r"bytes=(\d+)-(\d+)", wanted)
    assert found is not None
    start, end = int(found[1]), min(int(found[2]) + 1, len(data))
    if start >= len(data):
        return Reply(416, b"", {**headers, "Content-Range": f"bytes */{len(data)}"})
    return Reply(206, data[start:end], {**headers, "Content-Range": f"bytes {start}-{end - 1}/{len(data)}"})


@contextmanager
def serving_gcs(
    objects: Mapping[str, bytes], instead: Instead = lambda _asked: None, *, page_items: int = 1000
) -> Iterator[GcsBucket]:
    bucket = GcsBucket(objects, instead, page_items)
    with scripted_server(bucket.answer) as server:
        bucket._server = server  # noqa: SLF001
        yield bucket
