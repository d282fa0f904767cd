"""A proxy in front of Azurite, which rejects shared access signatures from a certain request on."""

from __future__ import annotations

import http.client
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http import HTTPStatus
from urllib.parse import urlencode, urlsplit

from tests.servers.azurite import Azurite
from tests.servers.scripted import Asked, Reply, scripted_server

EXPIRED = Reply(401, b"", {"x-ms-error-code": "InvalidAuthenticationInfo"})
#: Headers that the proxy's own server sends.
OF_THE_CONNECTION = {"connection", "content-length", "date", "keep-alive", "server", "transfer-encoding"}


class AzuriteGate:
    """Passes requests on to Azurite. After a request for which `expire_at` returns True, no signature is accepted."""

    def __init__(self, azurite: Azurite) -> None:
        self._azurite = azurite
        self.expire_at: Callable[[Asked], bool] = lambda _asked: False
        self.has_expired = False
        self.written: list[str] = []  #: the path of each stored blob, once for each time that it was stored
        self.url = ""

    @property
    def endpoint(self) -> str:
        """The value of `BATCHSCRIBE_AZURE_ENDPOINT`."""
        return f"{self.url}/{{account}}"

    def answer(self, asked: Asked) -> Reply:
        self.has_expired = self.has_expired or self.expire_at(asked)
        if self.has_expired and "sig" in asked.query:
            return EXPIRED
        with closing(http.client.HTTPConnection(urlsplit(self._azurite.url).netloc, timeout=30)) as connection:
            connection.request(asked.method, f"{asked.path}?{urlencode(asked.query)}", asked.body, dict(asked.headers))
            answer = connection.getresponse()
            headers = {name: value for name, value in answer.getheaders() if name.lower() not in OF_THE_CONNECTION}
            if asked.method == "PUT" and answer.status == HTTPStatus.CREATED:
                self.written.append(asked.path)
            return Reply(answer.status, answer.read(), headers)


@contextmanager
def azurite_gate(azurite: Azurite) -> Iterator[AzuriteGate]:
    gate = AzuriteGate(azurite)
    with scripted_server(gate.answer) as server:
        gate.url = server.url
        yield gate
