"""Every block of code in the documents is run or checked by a test, or has a reason why it is not."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import srt
import webvtt

from batchscribe.cli.vocabulary_file import read_vocabulary
from batchscribe.old_settings import OldSettings
from batchscribe.settings import Settings
from batchscribe.speech.engine_record import ENTRY_POINTS
from batchscribe.transcript.profanity import read_changes
from tests.documents import DOCUMENTS, ROOT, code_blocks

DOCS = ROOT / "docs"
#: Lines of shell blocks that tests check wherever they stand: commands of batchscribe with their options, and targets
#: of make, in `test_readme.py`; names of settings below.
CHECKED_LINE = re.compile(
    r"\s*(?:#.*|(?:[A-Z]+=\d+ )*make [a-z-]+.*|source \.venv/bin/activate|\.venv/bin/python -m benchmarks.*"
    r"|export(?: [A-Z0-9_]+=\S+)+(?:\s+#.*)?|(?:BATCHSCRIBE_\w+=\S+ )*batchscribe .*)?"
)

#: The test that runs or checks every block of a document in this language.
RUN = {
    ("README.md", "text"): "integration/test_readme_commands.py",
    ("architecture.md", ""): "unit/test_architecture_docs.py",
    ("architecture.md", "mermaid"): "unit/test_architecture_docs.py",
    ("client.md", "python"): "integration/test_client_docs.py",
    ("command-line.md", "text"): "unit/test_document_blocks.py",
    ("deployment.md", "ini"): "unit/test_deploy.py",
    ("deployment.md", "nginx"): "integration/test_how_to_proxy.py",
    ("deployment.md", "sql"): "unit/test_deploy.py",
    ("deployment.md", "text"): "unit/test_deploy.py",
    ("engines.md", "python"): "plugin_package.py",
    ("engines.md", "toml"): "unit/test_document_blocks.py",
    ("how-to-move.md", "sh"): "integration/test_how_to_serve.py",
    ("how-to-proxy.md", "caddy"): "integration/test_how_to_proxy.py",
    ("how-to-proxy.md", "nginx"): "integration/test_how_to_proxy.py",
    ("how-to-proxy.md", "sh"): "integration/test_how_to_proxy.py",
    ("how-to-retention.md", "sh"): "integration/test_how_to_serve.py",
    ("how-to-systemd.md", "ini"): "integration/test_how_to_serve.py",
    ("how-to-systemd.md", "text"): "integration/test_how_to_serve.py",
    ("how-to-vocabulary.md", "text"): "integration/test_how_to_transcribe.py",
    ("http.md", "python"): "integration/test_http_docs.py",
    ("http.md", "sh"): "integration/test_http_docs.py",
    ("monitoring.md", ""): "integration/test_traces.py",
    ("monitoring.md", "promql"): "unit/test_monitoring_docs.py",
    ("monitoring.md", "yaml"): "unit/test_monitoring_docs.py",
    ("profanity.md", "text"): "unit/test_document_blocks.py",
    ("sizing.md", "sh"): "unit/test_sizing_docs.py",
    ("transcripts.md", "text"): "unit/test_document_blocks.py",
    ("tutorial.md", "text"): "browser/test_tutorial.py",
    ("web.md", "nginx"): "integration/test_how_to_proxy.py",
    ("webhooks.md", "js"): "integration/test_webhook_docs.py",
    ("webhooks.md", "python"): "integration/test_webhook_docs.py",
}

SETS_UP = "It changes the machine: it installs packages, users or services."
#: Blocks that no test runs, by their beginning, with the reason.
EXEMPT = {
    (
        "command-line.md",
        "Failed: calls/b.m4a",
    ): "The figures of an output; test_transcribe_command.py checks its lines.",
    ("command-line.md", "calls/library.mp3"): "An output at a terminal; test_cli_conversation.py checks its form.",
    ("command-line.md", "_BATCHSCRIBE_COMPLETE"): "test_cli_command_tree.py completes with its output in bash.",
    ("command-line.md", "PROCESSING: 12"): "The figures of an output; test_changed_jobs.py checks its lines.",
    ("command-line.md", "pip install onnx"): SETS_UP,
    ("deployment.md", "python3 -m venv"): SETS_UP,
    ("deployment.md", "export PATH=/opt"): "It reads the file of the step before, in /etc.",
    ("deployment.md", "cp deploy/.env.example"): "It needs Docker; test_deploy.py checks what it runs.",
    ("deployment.md", "cp deploy/kubernetes"): "It needs a cluster; test_kubernetes.py checks the manifests.",
    ("deployment.md", "kubectl delete job"): "It needs a cluster; test_kubernetes.py checks the names and the order.",
    ("deployment.md", "psql"): "test_lost_key.py runs it.",
    ("deployment.md", "systemctl"): SETS_UP,
    ("deployment.md", "docker build"): "It needs Docker; test_deploy.py checks what it builds.",
    ("engines.md", "pip install"): SETS_UP,
    ("engines.md", "python -m batchscribe.speech"): "test_plugin_engine.py runs it for the engine of the document.",
    ("how-to-gpu.md", ".venv/bin/python -m pip install"): SETS_UP,
    ("how-to-gpu.md", ".venv/bin/python -m pip uninstall"): SETS_UP,
    ("how-to-gpu.md", "export LD_LIBRARY_PATH"): "The libraries are only on machines with a GPU.",
    ("how-to-offline.md", "python3 -m pip wheel"): "It downloads all packages.",
    ("how-to-offline.md", "python3 -m venv"): SETS_UP,
    ("how-to-speakers.md", "python -m pip install"): SETS_UP,
    ("how-to-systemd.md", "python3 -m venv"): SETS_UP,
    ("how-to-systemd.md", "systemctl"): SETS_UP,
    ("how-to-systemd.md", "runuser"): SETS_UP,
    ("monitoring.md", "pip install"): SETS_UP,
    ("speakers.md", "pip install onnx"): SETS_UP,
    ("speakers.md", "Speaker 1:"): "An invented conversation of two lines.",
    ("watch.md", "[Unit]"): "It needs systemd; test_watch_command.py checks its command.",
    ("webhooks.md", "Listening on"): "The times of an output; test_webhooks_listen.py checks its lines.",
}


@dataclass(frozen=True, slots=True)
class Block:
    document: str
    language: str
    indent: str
    code: str

    @property
    def is_checked_everywhere(self) -> bool:
        """JSON is parsed in `test_docs.py`."""
        lines = re.sub(r"\\\n", "", self.code).splitlines()
        return self.language == "json" or (self.language == "sh" and all(map(CHECKED_LINE.fullmatch, lines)))

    @property
    def exemption(self) -> tuple[str, str] | None:
        found = (key for key in EXEMPT if key[0] == self.document and self.code.startswith(key[1]))
        return next(found, None)


def all_blocks() -> Iterator[Block]:
    fenced = re.compile(r"^( *)```(\w*)\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)
    for path in DOCUMENTS:
        for indent, language, code in fenced.findall(path.read_text()):
            yield Block(path.name, language, indent, code)


BLOCKS = list(all_blocks())


def test_every_block_is_run_or_checked_or_has_a_reason() -> None:
    unknown = [
        f"{block.document}: {block.code.splitlines()[0]}"
        for block in BLOCKS
        if not (block.is_checked_everywhere or (block.document, block.language) in RUN or block.exemption)
    ]
    assert unknown == []


def test_no_block_is_indented_so_that_the_tests_see_it() -> None:
    assert [block for block in BLOCKS if block.indent] == []


def test_every_named_test_reads_the_document_and_every_reason_is_needed() -> None:
    for (document, language), test in RUN.items():
        source = (ROOT / "tests" / test).read_text()
        assert document in source or document.removesuffix(".md").upper() in source, (document, test)
        assert any((block.document, block.language) == (document, language) for block in BLOCKS), (document, language)
    assert {block.exemption for block in BLOCKS if not block.is_checked_everywhere} - {None} == set(EXEMPT)


def test_every_variable_of_batchscribe_is_a_setting() -> None:
    known = {f"BATCHSCRIBE_{field.upper()}" for field in Settings.model_fields | OldSettings.model_fields}
    for path in DOCUMENTS:
        named = set(re.findall(r"\bBATCHSCRIBE_[A-Z0-9_]*[A-Z0-9]\b(?!_?\*)", path.read_text()))
        if path.name != "CHANGELOG.md":  # names settings of the past
            assert named <= known, path.name


# --- blocks that are read here ------------------------------------------------------------------------------------


def test_the_vocabulary_of_the_command_line_can_be_read(tmp_path: Path) -> None:
    (block,) = code_blocks(DOCS / "command-line.md", "text")
    (tmp_path / "names.txt").write_text(block)
    vocabulary = read_vocabulary(str(tmp_path / "names.txt"))
    assert vocabulary["phrases"] == ["Ada Lovelace", "Kubernetes", "Star Wars: Andor"]
    assert len(vocabulary["aliases"]) == 1


def test_the_words_of_an_operator_can_be_read(tmp_path: Path) -> None:
    (block,) = code_blocks(DOCS / "profanity.md", "text")
    (tmp_path / "words.txt").write_text(block)
    changes = read_changes(tmp_path / "words.txt")
    assert {"de", "el"} <= {change.language for change in changes}
    assert any(change.is_removed for change in changes)


def test_the_entry_point_of_an_engine_is_in_the_group_that_is_read() -> None:
    (block,) = code_blocks(DOCS / "engines.md", "toml")
    assert set(tomllib.loads(block)["project"]["entry-points"]) == {ENTRY_POINTS}


@pytest.mark.parametrize("beginning", ["1\n", "WEBVTT\n"])
def test_the_subtitles_of_the_document_can_be_read(beginning: str, tmp_path: Path) -> None:
    (block,) = [block for block in code_blocks(DOCS / "transcripts.md", "text") if block.startswith(beginning)]
    if beginning == "1\n":
        assert "Good morning" in next(iter(srt.parse(block))).content
    else:
        (tmp_path / "a.vtt").write_text(block)
        assert "Good morning" in webvtt.read(str(tmp_path / "a.vtt")).captions[0].text
