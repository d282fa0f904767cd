"""The `batchscribe` command with a scripted engine that takes a vocabulary, says its phrases in turn, and knows Greek.

Nothing else differs from the real command. It has no heavy imports, because each engine and decoder imports the main
module again.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial


def main() -> None:
    from batchscribe.cli.app import main as run
    from batchscribe.speech import registry
    from batchscribe.speech.scripted import SCRIPTED, ScriptedSpec

    spec = partial(ScriptedSpec, takes_vocabulary=True, languages=("en", "el", "ja"))
    scripted = replace(SCRIPTED, find_models=lambda _settings: [spec()])
    engines = tuple(scripted if engine.name == scripted.name else engine for engine in registry.BUILT_IN)
    vars(registry).update(BUILT_IN=engines)
    run()


if __name__ == "__main__":
    main()
