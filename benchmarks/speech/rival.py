"""whisper-ctranslate2, the command line of faster-whisper, in a separate, permanent virtual environment."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import platformdirs

from benchmarks.recordings import ROOT
from benchmarks.speech.contenders import COMPUTE_TYPE, CORES
from benchmarks.speech.progress import tell

NAME, VERSION = "whisper-ctranslate2", "0.5.8"


def installed() -> Path:
    """Its program; made once, with the same versions of the engine's libraries as here."""
    folder = Path(platformdirs.user_cache_dir("batchscribe-benchmarks")) / f"{NAME}-{VERSION}"
    stamp = folder / "installed"
    if not stamp.exists():
        tell(f"installing {NAME} {VERSION}")
        subprocess.run([sys.executable, "-m", "venv", "--clear", f"{folder}"], check=True)
        pip = [f"{folder / 'bin' / 'python'}", "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
        subprocess.run([*pip, "--constraint", f"{ROOT / 'constraints.txt'}", f"{NAME}=={VERSION}"], check=True)
        stamp.touch()
    return folder / "bin" / NAME


def command(program: Path, model: Path, paths: Sequence[Path], output: Path) -> list[str]:
    """Return the command: on all cores, otherwise with defaults."""
    options = {
        "--model_directory": f"{model}",
        "--batched": "True",
        "--device": "cpu",
        "--compute_type": COMPUTE_TYPE,
        "--threads": f"{CORES}",
        "--language": "en",
        "--output_format": "json",
        "--output_dir": f"{output}",
        "--verbose": "False",
    }
    return [f"{program}", *(word for option in options.items() for word in option), *map(str, paths)]
