"""Azure credentials: from a request, from the variables of Azure's tools, and as the database keeps them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from batchscribe.errors import UsageError
from batchscribe.storage.access import Credentials
from batchscribe.storage.scheme import CredentialsForm

VARIABLES = {
    "account_name": "AZURE_STORAGE_ACCOUNT",
    "account_key": "AZURE_STORAGE_KEY",
    "sas_token": "AZURE_STORAGE_SAS_TOKEN",
}


@dataclass(frozen=True, slots=True)
class AzureCredentials(Credentials):
    """A storage account, with at most one of its keys or tokens. Only the account's name is shown in a `repr`."""

    account_name: str
    account_key: str | None = field(default=None, repr=False)
    sas_token: str | None = field(default=None, repr=False)
    access_token: str | None = field(default=None, repr=False)

    @property
    def is_anonymous(self) -> bool:
        return self.account_key is None and self.sas_token is None and self.access_token is None


def _read_environment(environment: Mapping[str, str]) -> AzureCredentials | None:
    found = {name: environment.get(variable) or None for name, variable in VARIABLES.items()}
    account, key, token = found["account_name"], found["account_key"], found["sas_token"]
    if account is None and key is None and token is None:
        return None
    if account is None:
        raise UsageError("Set AZURE_STORAGE_ACCOUNT, the storage account of the key or token.")
    if key is not None and token is not None:
        raise UsageError("Set only one of AZURE_STORAGE_KEY and AZURE_STORAGE_SAS_TOKEN.")
    return AzureCredentials(account, key, token)


FORM = CredentialsForm("azure", AzureCredentials, VARIABLES, _read_environment)
