"""The translation of httpcore2's exceptions, and their causes, into storage errors."""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Iterator

import httpcore2

from batchscribe.errors import CertificateNotTrusted, StorageError, StorageUnavailable, StorageUnreachable
from batchscribe.storage.answer_checks import nonsense

_EXPIRED = 10  #: X509_V_ERR_CERT_HAS_EXPIRED
#: In h11's messages about a closed connection. Its other messages are about invalid data from the peer.
_ENDED = re.compile("closed|disconnected")
_OTHER_NAME = {62, 64}  #: X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH


def no_answer(error: Exception, uri: str, host: str) -> StorageError:
    """Return the error for a request without an answer. `uri` must contain no secrets."""
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return _certificate(cause, uri, host)
        if isinstance(cause, ssl.SSLError):
            return StorageUnreachable(
                f"{uri} cannot be reached: {host} does not speak TLS; if it serves plain HTTP, write http://."
            )
        if isinstance(cause, socket.gaierror):
            return StorageUnreachable(
                f"{uri} cannot be reached: the host name {host} is not known; correct it, or check DNS."
            )
        if isinstance(cause, ConnectionRefusedError):
            return StorageUnreachable(
                f"{uri} cannot be reached: {host} refuses connections on this port; check that the service runs there."
            )
    if isinstance(error, httpcore2.TimeoutException):
        return StorageUnreachable(f"{uri} cannot be reached: {host} did not answer in time; try again.")
    if isinstance(error, httpcore2.ConnectError):
        return StorageUnreachable(f"{uri} cannot be reached: no connection to {host}; check the network.")
    if isinstance(error, httpcore2.ProtocolError) and not _ENDED.search(str(error)):
        return _malformed(error, uri, host)
    return StorageUnavailable(
        f"{uri} was cut off: {host} closed the connection too soon; try again. If it serves TLS, write https://."
    )


def _malformed(error: httpcore2.ProtocolError, uri: str, host: str) -> StorageError:
    if isinstance(error, httpcore2.LocalProtocolError):
        return StorageError(
            f"{uri} cannot be requested: the key or the token has a character that no header allows; correct it."
        )
    if "status line" in str(error):
        return StorageUnreachable(
            f"{uri} cannot be reached: {host} did not answer in HTTP; if it serves TLS, write https://."
        )
    return nonsense(uri, "it is not valid HTTP")


def is_worth_another_try(error: Exception) -> bool:
    """Return whether a retry may help. It does not for certificate, TLS and name resolution errors."""
    lasting = (ssl.SSLCertVerificationError, ssl.SSLError, socket.gaierror)
    return not any(isinstance(cause, lasting) for cause in _causes(error))


def _certificate(error: ssl.SSLCertVerificationError, uri: str, host: str) -> CertificateNotTrusted:
    if error.verify_code == _EXPIRED:
        what, step = "has expired", "renew it on that server"
    elif error.verify_code in _OTHER_NAME:
        what, step = "is issued for another name", "correct the endpoint, or for S3 set BATCHSCRIBE_S3_PATH_STYLE=true"
    else:
        what = f"is not trusted ({error.verify_message})"
        step = "name a file with its authority's certificate in SSL_CERT_FILE, or add that to the system's"
    return CertificateNotTrusted(f"{uri} cannot be reached: the TLS certificate of {host} {what}; {step}.")


def _causes(error: BaseException) -> Iterator[BaseException]:
    at: BaseException | None = error
    while at is not None:
        yield at
        at = at.__cause__ or at.__context__
