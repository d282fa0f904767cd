"""Word error rate through the flow against the bare engine on whole files, and words invented where nobody speaks.

Scored with Whisper's English normaliser, as the public leaderboards do. On the examples always; on the corpus of
recordings with references where it lies beside the checkout.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import jiwer
import numpy as np
from whisper_normalizer.english import EnglishTextNormalizer

from batchscribe.settings import load_settings
from batchscribe.speech.engine import Request
from batchscribe.speech.pool import EnginePool
from batchscribe.speech.registry import choose_engine
from batchscribe.window import Window
from benchmarks.flow import bench
from benchmarks.recordings import CORPUS
from benchmarks.report import Figure
from benchmarks.service import ENGINE, LANGUAGE, WORKERS, decoded

SPOKEN = ("clean-read", "public-address", "commands", "spontaneous", "noisy-or-reverberant", "telephony-8k")
SILENT = "no-speech"
FORMATS = {".wav", ".mp3", ".m4a", ".mp4"}  # what a job accepts without further settings


@dataclass(frozen=True, slots=True)
class Reference:
    path: Path
    category: str
    text: str


def measure() -> list[Figure]:
    if not CORPUS.is_dir():
        return [Figure("no corpus of recordings beside the checkout", "not measured")]
    references = _references()
    spoken = [each for each in references if each.category != SILENT]
    silent = [each for each in references if each.category == SILENT]
    flow, bare = _through_the_flow(references), _bare(spoken)
    figures = [_figure(category, spoken, flow, bare) for category in (*SPOKEN, "all")]
    invented = sum(len(flow[each.path].split()) for each in silent)
    return [*figures, Figure(f"words recognized in {len(silent)} recordings without speech", f"{invented}", "0")]


def _references() -> list[Reference]:
    """English, one channel, of known text; and everything that holds no speech."""
    found: list[Reference] = []
    for line in (CORPUS / "manifest.jsonl").read_text().splitlines():
        facts = json.loads(line)
        path, category = CORPUS / facts["path"], facts["category"]
        is_spoken = category in SPOKEN and facts["text"] and facts["channels"] == 1
        is_known = (facts["language"] or "").startswith("en") and "not confirmed" not in (facts["notes"] or "")
        if path.suffix.lower() in FORMATS and (category == SILENT or (is_spoken and is_known)):
            found.append(Reference(path, category, facts["text"]))
    return found


def _through_the_flow(references: Sequence[Reference]) -> dict[Path, str]:
    """The text of each recording, as its transcript says it. A manifest keeps the order of its files."""
    paths = [each.path for each in references]
    with TemporaryDirectory() as folder, bench(Path(folder), workers=WORKERS) as flow:
        run = flow.run(paths, engine=ENGINE)
        outputs = flow.outputs(run)
        return {path: json.loads(outputs[path].read_bytes())["result"]["text_display"] for path in paths}


def _bare(references: Sequence[Reference]) -> dict[Path, str]:
    """Each file whole, as one utterance: the bare engine at its best."""
    choice = choose_engine(ENGINE, LANGUAGE, load_settings())
    with EnginePool(choice.spec, WORKERS) as pool:
        futures = {each.path: pool.submit(Request(_whole(each.path), LANGUAGE)) for each in references}
        return {path: future.result().text for path, future in futures.items()}


def _whole(path: Path) -> Window:
    pieces = decoded([path], segmentation="none")
    return Window(0, 0.0, np.concatenate([piece.samples for piece in pieces]))


def _figure(category: str, spoken: Sequence[Reference], flow: dict[Path, str], bare: dict[Path, str]) -> Figure:
    of_category = [each for each in spoken if category in (each.category, "all")]
    if not of_category:
        return Figure(category, "no files")
    rates = [_word_error_rate(of_category, texts) for texts in (flow, bare)]
    name = f"{category}, {len(of_category)} files, flow : bare engine on whole files"
    return Figure(name, f"{rates[0]:.1%} : {rates[1]:.1%}", "no worse" if category == "all" else "")


def _word_error_rate(references: Sequence[Reference], texts: dict[Path, str]) -> float:
    normalize = EnglishTextNormalizer()
    said = [normalize(each.text) for each in references]
    return float(jiwer.wer(said, [normalize(texts[each.path]) for each in references]))
