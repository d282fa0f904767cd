"""`deploy/kubernetes`: the manifests against the schemas of Kubernetes, and against our commands and settings."""

from __future__ import annotations

import re
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
from tests.documents import ROOT, code_blocks

FOLDER = ROOT / "deploy" / "kubernetes"
FILES = sorted(path for path in FOLDER.rglob("*.yaml*") if path.name != "secret.yaml")
SCHEMAS = ("1.31", "1.37")
KEDA = "keda.sh/v1alpha1"
SCALED_OBJECT = {
    "scaleTargetRef", "pollingInterval", "cooldownPeriod", "minReplicaCount", "maxReplicaCount", "fallback", "advanced",
    "triggers",
}  # fmt: skip
POSTGRESQL_TRIGGER = {"connectionFromEnv", "query", "targetQueryValue", "activationTargetQueryValue"}
DEPLOYMENTS = ("batchscribe-server", "batchscribe-worker", "batchscribe-worker-gpu")
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
    for name in DEPLOYMENTS:
        pod = TEMPLATES[name]["spec"]
        (container,) = pod["containers"]
        before_signal = container.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
        assert pod["terminationGracePeriodSeconds"] >= before_signal + load_settings().grace_sec + END_SEC


def test_a_rollout_of_gpu_workers_needs_no_free_gpu() -> None:
    strategy = named("Deployment", "batchscribe-worker-gpu")["spec"]["strategy"]
    assert strategy == {"rollingUpdate": {"maxUnavailable": 1, "maxSurge": 0}}


def test_a_node_can_be_drained_while_no_pod_is_ready() -> None:
    for name in DEPLOYMENTS:
        budget = named("PodDisruptionBudget", name)["spec"]
        assert budget["unhealthyPodEvictionPolicy"] == "AlwaysAllow"
        assert budget["selector"] == named("Deployment", name)["spec"]["selector"]


def test_one_decoder_at_its_limit_does_not_end_a_worker() -> None:
    for name in ("batchscribe-worker", "batchscribe-worker-gpu"):
        (container,) = TEMPLATES[name]["spec"]["containers"]
        usual, most = (gibibytes(container["resources"][key]["memory"]) for key in ("requests", "limits"))
        assert most >= usual + load_settings().decode_memory_bytes / 2**30


def gibibytes(quantity: str) -> int:
    return int(quantity.removesuffix("Gi"))


def test_a_failed_job_keeps_its_pods_and_so_their_logs() -> None:
    jobs = [each for each in ALL if each["kind"] == "Job"]
    assert {each["metadata"]["name"] for each in jobs} == {"batchscribe-migrate", "batchscribe-models"}
    assert all(each["spec"]["template"]["spec"]["restartPolicy"] == "Never" for each in jobs)


def test_gpu_workers_read_the_volume_that_the_job_fills() -> None:
    claim = {"claimName": named("PersistentVolumeClaim", "batchscribe-models")["metadata"]["name"]}
    for name, reads_only in (("batchscribe-models", False), ("batchscribe-worker-gpu", True)):
        pod = TEMPLATES[name]["spec"]
        assert {"name": "models", "persistentVolumeClaim": claim} in pod["volumes"]
        (mount,) = [each for each in pod["containers"][0]["volumeMounts"] if each["name"] == "models"]
        assert mount.get("readOnly", False) is reads_only


def test_each_pod_has_one_network_policy_which_opens_only_its_own_ports() -> None:
    policies = [each["spec"] for each in ALL if each["kind"] == "NetworkPolicy"]
    for template in TEMPLATES.values():
        (policy,) = [each for each in policies if selects(each["podSelector"], template["metadata"]["labels"])]
        opened = {port["port"] for rule in policy["ingress"] for port in rule["ports"]}
        own = {port["name"] for container in template["spec"]["containers"] for port in container.get("ports", [])}
        assert own <= opened
        assert opened in ({"http"}, {"metrics"})


def selects(selector: Resource, labels: dict[str, str]) -> bool:
    """Return whether a selector of labels, which may exclude values but has no other operator, selects a pod."""
    excluded = [each for each in selector.get("matchExpressions", []) if labels[each["key"]] in each["values"]]
    return selector["matchLabels"].items() <= labels.items() and not excluded


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


def test_the_commands_of_the_document_name_what_the_manifests_have() -> None:
    commands = "\n".join(block for block in code_blocks(ROOT / "docs" / "deployment.md", "sh") if "kubectl" in block)
    files = set(re.findall(r"--filename (\S+)", commands)) - {"deploy/kubernetes/secret.yaml"}
    assert [name for name in files if not (ROOT / name).exists()] == []
    names = {each["metadata"]["name"] for each in ALL if each["kind"] in {"Deployment", "Job"}}
    assert set(re.findall(r"(?:deploy|deployment|job)[/ ](batchscribe\S*)", commands)) <= names


def test_an_upgrade_migrates_first_and_replaces_workers_before_servers() -> None:
    (upgrade,) = [
        block for block in code_blocks(ROOT / "docs" / "deployment.md", "sh") if block.startswith("kubectl delete job")
    ]
    order = re.findall(r"(condition=complete|rollout status|\w+\.yaml)", upgrade)
    assert order == ["migrate.yaml", "condition=complete", "worker.yaml", "rollout status", "server.yaml"]
    assert "keys create" not in upgrade


def test_the_table_names_every_file() -> None:
    text = (ROOT / "docs" / "deployment.md").read_text()
    assert [path for path in FILES if f"| `{path.relative_to(FOLDER)}` |" not in text] == []
    assert "/deploy/kubernetes/secret.yaml\n" in (ROOT / ".gitignore").read_text()
