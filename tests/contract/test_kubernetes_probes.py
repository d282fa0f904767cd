"""The probes of `deploy/kubernetes/server.yaml`, sent to a real server at an address, as Kubernetes does."""

from __future__ import annotations

import yaml

from tests.contract.client import Client
from tests.documents import ROOT


def test_the_server_answers_every_probe(nobody: Client) -> None:
    manifests = yaml.safe_load_all((ROOT / "deploy" / "kubernetes" / "server.yaml").read_text())
    (deployment,) = [each for each in manifests if each["kind"] == "Deployment"]
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    paths = [probe["httpGet"]["path"] for name, probe in container.items() if name.endswith("Probe")]
    assert len(paths) == 3
    for path in paths:
        nobody.call_at("GET", path, 200, headers={"Host": "10.1.2.3:8080"})
