"""Options and environment variables of all commands."""

from __future__ import annotations

import pytest

from batchscribe.cli.options import read_environment_keys
from batchscribe.errors import UsageError
from batchscribe.storage.access import AwsCredentials

VARIABLES = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (("", "", "left over"), None),
        (("key", "secret", ""), AwsCredentials("key", "secret")),
        (("key", "secret", "token"), AwsCredentials("key", "secret", "token")),
    ],
)
def test_the_variables_of_aws_tools_are_read(
    monkeypatch: pytest.MonkeyPatch, values: tuple[str, str, str], expected: AwsCredentials | None
) -> None:
    for name, value in zip(VARIABLES, values, strict=True):
        monkeypatch.setenv(name, value)
    assert read_environment_keys() == expected


@pytest.mark.parametrize("only", VARIABLES[:2])
def test_half_a_key_is_refused_without_showing_it(monkeypatch: pytest.MonkeyPatch, only: str) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(only, "half-a-key")
    with pytest.raises(UsageError, match="AWS_SECRET_ACCESS_KEY") as refusal:
        read_environment_keys()
    assert "half-a-key" not in refusal.value.message
