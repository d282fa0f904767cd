"""Variables that look like settings but have no effect, such as misspelled ones."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import get_close_matches

from pydantic_settings import DotEnvSettingsSource, EnvSettingsSource

from batchscribe.old_settings import OldSettings
from batchscribe.settings import Settings

PREFIX = "BATCHSCRIBE_"
#: What Kubernetes sets in each container if a service of the namespace is named `batchscribe` or `batchscribe-...`.
SERVICE_LINK = re.compile(r"BATCHSCRIBE_(\w+_)?(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT(_\d+_(TCP|UDP|SCTP)(_\w+)?)?)")


def find_unknown_settings() -> Iterator[str]:
    """Yield a notice for each variable in the environment or in `.env` that has no effect."""
    known = {name.upper() for model in (Settings, OldSettings) for name in model.model_fields}
    given = {name.upper() for source in (EnvSettingsSource, DotEnvSettingsSource) for name in source(Settings).env_vars}
    for name in sorted(given):
        is_known = not name.startswith(PREFIX) or name.removeprefix(PREFIX) in known
        if not is_known and not SERVICE_LINK.fullmatch(name):
            yield f"{name} is not a setting, so it has no effect. {_advise(name, known)}"


def _advise(name: str, known: set[str]) -> str:
    nearest = get_close_matches(name.removeprefix(PREFIX), known, n=1)
    return f"Did you mean {PREFIX}{nearest[0]}?" if nearest else "docs/settings.md lists all settings."
