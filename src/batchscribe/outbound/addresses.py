"""Classification of IP addresses as public or not."""

from __future__ import annotations

import socket
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

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
