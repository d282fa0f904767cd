"""Installs a package with an engine: a distribution with an entry point, in a folder on the path."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

from tests.documents import ROOT

#: A complete engine: it spells the length of each window.
LENGTHS = '''
    """An engine that says how long each window is."""

    from collections.abc import Sequence
    from dataclasses import dataclass

    from batchscribe.speech.engine import Engine, EngineSpec, RecognitionRequest
    from batchscribe.speech.engine_record import EngineRecord
    from batchscribe.window import Recognition, Word


    @dataclass(frozen=True, slots=True, kw_only=True)
    class LengthsSpec(EngineSpec):
        name: str = "lengths"
        model: str = "lengths-1"
        languages: tuple[str, ...] = ("en", "de")
        speed: float = 1000.0
        batch_size: int = 4

        def build(self) -> Engine:
            return LengthsEngine()


    class LengthsEngine:
        def transcribe(self, requests: Sequence[RecognitionRequest]) -> list[Recognition]:
            return [describe(request.window.duration_sec) for request in requests]


    def describe(duration_sec: float) -> Recognition:
        word = Word(f"{duration_sec:.0f}", 0.0, duration_sec)
        return Recognition.of(word.text, (word,), duration_sec)


    ENGINE = EngineRecord(
        name="lengths", rank=50, find_models=lambda settings: [LengthsSpec()], advice="it needs none"
    )
'''


def install_plugin(folder: Path, code: str = LENGTHS, *, engine: str = "lengths", target: str = "ENGINE") -> Path:
    """Write the package `batchscribe-ENGINE` 1.2 with one module to a folder for `sys.path`, and return the folder."""
    module = f"batchscribe_{engine}".replace("-", "_")
    info = folder / f"{module}-1.2.dist-info"
    info.mkdir(parents=True)
    (folder / f"{module}.py").write_text(dedent(code))
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: batchscribe-{engine}\nVersion: 1.2\n")
    (info / "entry_points.txt").write_text(f"[batchscribe.engines]\n{engine} = {module}:{target}\n")
    return folder


def engine_of_the_docs() -> str:
    """Return the module in docs/engines.md: the engine `loudness`."""
    return (ROOT / "docs" / "engines.md").read_text().partition("```python\n")[2].partition("```")[0]
