"""The compose file: what the specification's schema says of it, and what we hold every service to."""

import http.server
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from pyf_pipeline.settings import Settings

ROOT = Path(__file__).parents[1]
FILE = ROOT / "docker-compose.yml"
COMPOSE = yaml.safe_load(FILE.read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {"code-server", "webserver", "daemon"}
SECRET = re.compile(r"\$\{(\w*(?:PASSWORD|KEY|TOKEN)\w*)(.*?)\}")

each_service = pytest.mark.parametrize("service", SERVICES.values(), ids=SERVICES)


def _plugin() -> bool:
    try:
        return subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


def test_the_schema_of_the_compose_specification_holds() -> None:
    pytest.importorskip("check_jsonschema", reason="the package that ships the compose specification's schema")
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(FILE)]
    outcome = subprocess.run(command, capture_output=True, text=True, check=False)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr


def test_the_schema_is_one_that_finds_mistakes(tmp_path: Path) -> None:
    pytest.importorskip("check_jsonschema", reason="the package that ships the compose specification's schema")
    broken = tmp_path / "docker-compose.yml"
    broken.write_text("services: {web: {image: web, health_check: {}}}")
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(broken)]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 1


@pytest.mark.skipif(not _plugin(), reason="the compose plugin of docker is not installed")
@pytest.mark.parametrize("missing", ["", "TYPESENSE_API_KEY", "POSTGRES_PASSWORD"])
def test_docker_compose_accepts_the_file_with_its_secrets_and_refuses_it_without(tmp_path: Path, missing: str) -> None:
    secrets = {"TYPESENSE_API_KEY": "a", "POSTGRES_PASSWORD": "b"}
    file = tmp_path / ".env"
    file.write_text("".join(f"{name}={value}\n" for name, value in secrets.items() if name != missing))
    command = ["docker", "compose", "--file", str(FILE), "--env-file", str(file), "config", "--quiet"]
    outcome = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (outcome.returncode == 0) is not bool(missing), outcome.stderr
    assert missing in outcome.stderr


@each_service
def test_every_service_is_watched_and_comes_back(service: dict[str, Any]) -> None:
    assert service["restart"] == "unless-stopped"
    assert service["healthcheck"]["test"][0] == "CMD"
    assert {"interval", "timeout", "retries", "start_period"} <= service["healthcheck"].keys()
    assert all(rule == {"condition": "service_healthy"} for rule in service.get("depends_on", {}).values())


@each_service
def test_ports_are_bound_to_loopback_unless_told_otherwise(service: dict[str, Any]) -> None:
    for port in service.get("ports", []):
        assert port.startswith("${BIND_ADDRESS:-127.0.0.1}:${")
    assert service.get("network_mode") is None


@each_service
def test_no_service_has_more_rights_than_it_needs(service: dict[str, Any]) -> None:
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert not service.get("privileged")


@pytest.mark.parametrize("name", sorted(OURS | {"postgres", "page"}))
def test_services_do_not_run_as_root(name: str) -> None:
    assert SERVICES[name]["user"] not in {"root", "0", "0:0"}


def test_the_user_is_the_one_that_the_image_makes() -> None:
    made = re.search(r"useradd .*--uid (\d+)", (ROOT / "Dockerfile").read_text())
    assert made is not None
    assert {SERVICES[name]["user"] for name in OURS | {"page"}} == {f"{made[1]}:{made[1]}"}


@each_service
def test_images_are_pinned(service: dict[str, Any]) -> None:
    name, _, tag = service["image"].partition(":")
    assert name
    assert re.match(r"\d", tag)


def test_required_secrets_have_no_default_and_stop_the_start_where_they_are_missing() -> None:
    secrets = SECRET.findall(FILE.read_text())
    required = {name for name, rest in secrets if rest.startswith(":?")}
    assert required == {"TYPESENSE_API_KEY", "POSTGRES_PASSWORD"}
    for name, rest in secrets:
        assert rest.startswith(":?set ") or rest == ":-", f"{name} has a default"


def test_every_setting_reaches_the_runs() -> None:
    environment = SERVICES["code-server"]["environment"]
    settings = {name.upper() for name in Settings.model_fields}
    # The image says where state is kept.
    assert settings - environment.keys() == {"PYF_HOME"}
    assert all(SERVICES[name]["environment"] == environment for name in OURS)
    assert all(SERVICES[name]["volumes"] == SERVICES["code-server"]["volumes"] for name in OURS)


def test_what_is_mounted_is_there() -> None:
    volumes = set(COMPOSE["volumes"])
    for service in SERVICES.values():
        for mount in service.get("volumes", []):
            if isinstance(mount, str):
                assert mount.split(":")[0] in volumes
            else:
                assert (ROOT / re.sub(r"\$\{\w+:-(.*)\}", r"\1", mount["source"])).is_dir()


def test_both_instances_of_dagster_are_limited_alike() -> None:
    local, deployed = (yaml.safe_load((ROOT / name).read_text()) for name in ("dagster.yaml", "deploy/dagster.yaml"))
    own = {"storage", "local_artifact_storage", "compute_logs", "run_launcher"}
    assert {key: local[key] for key in local if key not in own} == {
        key: deployed[key] for key in deployed if key not in own
    }


def _variables(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from [inner] if key == "env" else _variables(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _variables(inner)


@pytest.mark.parametrize("name", ["dagster.yaml", "workspace.yaml"])
def test_what_dagster_reads_from_the_environment_is_set(name: str) -> None:
    image = set(re.findall(r"([A-Z_]+)=", (ROOT / "Dockerfile").read_text()))
    given = SERVICES["daemon"]["environment"].keys() | image
    needed = set(_variables(yaml.safe_load((ROOT / "deploy" / name).read_text())))
    assert needed
    assert needed <= given


def test_the_image_installs_versions_that_were_tested() -> None:
    pins = re.compile(r"^[a-z0-9._-]+(?:\[.*\])?==\S+", re.MULTILINE)
    tested = set(pins.findall((ROOT / "constraints.txt").read_text()))
    shipped = set(pins.findall((ROOT / "deploy" / "requirements.txt").read_text()))
    assert shipped < tested
    assert not {pin for pin in shipped if pin.startswith(("pytest==", "mypy==", "ruff==", "hypothesis=="))}


@contextmanager
def _answering(body: bytes) -> Iterator[int]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/health" else 404)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: object) -> None:
            """Nothing: the test tells what went wrong."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize(("body", "healthy"), [(b'{"ok":true}', True), (b'{"ok":false}', False)])
def test_the_health_check_of_typesense_needs_only_bash_and_tells_good_from_bad(body: bytes, healthy: bool) -> None:
    _, *command = SERVICES["typesense"]["healthcheck"]["test"]
    with _answering(body) as port:
        here = [argument.replace("/8108", f"/{port}") for argument in command]
        assert (subprocess.run(here, check=False, timeout=5).returncode == 0) is healthy


def test_the_health_check_of_typesense_fails_where_nothing_answers() -> None:
    _, *command = SERVICES["typesense"]["healthcheck"]["test"]
    with _answering(b"") as port:
        here = [argument.replace("/8108", f"/{port}") for argument in command]
    assert subprocess.run(here, check=False, timeout=5, stderr=subprocess.DEVNULL).returncode != 0
