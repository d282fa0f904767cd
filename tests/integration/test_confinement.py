"""An attacker who has taken over a decoder or an engine: every attack fails."""

from __future__ import annotations

import ctypes
import json
import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from batchscribe.check import CheckResult
from batchscribe.children.landlock import VERSION
from batchscribe.children.layer_measurement import measure_layers
from batchscribe.children.layers import ALL_LAYERS, NOTHING, Layer
from batchscribe.children.start import start_child
from batchscribe.doctor.engine_check import judge_confinement
from batchscribe.metrics import REGISTRY
from batchscribe.settings import load_settings
from batchscribe.speech.engine_confinement import needs_of
from batchscribe.speech.scripted import ScriptedSpec
from batchscribe.worker import confinement_report
from batchscribe.worker.confinement_report import start_confinement_report
from tests.integration import attacker
from tests.integration.attacker import Targets
from tests.integration.command import wait_until

SECRET = b"s3cret in the memory of the parent"
KINDS = ("decoder", "engine")
NEEDS = {"decoder": NOTHING, "engine": needs_of(ScriptedSpec())}
#: What stays open if one layer is missing, on any kernel with the others.
WITHOUT_SECCOMP = {
    "fork", "local socket", "keyring", "io_uring", "perf_event_open", "pidfd_open", "bpf", "unshare", "listen",
    "kill by readiness", "limit parent", "run from memory", "processors of the parent",
}  # fmt: skip
#: Landlock restricts signals and abstract sockets since version 6, and TCP since version 4.
OLDER_LANDLOCK = ({"abstract socket", "signal parent", "signal sibling"} if VERSION < 6 else set()) | (
    {"tcp"} if VERSION < 4 else set()
)


@pytest.fixture
def targets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Targets]:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s3cret")
    secret, victim, folder = tmp_path / "secret.key", tmp_path / "victim", tmp_path / "folder"
    secret.write_text("s3cret")
    victim.write_text("x")
    folder.mkdir()
    memory = ctypes.create_string_buffer(SECRET)
    abstract_name = f"\0batchscribe-{os.getpid()}"
    with ExitStack() as stack:
        tcp, udp, local, abstract = (
            stack.enter_context(socket.socket(*kind))
            for kind in (
                (socket.AF_INET, socket.SOCK_STREAM),
                (socket.AF_INET, socket.SOCK_DGRAM),
                (socket.AF_UNIX,),
                (socket.AF_UNIX,),
            )
        )
        for opened, address in (
            (tcp, ("127.0.0.1", 0)),
            (udp, ("127.0.0.1", 0)),
            (local, str(tmp_path / "socket")),
            (abstract, abstract_name),
        ):
            opened.bind(address)
        for opened in (tcp, local, abstract):
            opened.listen()
        sibling = stack.enter_context(subprocess.Popen(["sleep", "600"]))
        stack.callback(sibling.kill)
        yield Targets(
            secret=secret,
            victim=victim,
            folder=folder,
            tcp_port=tcp.getsockname()[1],
            udp_port=udp.getsockname()[1],
            local_socket=tmp_path / "socket",
            abstract_name=abstract_name,
            parent=os.getpid(),
            sibling=sibling.pid,
            parents_secret_at=ctypes.addressof(memory),
            parents_secret=SECRET,
        )


def attack(
    kind: str, targets: Targets, layers: frozenset[Layer] = ALL_LAYERS, *, refuse_namespaces: bool = False
) -> set[str]:
    """Return the attacks that succeeded."""
    context = get_context("forkserver")
    ours, theirs = context.Pipe()
    process = context.Process(
        target=attacker.serve,
        args=(theirs, kind, layers, targets),
        kwargs={"refuse_namespaces": refuse_namespaces},
        daemon=True,
    )
    with ours:
        with theirs:
            start_child(process)
        assert ours.poll(60), "the attacker says nothing"
        succeeded = set(json.loads(ours.recv_bytes()))
        process.join(60)
        process.close()
    return succeeded | ({"exec"} if (targets.folder / "executed").exists() else set())


@pytest.mark.parametrize("kind", KINDS)
def test_an_attacker_inside_a_child_can_do_nothing(kind: str, targets: Targets) -> None:
    assert attack(kind, targets) == set()
    assert targets.secret.read_text() == "s3cret"
    assert targets.victim.exists()
    assert list(targets.folder.iterdir()) == []
    assert measure_layers(NEEDS[kind]) == dict.fromkeys(Layer, True)


@pytest.mark.parametrize("kind", KINDS)
def test_nor_where_user_namespaces_are_refused_as_in_containers(kind: str, targets: Targets) -> None:
    assert attack(kind, targets, refuse_namespaces=True) == set()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("missing", "left_open"),
    [
        ({Layer.NAMESPACES}, set()),
        ({Layer.PRIVILEGES}, set()),
        ({Layer.NAMESPACES, Layer.SECCOMP}, WITHOUT_SECCOMP | OLDER_LANDLOCK | {"udp"}),
        ({Layer.SECCOMP}, WITHOUT_SECCOMP | OLDER_LANDLOCK),
    ],
    ids=["namespaces", "privileges", "namespaces and seccomp", "seccomp"],
)
def test_a_missing_layer_leaves_open_what_is_documented_and_is_measured(
    kind: str, missing: set[Layer], left_open: set[str], targets: Targets
) -> None:
    layers = ALL_LAYERS - missing
    assert attack(kind, targets, layers) <= left_open
    assert measure_layers(NEEDS[kind], layers) == {layer: layer in layers for layer in Layer}


def test_a_decoder_needs_landlock_for_nothing_that_seccomp_does_not_refuse(targets: Targets) -> None:
    assert attack("decoder", targets, ALL_LAYERS - {Layer.LANDLOCK}) == set()


def test_an_engine_without_landlock_reads_files_and_changes_none(targets: Targets) -> None:
    assert attack("engine", targets, ALL_LAYERS - {Layer.LANDLOCK}) <= {"read secret", "list root"}


@pytest.mark.parametrize("kind", KINDS)
def test_the_attacks_succeed_without_confinement(kind: str, targets: Targets) -> None:
    """Otherwise the other tests would prove nothing. Even then a decoder cannot write files (RLIMIT_FSIZE)."""
    succeeded = attack(kind, targets, frozenset())
    assert {"read secret", "list root", "make folder", "rename file", "delete file", "fork", "tcp", "listen", "udp",
            "local socket", "abstract socket", "signal parent", "signal sibling", "exec"} <= succeeded  # fmt: skip


def test_the_doctor_names_the_missing_layer_and_the_cure() -> None:
    held = measure_layers(NOTHING, ALL_LAYERS - {Layer.SECCOMP})
    check = judge_confinement("decoder", held)
    assert check.verdict is CheckResult.WARNING
    assert "Missing: seccomp." in check.finding
    assert "start processes" in check.finding
    assert "libseccomp2" in check.advice
    assert judge_confinement("engine", held | {Layer.LANDLOCK: False}).advice.count("landlock") == 1


def test_the_doctor_is_content_without_namespaces_and_says_so() -> None:
    check = judge_confinement("engine", measure_layers(NEEDS["engine"], ALL_LAYERS - {Layer.NAMESPACES}))
    assert check.verdict is CheckResult.OK
    assert "Missing: namespaces. The other layers provide the same protection." in check.finding


def test_a_worker_logs_once_which_layers_confine_its_children() -> None:
    with capture_logs() as logged:
        start_confinement_report(load_settings(engine="scripted"))
        wait_until(lambda: logged != [])
    (line,) = logged
    assert (line["event"], line["log_level"]) == ("children.confined", "info")
    assert line["missing"] == {"decoder": "none", "engine": "none"}
    for child in KINDS:
        for layer in Layer:
            assert REGISTRY.get_sample_value("batchscribe_confinement", {"child": child, "layer": layer}) == 1.0


def test_a_command_warns_only_if_a_confinement_layer_is_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings = load_settings(engine="scripted")
    with capture_logs() as logged:
        start_confinement_report(settings, only_trouble=True).join()
    assert logged == []
    measured = partial(measure_layers, layers=ALL_LAYERS - {Layer.SECCOMP})
    monkeypatch.setattr(confinement_report, "measure_layers", measured)
    with capture_logs() as logged:
        start_confinement_report(settings, only_trouble=True).join()
    (line,) = logged
    assert (line["event"], line["log_level"]) == ("children.not_confined", "warning")
    assert line["missing"] == {"decoder": "seccomp", "engine": "seccomp"}
