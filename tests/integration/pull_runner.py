"""Pulls a model in a separate process, which may be killed, and in which the hub's library reads its address anew.

Usage: python -m tests.integration.pull_runner NAME DATA_DIR TABLE [SOURCE [LARGEST_FILE_BYTES]]. TABLE is a JSON file
of the models that are known.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from pydantic import TypeAdapter

from batchscribe.errors import BatchscribeError
from batchscribe.models.known import KnownModel
from batchscribe.models.pull import pull_model
from batchscribe.models.pull_progress import NoProgress
from batchscribe.settings import Settings, load_settings
from batchscribe.speech.whisper_format import WHISPER_FORMAT
from batchscribe.speech.whisper_known import KNOWN_MODELS

TABLE = TypeAdapter(dict[str, KnownModel])
#: No server listens there.
NOWHERE = "http://127.0.0.1:9"


@dataclass(frozen=True, slots=True)
class Pulling:
    """How to pull into the data directory of `settings`."""

    settings: Settings
    known: Mapping[str, KnownModel] = field(default_factory=lambda: KNOWN_MODELS)
    environment: dict[str, str] = field(default_factory=dict)
    python: str = sys.executable

    def pull(self, name: str, *words: str) -> str:
        """Pull a model. Return the last line of standard error if it failed, else nothing."""
        with self.started(name, *words) as process:
            _, err = process.communicate(timeout=150)
        return err.strip().rpartition("\n")[2] if process.returncode else ""

    @contextmanager
    def started(self, name: str, *words: str) -> Iterator[subprocess.Popen[str]]:
        self.settings.data_dir.mkdir(parents=True, exist_ok=True)
        table = self.settings.data_dir / "table.json"
        table.write_bytes(TABLE.dump_json(dict(self.known)))
        hub = {"HF_ENDPOINT": NOWHERE, "HF_HOME": str(self.settings.data_dir / "hub"), "HF_HUB_DISABLE_XET": "1"}
        line = [self.python, "-m", "tests.integration.pull_runner", name, str(self.settings.data_dir), str(table)]
        with subprocess.Popen(
            [*line, *words], env={**os.environ, **hub, **self.environment}, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True,
        ) as process:  # fmt: skip
            try:
                yield process
            finally:
                process.kill()


class Told(NoProgress):
    def note(self, sentence: str) -> None:
        print(sentence, flush=True)  # noqa: T201 - the test reads it


def main(name: str, data_dir: str, table: str, source: str = "", largest_bytes: str = "") -> None:
    if largest_bytes:
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(largest_bytes), int(largest_bytes)))
    known = TABLE.validate_json(Path(table).read_bytes())
    try:
        formats = [replace(WHISPER_FORMAT, known=known)]
        pull_model(name, load_settings(data_dir=data_dir), formats, source=source or None, watch=Told())
    except BatchscribeError as error:
        sys.exit(f"{error.code}: {error}")


if __name__ == "__main__":
    main(*sys.argv[1:])
