"""How settings are read, and the types of those that are written as one text: lists, networks, a path prefix."""

from __future__ import annotations

import os
import re
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Any

import platformdirs
from pydantic import AfterValidator, BeforeValidator
from pydantic_core import PydanticCustomError
from pydantic_settings import NoDecode, SettingsConfigDict

from batchscribe.errors import InvalidSetting
from batchscribe.input_formats import canonical_names

#: This user may not enter the current folder if root starts the command with `runuser` in its own folder.
ENV_FILE = ".env" if os.access(".", os.X_OK) else None
READING = SettingsConfigDict(
    env_prefix="BATCHSCRIBE_", env_file=ENV_FILE, frozen=True, extra="ignore", env_ignore_empty=True
)
MOST_ENGINE_PROCESSES = 512

LOCAL_NETWORKS: tuple[IPv4Network | IPv6Network, ...] = tuple(
    ip_network(network)
    for network in ("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "::1/128", "fc00::/7")
)


def usual_data_dir() -> Path:
    """Return the folder for data of this user. Raises `InvalidSetting` without a home directory."""
    try:
        return Path(platformdirs.user_data_dir("batchscribe"))
    except RuntimeError as error:  # no HOME, and no entry in the list of users
        raise InvalidSetting(
            "BATCHSCRIBE_DATA_DIR: this user has no home directory for the data; set HOME, or name a folder with "
            "--data-dir or BATCHSCRIBE_DATA_DIR."
        ) from error


def _split_folders(value: Any) -> Any:
    return tuple(Path(part) for part in value.split(":") if part) if isinstance(value, str) else value


def _read_formats(value: Any) -> Any:
    words = value.split(",") if isinstance(value, str) else value
    names = [word.strip().lower().lstrip(".") for word in words]
    try:
        found = canonical_names(name for name in names if name)
    except ValueError as error:
        told = str(error).encode(errors="backslashreplace").decode()  # Pydantic takes only text
        raise PydanticCustomError("input_format", "{error}", {"error": told}) from error
    if not found:
        raise PydanticCustomError("input_format", "no format is named; leave it empty to accept all")
    return found


def _split_networks(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return tuple(ip_network(part.strip()) for part in value.split(",") if part.strip())


def _check_path_prefix(value: str) -> str:
    path = value.rstrip("/")
    if not re.fullmatch(r"(/[A-Za-z0-9._~-]+)*", path):
        raise ValueError("write it like /transcribe: with a slash in front, letters, digits and . _ ~ -")
    return path


Folders = Annotated[tuple[Path, ...], NoDecode, BeforeValidator(_split_folders)]  #: separated by colons
#: Canonical names, in their order; in the environment names or extensions, separated by commas.
InputFormats = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_read_formats)]
#: In CIDR form, separated by commas.
AllowedNetworks = Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode, BeforeValidator(_split_networks)]
PathPrefix = Annotated[str, AfterValidator(_check_path_prefix)]  #: without a slash at the end
