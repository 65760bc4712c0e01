"""The files of docs/cluster are what Ray and KubeRay take, and start the pool with options that it has."""

from __future__ import annotations

import importlib.util
import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from wmsim.cli import app

ROOT = Path(__file__).parent.parent
CLUSTER = ROOT / "docs" / "cluster"
RAY_UP = (CLUSTER / "ray-up.yaml").read_text()
KUBERAY = list(yaml.safe_load_all((CLUSTER / "kuberay.yaml").read_text()))

jsonschema = pytest.importorskip("jsonschema", reason="the reader of schemas comes with the [ray] extra")
if importlib.util.find_spec("ray") is None:
    pytest.skip("Ray's own schema comes with the [ray] extra", allow_module_level=True)


def test_ray_up_keeps_rays_own_schema() -> None:
    found = importlib.util.find_spec("ray")
    assert found is not None
    assert found.origin is not None
    schema = json.loads((Path(found.origin).parent / "autoscaler" / "ray-schema.json").read_text())
    config = yaml.safe_load(RAY_UP)
    jsonschema.validate(config, schema)
    assert config["head_node_type"] in config["available_node_types"]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(config | {"max_workres": 4}, schema)


def test_kuberay_keeps_its_resource_definition() -> None:
    """The schema is that of KubeRay's CRD, cut down to the fields that the manifest uses; any other is refused."""
    schema = json.loads((ROOT / "tests" / "fixtures" / "raycluster.json").read_text())
    cluster = KUBERAY[0]
    assert (cluster["apiVersion"], cluster["kind"]) == ("ray.io/v1", "RayCluster")
    jsonschema.validate(cluster, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(cluster | {"spec": cluster["spec"] | {"workerGroups": []}}, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(cluster | {"spec": {"rayVersion": 2.6}}, schema)


def test_versions_are_those_that_were_tested() -> None:
    pinned = re.search(r"^ray==(.+)$", (ROOT / "constraints.txt").read_text(), re.MULTILINE)
    assert pinned is not None
    assert KUBERAY[0]["spec"]["rayVersion"] == pinned[1]
    assert f"ray[default]=={pinned[1]}" in RAY_UP


def commands() -> list[list[str]]:
    """Every `wmsim serve` that these files run, as words."""
    job: Any = KUBERAY[1]["spec"]["template"]["spec"]["containers"][0]["command"]
    found = re.search(r"'(wmsim serve [^']*)'", RAY_UP)
    assert found is not None
    return [job[job.index("wmsim") :], shlex.split(found[1])]


@pytest.mark.parametrize("words", commands(), ids=["kuberay", "ray up"])
def test_the_pool_takes_these_options(words: list[str]) -> None:
    told = CliRunner().invoke(app, ["serve", "--help"]).output
    for option in [word.partition("=")[0] for word in words if word.startswith("--")]:
        assert re.search(rf"(^|[\s,]){re.escape(option)}\b", told), f"wmsim serve has no {option}"
