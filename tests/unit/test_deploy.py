"""`deploy/` without Docker: everything in it that batchscribe or Python can check."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import yaml
from typer.main import get_command

from batchscribe.cli.app import app
from batchscribe.cli.process.signals import END_SEC
from batchscribe.database.backlog import backlog_by_tenant
from batchscribe.database.job_rows import insert_job
from batchscribe.settings import Settings, load_settings
from tests.documents import DOCUMENTS, ROOT, code_blocks
from tests.jobs_on_record import a_job, stored_job

DEPLOY = ROOT / "deploy"
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if service["image"] == "batchscribe"}
IMAGES = ("Dockerfile", "Dockerfile.cuda")
DEPLOYMENT = ROOT / "docs" / "deployment.md"
UNITS = (DEPLOYMENT, ROOT / "docs" / "how-to-systemd.md")
FILLED_IN = re.compile(r"\$\{(\w+):\?[^}]+\}")


def seconds(duration: str) -> int:
    return int(duration.removesuffix("s"))


def test_there_are_a_database_a_storage_a_server_and_two_workers() -> None:
    assert set(SERVICES) == {"postgresql", "s3", "migrate", "api", "worker"}
    assert set(OURS) == {"migrate", "api", "worker"}
    assert SERVICES["worker"]["deploy"]["replicas"] == 2


@pytest.mark.parametrize("name", OURS)
def test_our_command_takes_the_words_it_is_given(name: str) -> None:
    command, *words = OURS[name]["command"]
    parser = get_command(app).commands[command]  # type: ignore[attr-defined]
    parser.make_context(command, words)  # raises for an option that it does not have


@pytest.mark.parametrize("name", OURS)
def test_every_variable_is_a_setting_with_a_value_that_it_takes(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    environment = OURS[name]["environment"]
    assert {f"BATCHSCRIBE_{field.upper()}" for field in Settings.model_fields} >= set(environment)
    for variable, value in environment.items():
        monkeypatch.setenv(variable, FILLED_IN.sub("x", value))
    settings = load_settings()
    assert settings.is_fleet
    assert settings.effective_database_url == "postgresql://batchscribe:x@postgresql:5432/batchscribe"


def test_no_secret_has_a_default_and_the_example_names_them_all() -> None:
    text = (DEPLOY / "compose.yaml").read_text()
    wanted = set(FILLED_IN.findall(text))
    assert len(FILLED_IN.findall(text)) == len(re.findall(r"\$\{", text))
    example = (DEPLOY / ".env.example").read_text()
    assert set(re.findall(r"^(\w+)=$", example, re.MULTILINE)) == wanted
    assert "/deploy/.env\n" in (ROOT / ".gitignore").read_text()


def test_the_schema_is_migrated_before_other_services_start() -> None:
    assert SERVICES["migrate"]["depends_on"] == {"postgresql": {"condition": "service_healthy"}}
    for name in ("api", "worker"):
        assert SERVICES[name]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}


def test_every_service_that_stays_says_whether_it_is_well() -> None:
    assert {name for name, service in SERVICES.items() if "healthcheck" in service} == set(SERVICES) - {"migrate"}
    for name in ("api", "worker"):
        _, program, option, script = SERVICES[name]["healthcheck"]["test"]
        assert (program, option) == ("python", "-c")
        ast.parse(script)
    port = SERVICES["worker"]["environment"]["BATCHSCRIBE_METRICS_PORT"]
    assert f":{port}/metrics" in SERVICES["worker"]["healthcheck"]["test"][-1]


def test_work_gets_the_grace_time_before_a_process_is_killed() -> None:
    grace_sec = load_settings().grace_sec
    for name in ("api", "worker"):
        assert seconds(SERVICES[name]["stop_grace_period"]) >= grace_sec + END_SEC


@pytest.mark.parametrize("name", OURS)
def test_a_container_has_no_right_that_it_does_not_need(name: str) -> None:
    service = OURS[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert (service["tmpfs"], service["volumes"]) == (["/tmp"], ["data:/data"])  # noqa: S108


def test_no_log_fills_the_disk() -> None:
    assert all(service["logging"]["options"].keys() == {"max-size", "max-file"} for service in SERVICES.values())


def test_the_database_accepts_the_connections_of_all_processes() -> None:
    text = DEPLOYMENT.read_text()
    (each,) = re.findall(r"A process opens up to (\d+) connections", text)
    (workers,) = re.findall(r"--scale worker=(\d+)", text)
    (most,) = re.findall(r"max_connections=(\d+)", " ".join(SERVICES["postgresql"]["command"]))
    others = 2  # the server, and a command such as `keys create`
    assert int(most) > int(each) * (int(workers) + others)


def unit_in(document: Path) -> dict[str, str]:
    (unit,) = code_blocks(document, "ini")
    return dict(line.split("=", 1) for line in unit.splitlines() if "=" in line)


@pytest.mark.parametrize("document", UNITS, ids=lambda each: each.name)
def test_a_systemd_unit_runs_a_command_and_lets_it_drain(document: Path) -> None:
    service = unit_in(document)
    _, command, *words = service["ExecStart"].split()
    get_command(app).commands[command].make_context(command, words)  # type: ignore[attr-defined]
    assert int(service["TimeoutStopSec"]) >= load_settings().grace_sec + END_SEC
    (variables,) = [block for block in code_blocks(document, "text") if "BATCHSCRIBE_" in block]
    assert f"BATCHSCRIBE_DATA_DIR=/var/lib/{service['StateDirectory']}" in variables


@pytest.mark.parametrize("document", [*UNITS, ROOT / "docs" / "watch.md"], ids=lambda each: each.name)
def test_systemd_ends_no_child_and_shows_other_users_no_transcript(document: Path) -> None:
    service = unit_in(document)
    assert service["KillMode"] == "mixed"  # decoders and engines do not ignore SIGTERM
    assert service["OOMPolicy"] == "continue"
    assert service["StateDirectoryMode"] == "0700"
    assert int(service["LimitNOFILE"]) > 1024


@pytest.mark.parametrize("document", [*UNITS, ROOT / "docs" / "watch.md"], ids=lambda each: each.name)
def test_systemd_knows_every_line_of_a_unit(document: Path, tmp_path: Path) -> None:
    (unit,) = code_blocks(document, "ini")
    file = tmp_path / "batchscribe.service"
    file.write_text(unit.replace("/opt/batchscribe/bin/batchscribe", sys.executable))
    done = subprocess.run(["systemd-analyze", "verify", file], capture_output=True, text=True, check=False)
    assert [line for line in done.stderr.splitlines() if file.name in line] == []
    assert done.returncode == 0


def test_nothing_is_open_to_other_machines() -> None:
    published = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert published
    assert all(port.startswith("127.0.0.1:") for port in published)


def test_the_users_of_the_storage_are_valid_json_in_the_expected_file() -> None:
    content = FILLED_IN.sub("x", COMPOSE["configs"]["s3"]["content"])
    (identity,) = json.loads(content)["identities"]
    assert {"Read", "Write", "List"} <= set(identity["actions"])
    (config,) = SERVICES["s3"]["configs"]
    assert f"-s3.config={config['target']}" in SERVICES["s3"]["command"]
    assert OURS["worker"]["environment"]["BATCHSCRIBE_S3_ENDPOINT"] == "http://s3:8333"


def test_every_named_volume_is_declared_and_used() -> None:
    used = {volume.partition(":")[0] for service in SERVICES.values() for volume in service.get("volumes", [])}
    assert used == set(COMPOSE["volumes"])


# --- the image ----------------------------------------------------------------------------------------------------


def copied(image: str) -> list[str]:
    lines = re.findall(r"^COPY (.+)$", (DEPLOY / image).read_text(), re.MULTILINE)
    return [source for line in lines for source in line.split()[:-1]]


@pytest.mark.parametrize("image", IMAGES)
def test_an_image_is_built_from_files_that_are_there_and_that_are_let_in(image: str) -> None:
    lines = (DEPLOY / f"{image}.dockerignore").read_text().splitlines()
    let_in = [line.removeprefix("!") for line in lines if line.startswith("!")]
    assert copied(image)
    assert [source for source in copied(image) if not (ROOT / source).exists()] == []
    assert sorted(copied(image)) == sorted(let_in)


@pytest.mark.parametrize("image", IMAGES)
def test_everything_that_the_package_is_built_from_is_copied(image: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for name in (project["readme"], *project["license-files"]):
        assert name in copied(image) or name.split("/")[0] in copied(image)


@pytest.mark.parametrize("image", IMAGES)
def test_an_image_runs_the_command_as_a_numbered_user_who_owns_the_data(image: str) -> None:
    text = (DEPLOY / image).read_text()
    assert 'ENTRYPOINT ["batchscribe"]' in text
    *_, user = re.findall(r"^USER (\d+)$", text, re.MULTILINE)
    assert int(user) > 0
    assert f"--uid {user} " in text
    assert f"--owner={user} " in text
    assert text.index("RUN useradd") < text.index("USER ")


@pytest.mark.parametrize("image", IMAGES)
def test_the_versions_of_an_image_are_the_pinned_ones(image: str) -> None:
    text = (DEPLOY / image).read_text()
    installs = re.findall(r"pip install (.+?)(?: \\)?$", text, re.MULTILINE)
    assert installs
    assert all("--constraint constraints.txt" in words for words in installs)
    assert "FROM python:3.11-slim" in text


def test_the_image_for_gpus_finds_the_library_that_its_extra_installs() -> None:
    text = (DEPLOY / "Dockerfile.cuda").read_text()
    assert ".[cuda,speakers]" in text
    (folders,) = re.findall(r"LD_LIBRARY_PATH=(\S+)", text)
    packages = "/usr/local/lib/python3.11/site-packages/nvidia"
    assert folders.split(":") == [f"{packages}/cublas/lib", f"{packages}/cuda_nvrtc/lib"]


# --- the document -------------------------------------------------------------------------------------------------


def test_the_query_for_autoscaling_counts_open_shards_and_jobs_to_be_listed(connection: sa.Connection) -> None:
    (query,) = code_blocks(DEPLOYMENT, "sql")
    assert connection.execute(sa.text(query)).scalar_one() == 0
    stored_job(connection, files=5, job_id="job_a")
    stored_job(connection, files=5, job_id="job_b", tenant="acme")
    insert_job(connection, a_job(job_id="job_c"), fingerprint="f")  # not listed yet
    assert sum(each.shards_waiting for each in backlog_by_tenant(connection)) == 2
    counted = connection.execute(sa.text(query)).scalar_one()
    assert counted == 3
    assert isinstance(counted, int)  # KEDA takes no other type
    scaler = yaml.safe_load((DEPLOY / "kubernetes" / "keda" / "scaledobject.yaml").read_text())
    assert connection.execute(sa.text(scaler["spec"]["triggers"][0]["metadata"]["query"])).scalar_one() == 3
    assert " ".join(scaler["spec"]["triggers"][0]["metadata"]["query"].split()) == " ".join(query.split())


def test_every_extra_is_explained() -> None:
    text = "\n".join(document.read_text() for document in DOCUMENTS)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = set(project["optional-dependencies"])
    assert extras >= {"onnx", "speakers", "cuda"}
    assert {extra for extra in extras if f"| `{extra}` |" not in text and f"[{extra}]'" not in text} == set()


def test_everything_in_the_folder_is_named_in_the_document() -> None:
    text = DEPLOYMENT.read_text()
    names = {path.name for path in DEPLOY.iterdir() if path.name != ".env" and path.suffix != ".dockerignore"}
    assert {name for name in names if f"deploy/{name}" not in text} == set()
