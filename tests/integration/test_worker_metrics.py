"""`/metrics` of `batchscribe worker`: off by default, and gone with the process."""

from __future__ import annotations

import re
import signal
import socket
from pathlib import Path

import httpx2
import pytest

from tests.integration.command import Command


@pytest.fixture
def command(tmp_path: Path) -> Command:
    return Command(tmp_path, {"BATCHSCRIBE_ENGINE": "scripted"})


def test_a_worker_serves_metrics_on_the_given_port(command: Command) -> None:
    with command.started("worker", "--metrics-port", "0", "--name", "gpu-1") as process:
        assert process.stdout is not None
        found = re.search(r"http://127\.0\.0\.1:\d+/metrics", process.stdout.readline())
        assert found
        assert "is ready" in process.stdout.readline()
        text = httpx2.get(found[0], trust_env=False).text
        assert re.search(r'^batchscribe_workers\{state="working"\} 1\.0$', text, re.MULTILINE)
        assert re.search(r"^batchscribe_files_total", text, re.MULTILINE)
        assert re.search(r'^batchscribe_build_info\{version="[^"]+",worker="gpu-1"\} 1\.0$', text, re.MULTILINE)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    with pytest.raises(httpx2.ConnectError):
        httpx2.get(found[0], trust_env=False)


def test_without_a_port_it_listens_nowhere(command: Command) -> None:
    with command.started("worker") as process:
        assert process.stdout is not None
        assert "is ready" in process.stdout.readline()
        listening = {line.split()[1] for line in _tcp(process.pid) if line.split()[3] == "0A"}
        assert listening == set()
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0


def _tcp(pid: int) -> list[str]:
    """Return the TCP sockets of the process."""
    inodes = set(re.findall(r"socket:\[(\d+)\]", " ".join(_links(pid))))
    lines = [*Path("/proc/net/tcp").read_text().splitlines()[1:], *Path("/proc/net/tcp6").read_text().splitlines()[1:]]
    return [line for line in lines if line.split()[9] in inodes]


def _links(pid: int) -> list[str]:
    return [str(each.readlink()) for each in Path(f"/proc/{pid}/fd").iterdir()]


def test_a_port_in_use_is_reported_before_any_work_begins(command: Command) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        refused = command.run("worker", "--metrics-port", str(taken.getsockname()[1]))
    assert refused.status == 2
    assert "--metrics-port" in refused.err
