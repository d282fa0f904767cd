"""URLs that are rejected or accepted before they are resolved."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest

from batchscribe.errors import AddressNotAllowed
from batchscribe.outbound.policy import Policy, check_url, is_public, literal_address, unwrap
from batchscribe.settings import load_settings

PUBLIC = Policy()
LAN = Policy(allow_networks=(ip_network("10.0.0.0/8"),))
LOOPBACK = Policy(allow_networks=(ip_network("127.0.0.0/8"),))

HOSTILE = [
    "https://127.0.0.1/",
    "https://127.0.0.1./",
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0x7f.1/",
    "https://0177.0.0.1/",
    "https://017700000001/",
    "https://127.1/",
    "https://0/",
    "https://\uff11\uff12\uff17.0.0.1/",
    "https://①②⑦.0.0.1/",
    "https://127。0。0。1/",
    "https://localhost/",
    "https://LOCALHOST./",
    "https://api.localhost/",
    "https://loc%61lhost/",
    "https://[::1]/",
    "https://[::]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:a9fe:a9fe]/",
    "https://[::127.0.0.1]/",
    "https://[64:ff9b::7f00:1]/",
    "https://[64:ff9b:1::1]/",
    "https://[2002:7f00:1::]/",
    "https://[2001::1]/",
    "https://[fe80::1]/",
    "https://[fe80::1%25eth0]/",
    "https://[fec0::1]/",
    "https://[fd00:ec2::254]/",
    "https://[ff02::1]/",
    "https://0.0.0.0/",
    "https://10.1.2.3/",
    "https://100.64.0.1/",
    "https://169.254.169.254/latest/meta-data/",
    "https://172.16.0.1/",
    "https://192.0.0.192/",
    "https://192.88.99.1/",
    "https://192.168.0.1/",
    "https://198.18.0.1/",
    "https://224.0.0.1/",
    "https://240.0.0.1/",
    "https://255.255.255.255/",
    "https://example.org:22/",
    "https://example.org:80/",
    "https://example.org:0/",
    "https://8.8.8.8:25/",
    "https://user@example.org/",
    "https://user:password@example.org/",
    "https://example.org\\@127.0.0.1/",
    "http://example.org/",
    "ftp://example.org/",
    "file:///etc/passwd",
    "gopher://127.0.0.1:25/",
    "javascript:alert(1)",
    "//example.org/",
    "example.org",
    "https:///path",
    "https://",
    "",
    "https://exa mple.org/",
    "https://example..org/",
    "https://.example.org/",
    "https://example.org:port/",
    "https://[::1/",
    "https://exam\nple.org/",
    "https://example.org/\ud800",
    f"https://{'a' * 64}.org/",
]


@pytest.mark.parametrize("url", HOSTILE)
def test_a_hostile_url_is_refused(url: str) -> None:
    with pytest.raises(AddressNotAllowed):
        check_url(url, PUBLIC)


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org",
        "https://example.org/hook?token=1",
        "https://example.org:443/",
        "https://example.org:8443/",
        "https://EXAMPLE.org./",
        "https://müller.example/",
        "https://a_b.example.org/",
        "https://8.8.8.8/",
        "https://[2606:4700::1111]/",
        "HTTPS://example.org/",
        "https://localhost.example.org/",
    ],
)
def test_a_public_https_url_is_allowed(url: str) -> None:
    check_url(url, PUBLIC)


@pytest.mark.parametrize(
    "url", ["https://u5er:pa55@10.0.0.1/", "https://10.0.0.1/pa55?pa55#pa55", "u5er:pa55@h", "x://pa55"]
)
def test_the_sentence_never_shows_what_may_be_a_secret(url: str) -> None:
    with pytest.raises(AddressNotAllowed) as refusal:
        check_url(url, PUBLIC)
    assert "pa55" not in refusal.value.message
    assert "u5er" not in refusal.value.message


@pytest.mark.parametrize(
    ("url", "named"),
    [
        ("http://example.org/", "BATCHSCRIBE_WEBHOOK_ALLOW_HTTP"),
        ("https://10.0.0.1/", "10.0.0.1 is not a public address"),
        ("https://example.org:22/", "Port 22 of example.org"),
        ("https://localhost/", "BATCHSCRIBE_WEBHOOK_ALLOW_NETWORKS"),
        ("https://a@example.org/", "user name"),
        ("ftp://example.org/", "https://"),
    ],
)
def test_the_sentence_names_what_is_wrong_and_the_next_step(url: str, named: str) -> None:
    with pytest.raises(AddressNotAllowed, match=named):
        check_url(url, PUBLIC)


def test_plain_http_is_for_the_operator_to_allow_and_has_one_port() -> None:
    policy = Policy(allow_http=True)
    check_url("http://example.org/", policy)
    check_url("http://example.org:80/", policy)
    for port in (443, 8080):
        with pytest.raises(AddressNotAllowed, match=f"Port {port}"):
            check_url(f"http://example.org:{port}/", policy)


def test_an_allowed_network_is_allowed_on_any_port_and_others_are_not() -> None:
    check_url("https://10.0.0.1:9000/", LAN)
    check_url("https://[::ffff:10.0.0.1]:9000/", LAN)
    for url in ("https://192.168.0.1/", "https://8.8.8.8:9000/", "https://localhost/", "http://10.0.0.1/"):
        with pytest.raises(AddressNotAllowed):
            check_url(url, LAN)


def test_a_name_may_have_any_port_once_networks_are_allowed_since_only_its_addresses_tell() -> None:
    check_url("https://hooks.internal:9000/", LAN)


@pytest.mark.parametrize("url", ["https://localhost:9000/", "https://127.1:9000/", "https://a.localhost/"])
def test_this_machine_is_for_the_operator_to_allow(url: str) -> None:
    check_url(url, LOOPBACK)


@pytest.mark.parametrize(
    "text", ["192.0.0.192", "64:ff9b::7f00:1", "2002:7f00:1::", "224.0.0.1", "ff0e::1", "::7f00:1"]
)
def test_addresses_that_python_takes_for_global_are_not_public(text: str) -> None:
    assert not is_public(ip_address(text))


def test_a_mapped_address_is_judged_by_what_it_reaches() -> None:
    assert unwrap(ip_address("::ffff:10.0.0.1")) == ip_address("10.0.0.1")
    assert literal_address("::ffff:8.8.8.8") == ip_address("8.8.8.8")


def test_a_host_name_is_not_a_literal_address() -> None:
    assert literal_address("example.org") is None


def test_the_settings_are_the_policy() -> None:
    settings = load_settings(webhook_allow_networks="10.0.0.0/8, fd00::/8", webhook_allow_http=True)
    assert Policy.from_settings(settings) == Policy((ip_network("10.0.0.0/8"), ip_network("fd00::/8")), allow_http=True)
