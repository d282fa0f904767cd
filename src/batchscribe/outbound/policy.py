"""The policy for outbound requests: the checks that need only the URL, and which addresses are public."""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING, Self

from batchscribe.errors import AddressNotAllowed
from batchscribe.settings import Settings

if TYPE_CHECKING:
    import httpx2

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

#: Ranges for which `is_global` of Python 3.11 is true, or which were registered later: shared and special-purpose
#: ranges, and IPv6 ranges that embed an IPv4 address, which may be private.
NOT_PUBLIC: tuple[Network, ...] = tuple(
    ip_network(network)
    for network in (
        "100.64.0.0/10",  # shared by carriers (RFC 6598)
        "192.0.0.0/24",  # protocol assignments (RFC 6890)
        "192.88.99.0/24",  # 6to4 relays (RFC 7526)
        "198.18.0.0/15",  # benchmarks (RFC 2544)
        "64:ff9b::/96",  # NAT64 (RFC 6052)
        "64:ff9b:1::/48",  # local NAT64 (RFC 8215)
        "2001::/32",  # Teredo (RFC 4380)
        "2002::/16",  # 6to4 (RFC 3056)
        "3fff::/20",  # documentation (RFC 9637)
        "fec0::/10",  # site-local (RFC 3879)
    )
)


def is_public(address: Address) -> bool:
    if not address.is_global or address.is_multicast or address.is_reserved:
        return False
    return not any(address in network for network in NOT_PUBLIC)


def unwrap(address: Address) -> Address:
    """Return the IPv4 address of an IPv4-mapped one: `::ffff:127.0.0.1` connects to 127.0.0.1."""
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def literal_address(host: str) -> Address | None:
    """Return the address if the host is one, in any notation: `127.1`, `0x7f.1`, `2130706433`. Else None."""
    host = host.removesuffix(".")
    try:
        return unwrap(ip_address(host))
    except ValueError:
        pass
    try:
        return IPv4Address(socket.inet_aton(host))
    except OSError:
        return None


#: Allowed ports of public addresses. Other ports may belong to services that a request could abuse, such as mail.
PUBLIC_PORTS = {"https": (443, 8443), "http": (80,)}
DEFAULT_PORTS = {scheme: ports[0] for scheme, ports in PUBLIC_PORTS.items()}
LOOPBACK = (ip_address("127.0.0.1"), ip_address("::1"))

_HOST_NAME = re.compile(r"(?=.{1,254}$)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*\.?")


@dataclass(frozen=True, slots=True)
class Policy:
    """Which addresses are allowed: public ones, and `allow_networks` on any port."""

    allow_networks: tuple[Network, ...] = ()
    allow_http: bool = False
    setting: str = "BATCHSCRIBE_WEBHOOK_ALLOW_NETWORKS"  #: where the networks come from

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """Return the policy for webhooks."""
        return cls(settings.webhook_allow_networks, settings.webhook_allow_http)

    @classmethod
    def of_inputs(cls, settings: Settings) -> Self:
        """Return the policy for `https://` inputs."""
        return cls(settings.input_allow_networks, setting="BATCHSCRIBE_INPUT_ALLOW_NETWORKS")

    @property
    def ask_operator(self) -> str:
        """The next step, for messages."""
        return f"the operator allows networks with {self.setting}"

    def lists(self, address: Address) -> bool:
        return any(address in network for network in self.allow_networks)

    def allows(self, address: Address, port: int) -> bool:
        """Return whether a connection is allowed; `address` must be unwrapped."""
        is_public_port = any(port in ports for ports in PUBLIC_PORTS.values())
        return self.lists(address) or (is_public_port and is_public(address))


def check_url(url: str, policy: Policy) -> None:
    """Check what can be checked without resolving the host name. Raises `AddressNotAllowed`.

    Messages show at most the host, because the rest of the URL may be secret.
    """
    parts = parse_url(url)
    _check_scheme(parts, policy)
    if parts.userinfo:
        raise AddressNotAllowed("The URL contains a user name or password; omit them.")
    host = parts.raw_host.decode("ascii")
    address = literal_address(host)
    if address is None:
        _check_name(host, policy)
    elif not policy.lists(address) and not is_public(address):
        raise AddressNotAllowed(f"{host} is not a public address; use a public one, or {policy.ask_operator}.")
    if not _may_have_port(parts, address, policy):
        ports = " or ".join(str(port) for port in PUBLIC_PORTS[parts.scheme])
        raise AddressNotAllowed(f"Port {parts.port} of {host} is not allowed; use {ports}, or {policy.ask_operator}.")


def parse_url(url: str) -> httpx2.URL:
    """Parse the URL, in the same way for the check and for the connection. Raises `AddressNotAllowed`."""
    import httpx2  # not loaded until a URL is checked

    try:
        parts = httpx2.URL(url)
    except (httpx2.InvalidURL, ValueError) as error:
        raise AddressNotAllowed("The URL is malformed; write it as https://example.org/path.") from error
    if not parts.raw_host:
        raise AddressNotAllowed("The URL has no host; write it as https://example.org/path.")
    return parts


def port_of(parts: httpx2.URL) -> int:
    return DEFAULT_PORTS[parts.scheme] if parts.port is None else parts.port


def _check_scheme(parts: httpx2.URL, policy: Policy) -> None:
    if parts.scheme not in PUBLIC_PORTS:
        raise AddressNotAllowed("The URL must start with https://.")
    if parts.scheme == "http" and not policy.allow_http:
        raise AddressNotAllowed(
            "The URL starts with http://; use https://, or the operator allows http with "
            "BATCHSCRIBE_WEBHOOK_ALLOW_HTTP."
        )


def _check_name(host: str, policy: Policy) -> None:
    if not _HOST_NAME.fullmatch(host):
        raise AddressNotAllowed("The URL's host name is invalid; write the URL as https://example.org/path.")
    is_local = host.removesuffix(".").rpartition(".")[2] == "localhost"
    if is_local and not any(policy.lists(address) for address in LOOPBACK):
        raise AddressNotAllowed(f"{host} is this machine; use a public address, or {policy.ask_operator}.")


def _may_have_port(parts: httpx2.URL, address: Address | None, policy: Policy) -> bool:
    if port_of(parts) in PUBLIC_PORTS[parts.scheme]:
        return True
    # The address of a name is checked when it is connected to; with this port, it must be in a listed network.
    return bool(policy.allow_networks) if address is None else policy.lists(address)
