"""The containers of `compose.yaml` and of `deploy/kubernetes` are those that `penstock up` runs."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from cli.stack import Plan, services
from shared.settings import Settings

ROOT = Path(__file__).parents[2]
KUBERNETES = ROOT / "deploy" / "kubernetes"
STORES = {"postgres", "valkey", "objects"}
IMAGE_SETTINGS = {"LOG_FORMAT", "PENSTOCK_ENV"}


def run_by_up() -> dict[str, tuple[str, ...]]:
    """Each process and its module with arguments."""
    plan = Plan(home=Path(".penstock"), host="127.0.0.1", port=8080)
    return {service.name: service.argv[2:] for service in services(plan, {})}


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return dict(yaml.safe_load((ROOT / "compose.yaml").read_text()))


def test_compose_runs_what_up_runs(compose: dict[str, Any]) -> None:
    own = {name: tuple(one["command"]) for name, one in compose["services"].items() if name not in STORES}
    assert own.pop("migrate") == ("shared.migrate",)
    assert own == run_by_up()


def test_compose_has_the_stores(compose: dict[str, Any]) -> None:
    assert set(compose["services"]) >= STORES
    assert {volume for name in STORES for volume in compose["volumes"]} == STORES


def test_files_that_compose_names_exist(compose: dict[str, Any]) -> None:
    assert (ROOT / compose["services"]["gateway"]["build"]["dockerfile"]).is_file()
    mounts = [mount.split(":")[0] for one in compose["services"].values() for mount in one.get("volumes", ())]
    assert all((ROOT / path).is_file() for path in mounts if path.startswith("."))


def test_files_that_the_image_copies_exist() -> None:
    lines = (ROOT / "deploy" / "Dockerfile").read_text().splitlines()
    copied = [
        name
        for line in lines
        if line.startswith("COPY ") and "--from" not in line
        for name in line.split()[1:-1]
    ]
    ignored = (ROOT / "deploy" / "Dockerfile.dockerignore").read_text().splitlines()
    assert copied
    assert all((ROOT / name).exists() for name in copied if name != ".")
    # What is copied is let through by itself or with the folder that it lies in.
    assert all(f"!{name.partition('/')[0]}" in ignored for name in copied)


def test_settings_that_the_containers_set_exist(compose: dict[str, Any]) -> None:
    configured = yaml.safe_load((KUBERNETES / "settings.yaml").read_text())["data"]
    secrets = [document["stringData"] for document in documents(KUBERNETES / "secret.example.yaml")]
    named = {
        *compose["services"]["migrate"]["environment"],
        *compose["services"]["worker-image"]["environment"],
        *configured,
        *(name for one in secrets for name in one),
    }
    known = {name.upper() for name in Settings.model_fields} | IMAGE_SETTINGS
    assert named <= known


def test_what_stands_in_the_env_file_reaches_every_process(compose: dict[str, Any]) -> None:
    """Providers' keys above all; what is of the container itself does not."""
    own = [one for name, one in compose["services"].items() if name not in STORES]
    assert all(one["env_file"] == [{"path": ".env", "required": False}] for one in own)
    assert all({"HOST", "PORT"} <= set(one["environment"]) for one in own)
    example = re.findall(r"^# ([A-Z_0-9]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)
    assert "OPENAI_API_KEY" in example
    assert set(example) <= {name.upper() for name in Settings.model_fields}


def test_workers_show_their_metrics_where_they_are_looked_for(compose: dict[str, Any]) -> None:
    workers = [one for name, one in compose["services"].items() if name.startswith("worker-")]
    assert all(one["expose"] == [one["environment"]["WORKER_METRICS_PORT"]] for one in workers)
    template = documents(KUBERNETES / "worker" / "worker.yaml")[0]["spec"]["template"]
    container = template["spec"]["containers"][0]
    assert container["env"] == [
        {"name": "WORKER_METRICS_PORT", "value": template["metadata"]["annotations"]["prometheus.io/port"]}
    ]
    assert container["ports"] == [{"name": "metrics", "containerPort": int(container["env"][0]["value"])}]
    assert "WORKER_METRICS_HOST=0.0.0.0" in (ROOT / "deploy" / "Dockerfile").read_text()


def test_no_password_has_a_default(compose: dict[str, Any]) -> None:
    environment = compose["services"]["gateway"]["environment"]
    for name in ("DATABASE_URL", "REDIS_URL", "S3_SECRET_ACCESS_KEY", "SECRET_KEY"):
        assert ":?" in environment[name]


def test_kubernetes_has_a_worker_of_each_kind() -> None:
    kinds = {name.removeprefix("worker-") for name in run_by_up() if name.startswith("worker-")}
    assert {folder.name for folder in (KUBERNETES / "workers").iterdir()} == kinds
    resources = yaml.safe_load((KUBERNETES / "kustomization.yaml").read_text())["resources"]
    assert {Path(name).name for name in resources if name.startswith("workers/")} == kinds
    assert all((KUBERNETES / name).exists() for name in resources)


def test_the_ingress_leads_to_the_gateway_and_hides_its_metrics() -> None:
    (ingress,) = documents(KUBERNETES / "ingress.yaml")
    (service,) = [one for one in documents(KUBERNETES / "gateway.yaml") if one["kind"] == "Service"]
    (rule,) = ingress["spec"]["rules"]
    names = {one["backend"]["service"]["name"] for one in rule["http"]["paths"]}
    ports = {one["backend"]["service"]["port"]["name"] for one in rule["http"]["paths"]}
    assert (names, ports) == ({service["metadata"]["name"]}, {service["spec"]["ports"][0]["name"]})
    assert not any(
        "/metrics".startswith(one["path"]) and one["pathType"] == "Prefix" for one in rule["http"]["paths"]
    )
    assert ingress["spec"]["tls"][0]["hosts"] == [rule["host"]]
    settings = yaml.safe_load((KUBERNETES / "settings.yaml").read_text())["data"]
    assert settings["PUBLIC_BASE_URL"] == f"https://{rule['host']}"


def test_a_pod_is_given_longer_than_it_takes_to_drain() -> None:
    pod = documents(KUBERNETES / "worker" / "worker.yaml")[0]["spec"]["template"]["spec"]
    configured = yaml.safe_load((KUBERNETES / "settings.yaml").read_text())["data"]
    assert pod["terminationGracePeriodSeconds"] > float(configured["DRAIN_TIMEOUT_S"])


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="needs kubectl to render")
def test_kubernetes_renders_what_up_runs() -> None:
    done = subprocess.run(
        ["kubectl", "kustomize", str(KUBERNETES)], capture_output=True, text=True, check=True
    )
    rendered = list(yaml.safe_load_all(done.stdout))
    deployed = {
        one["metadata"]["name"]: tuple(one["spec"]["template"]["spec"]["containers"][0]["args"])
        for one in rendered
        if one["kind"] == "Deployment"
    }
    assert deployed == run_by_up()
    scaled = {one["spec"]["scaleTargetRef"]["name"] for one in rendered if one["kind"] == "ScaledObject"}
    assert scaled == set(deployed) - {"gateway", "worker-maintenance"}


def documents(path: Path) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(path.read_text()))
