"""Signing in: which failures count together, and which page follows."""

from __future__ import annotations

import pytest

from batchscribe.web.signin_routes import client_of, local_path


@pytest.mark.parametrize("path", ["/", "/jobs/job_1?state=FILE_FAILED", "/search?q=//[", "/a//b"])
@pytest.mark.parametrize("root", ["", "/calls"])
def test_a_path_of_this_server_is_followed(path: str, root: str) -> None:
    assert local_path(root + path, root) == path


@pytest.mark.parametrize(
    "path",
    [
        "", "jobs", "//evil.example", "/\\evil.example", "///evil.example", "https://evil.example/", "//[", "http://[",
        "[", "javascript:alert(1)", "/\tevil", "/\n/evil.example", "\\\\evil.example",
    ],
)  # fmt: skip
@pytest.mark.parametrize("root", ["", "/calls"])
def test_anything_else_leads_to_the_first_page(path: str, root: str) -> None:
    assert local_path(path, root) == "/"
    assert local_path(root + path, root) == "/"


def test_a_path_beside_the_prefix_is_not_ours() -> None:
    assert local_path("/callsign/jobs", "/calls") == "/"


@pytest.mark.parametrize(
    ("address", "client"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2:ffff::", "2001:db8:1:2::"),
        ("2001:db8:1:3::1", "2001:db8:1:3::"),
        ("fe80::1%eth0", "fe80::"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("", ""),
        ("unknown", "unknown"),
    ],
)
def test_a_network_of_ipv6_is_one_client(address: str, client: str) -> None:
    assert client_of(address) == client
