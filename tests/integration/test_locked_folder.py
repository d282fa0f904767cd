"""Commands in a current folder that their user may not enter, as after `runuser` in root's own folder."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

PROGRAM = str(Path(sys.executable).with_name("batchscribe"))
#: Takes from root what lets it enter every folder.
WITHOUT_CAPABILITIES = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"]


def test_a_command_does_not_need_the_current_folder(tmp_path: Path) -> None:
    locked = tmp_path / "locked"
    locked.mkdir()
    words = [*(WITHOUT_CAPABILITIES if os.geteuid() == 0 else []), PROGRAM]
    line = shlex.join([*words, "keys", "create", "--tenant", "acme", "--data-dir", str(tmp_path / "data")])
    done = subprocess.run(
        ["sh", "-c", f"chmod 0 . && {line}"], cwd=locked, capture_output=True, text=True, timeout=60, check=False
    )
    locked.chmod(0o700)
    assert done.returncode == 0, done.stderr
    assert "api_secret" in done.stdout
