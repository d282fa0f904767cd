"""`deploy/kubernetes`: the manifests against the schemas of Kubernetes, and against our commands and settings."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from typer.main import get_command

from batchscribe import __version__
from batchscribe.cli.app import app
from batchscribe.cli.process.signals import END_SEC
from batchscribe.settings import Settings, load_settings
from tests.documents import ROOT

FOLDER = ROOT / "deploy" / "kubernetes"
FILES = sorted(path for path in FOLDER.rglob("*.yaml*") if path.name != "secret.yaml")
SCHEMAS = ("1.31", "1.37")
KEDA = "keda.sh/v1alpha1"
SCALED_OBJECT = {
    "scaleTargetRef", "pollingInterval", "cooldownPeriod", "minReplicaCount", "maxReplicaCount", "fallback", "advanced",
    "triggers",
}  # fmt: skip
POSTGRESQL_TRIGGER = {"connectionFromEnv", "query", "targetQueryValue", "activationTargetQueryValue"}
#: What the Pod Security Standard `restricted` asks of a container, and more.
RESTRICTED = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}

Resource = dict[str, Any]


def resources(path: Path) -> list[Resource]:
    return [each for each in yaml.safe_load_all(path.read_text()) if each]


ALL: list[Resource] = [resource for path in FILES for resource in resources(path)]
BUILT_IN = [each for each in ALL if each["apiVersion"] != KEDA]
TEMPLATES = {each["metadata"]["name"]: each["spec"]["template"] for each in ALL if "template" in each.get("spec", {})}


def named(kind: str, name: str) -> Resource:
    (found,) = [each for each in ALL if (each["kind"], each["metadata"]["name"]) == (kind, name)]
    return found


def containers() -> Iterator[tuple[Resource, Resource]]:
    """Yield every container with the pod that it is part of."""
    for template in TEMPLATES.values():
        pod = template["spec"]
        yield from ((pod, container) for container in [*pod.get("initContainers", []), *pod["containers"]])


@pytest.mark.parametrize("version", SCHEMAS)
@pytest.mark.parametrize("resource", BUILT_IN, ids=lambda each: f"{each['kind']}-{each['metadata']['name']}")
def test_every_manifest_fits_the_schema_of_kubernetes(resource: Resource, version: str) -> None:
    kubernetes_validate.validate(resource, version, strict=True)


def test_an_unknown_field_of_a_manifest_is_found() -> None:
    wrong = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "date": {}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, SCHEMAS[0], strict=True)


def test_no_manifest_has_a_namespace() -> None:
    assert [each for each in ALL if "namespace" in each["metadata"]] == []


def test_every_container_runs_a_command_that_exists() -> None:
    for _, container in containers():
        command, *words = container["args"]
        parser = get_command(app)
        while hasattr(parser, "commands"):
            parser = parser.commands[command]
            if hasattr(parser, "commands"):
                command, *words = words
        parser.make_context(command, words)  # raises for an option that it does not have


def test_the_image_is_that_of_this_release() -> None:
    assert {container["image"].removesuffix("-cuda") for _, container in containers()} == {f"batchscribe:{__version__}"}


def test_every_variable_is_a_setting_with_a_value_that_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    known = {f"BATCHSCRIBE_{field.upper()}" for field in Settings.model_fields}
    secret, config = named("Secret", "batchscribe"), named("ConfigMap", "batchscribe")
    shared = secret["stringData"] | config["data"]
    assert shared.keys() <= known
    for _, container in containers():
        own = {each["name"]: each["value"] for each in container.get("env", [])}
        assert own.keys() <= known
        with monkeypatch.context() as patch:
            for name, value in (shared | own).items():
                patch.setenv(name, value)
            assert load_settings().is_fleet


def test_every_container_reads_the_secret_except_the_one_that_only_pulls_a_model() -> None:
    expected = [{"configMapRef": {"name": "batchscribe"}}, {"secretRef": {"name": "batchscribe"}}]
    for _, container in containers():
        assert container.get("envFrom", expected) == expected
        assert ("envFrom" in container) is (container["args"][0] != "models")


def test_kubernetes_adds_no_variables_for_services() -> None:
    assert all(template["spec"]["enableServiceLinks"] is False for template in TEMPLATES.values())


def test_no_container_has_a_right_that_it_does_not_need() -> None:
    for pod, container in containers():
        assert container["securityContext"] == RESTRICTED
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert pod["automountServiceAccountToken"] is False
        assert f"--uid {pod['securityContext']['runAsUser']} " in (ROOT / "deploy" / "Dockerfile").read_text()
        written = {each["mountPath"]: each["name"] for each in container["volumeMounts"]}
        assert written.keys() == {"/data", "/tmp"}  # noqa: S108
        assert set(written.values()) <= {each["name"] for each in pod["volumes"]}


def test_the_processes_end_in_order_before_they_are_killed() -> None:
    for name in ("batchscribe-server", "batchscribe-worker", "batchscribe-worker-gpu"):
        assert TEMPLATES[name]["spec"]["terminationGracePeriodSeconds"] >= load_settings().grace_sec + END_SEC


def test_a_worker_uses_as_many_cores_as_it_requests() -> None:
    for name, setting in (("worker", "ENGINE_PROCESSES"), ("worker-gpu", "DECODERS")):
        (container,) = TEMPLATES[f"batchscribe-{name}"]["spec"]["containers"]
        variables = {each["name"]: each["value"] for each in container["env"]}
        assert variables[f"BATCHSCRIBE_{setting}"] == container["resources"]["requests"]["cpu"]


def test_every_selector_and_port_leads_to_something() -> None:
    for each in ALL:
        selector = each.get("spec", {}).get("selector", {})
        labels = selector.get("matchLabels", selector)
        assert not labels or labels in [template["metadata"]["labels"] for template in TEMPLATES.values()]
    for _, container in containers():
        ports = {port["name"] for port in container.get("ports", [])}
        probes = [probe["httpGet"]["port"] for name, probe in container.items() if name.endswith("Probe")]
        assert set(probes) == ports
    (port,) = named("Service", "batchscribe")["spec"]["ports"]
    assert port["targetPort"] == "http"


def test_keda_scales_a_deployment_by_a_query_on_its_own_database() -> None:
    (scaled,) = [each for each in ALL if each["apiVersion"] == KEDA]
    assert scaled["kind"] == "ScaledObject"
    spec = scaled["spec"]
    assert spec.keys() <= SCALED_OBJECT
    target = named("Deployment", spec["scaleTargetRef"]["name"])
    assert "replicas" not in target["spec"]
    assert 1 <= spec["minReplicaCount"] < spec["maxReplicaCount"]
    (trigger,) = spec["triggers"]
    assert trigger["type"] == "postgresql"
    assert {"query", "targetQueryValue"} <= trigger["metadata"].keys() <= POSTGRESQL_TRIGGER
    assert all(isinstance(value, str) for value in trigger["metadata"].values())
    assert trigger["metadata"]["connectionFromEnv"] in named("Secret", "batchscribe")["stringData"]


def test_what_keda_passes_to_the_autoscaler_fits_its_schema() -> None:
    (scaled,) = [each for each in ALL if each["apiVersion"] == KEDA]
    options = scaled["spec"]["advanced"]["horizontalPodAutoscalerConfig"]
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "batchscribe-worker"}
    spec = options | {"scaleTargetRef": target, "maxReplicas": scaled["spec"]["maxReplicaCount"]}
    scaler = {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "a"},
        "spec": spec,
    }
    kubernetes_validate.validate(scaler, SCHEMAS[-1], strict=True)


def test_the_table_names_every_file() -> None:
    text = (ROOT / "docs" / "deployment.md").read_text()
    assert [path for path in FILES if f"| `{path.relative_to(FOLDER)}` |" not in text] == []
    assert "/deploy/kubernetes/secret.yaml\n" in (ROOT / ".gitignore").read_text()
