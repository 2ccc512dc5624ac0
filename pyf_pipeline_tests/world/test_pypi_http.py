"""PyPI's protocols as a client that knows only their documentation meets them."""

import gzip
import json
import re
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from pyf_pipeline_tests.world import Servers, World

SIMPLE = "application/vnd.pypi.simple.v1+json"


def simple_index(servers: Servers, **headers: str) -> requests.Response:
    return requests.get(f"{servers.pypi_url}/simple/", headers={"Accept": SIMPLE, **headers}, timeout=10)


def test_index_lists_every_project_with_its_serial(world: World, servers: Servers) -> None:
    response = simple_index(servers)
    assert response.headers["content-type"] == SIMPLE
    body = response.json()
    assert body["meta"]["_last-serial"] == world.pypi.serial == int(response.headers["x-pypi-last-serial"])
    assert len(body["projects"]) == 150
    assert max(row["_last-serial"] for row in body["projects"]) == world.pypi.serial
    normalised = [re.sub(r"[-_.]+", "-", row["name"]).lower() for row in body["projects"]]
    assert normalised == sorted(set(normalised))


def test_index_answers_304_until_something_happens(world: World, servers: Servers) -> None:
    first = simple_index(servers)
    assert simple_index(servers, **{"If-None-Match": first.headers["etag"]}).status_code == 304
    world.pypi.create("newcomer", ["Framework :: Flask"])
    second = simple_index(servers, **{"If-None-Match": first.headers["etag"]})
    assert second.status_code == 200
    assert "newcomer" in [row["name"] for row in second.json()["projects"]]
    assert servers.log.count("simple", status=304) == 1


def test_index_as_html_for_those_who_do_not_ask_for_json(servers: Servers) -> None:
    response = requests.get(f"{servers.pypi_url}/simple/", timeout=10)
    assert response.headers["content-type"].startswith("text/html")
    assert response.text.count("<a href=") == 150


def test_project_page_has_versions_and_files(world: World, servers: Servers) -> None:
    name = min(world.pypi.members("Framework :: Plone"))
    page = requests.get(f"{servers.pypi_url}/simple/{name}/", headers={"Accept": SIMPLE}, timeout=10).json()
    assert page["name"] == name
    assert page["versions"]
    assert {"filename", "hashes", "size", "upload-time", "yanked"} <= set(page["files"][0])


def test_project_document_has_what_pypi_documents(world: World, servers: Servers) -> None:
    name = min(world.pypi.members("Framework :: Django"))
    response = requests.get(f"{servers.pypi_url}/pypi/{name}/json", timeout=10)
    body = response.json()
    assert set(body) == {"info", "last_serial", "ownership", "releases", "urls", "vulnerabilities"}
    assert body["last_serial"] == int(response.headers["x-pypi-last-serial"]) == world.pypi.project(name).serial
    assert body["info"]["version"] in body["releases"]
    assert body["urls"] == body["releases"][body["info"]["version"]]
    uploads = [entry for files in body["releases"].values() for entry in files]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", uploads[0]["upload_time_iso_8601"])


def test_every_listed_project_answers_at_once_on_64_connections(world: World, servers: Servers) -> None:
    names = world.pypi.names()
    with requests.Session() as session, ThreadPoolExecutor(64) as pool:
        session.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=64))
        answers = list(pool.map(lambda name: session.get(f"{servers.pypi_url}/pypi/{name}/json", timeout=30), names))
    found = {name for name, answer in zip(names, answers, strict=True) if answer.status_code == 200}
    assert found == {name for name in names if world.pypi.releases(world.pypi.project(name))}
    assert servers.log.count("redirect") == 0
    assert servers.log.accepted_connections <= 64


def test_name_that_is_not_normalised_is_redirected(world: World, servers: Servers) -> None:
    name = next(n for n in world.pypi.names() if "-" in n and world.pypi.releases(world.pypi.project(n)))
    spelled = name.replace("-", "_").upper()
    response = requests.get(f"{servers.pypi_url}/pypi/{spelled}/json", allow_redirects=False, timeout=10)
    assert response.status_code == 301
    assert response.headers["location"] == f"{servers.pypi_url}/pypi/{name}/json"
    assert servers.log.count("redirect") == 1
    assert servers.log.count("project") == 0


def test_release_document_has_no_releases(world: World, servers: Servers) -> None:
    name = next(n for n in world.pypi.names() if len(world.pypi.releases(world.pypi.project(n))) > 2)
    oldest = world.pypi.releases(world.pypi.project(name))[0].version
    body = requests.get(f"{servers.pypi_url}/pypi/{name}/{oldest}/json", timeout=10).json()
    assert "releases" not in body
    assert body["info"]["version"] == oldest
    assert requests.get(f"{servers.pypi_url}/pypi/{name}/0.0.0.99/json", timeout=10).status_code == 404


def test_gzip_only_for_those_who_accept_it(world: World, servers: Servers) -> None:
    name = min(world.pypi.members("Framework :: Django"))
    url = f"{servers.pypi_url}/pypi/{name}/json"
    plain = requests.get(url, headers={"Accept-Encoding": "identity"}, timeout=10)
    assert "content-encoding" not in plain.headers
    packed = requests.get(url, headers={"Accept-Encoding": "gzip"}, stream=True, timeout=10)
    assert packed.headers["content-encoding"] == "gzip"
    assert json.loads(gzip.decompress(packed.raw.read())) == plain.json()


def test_document_is_conditional(world: World, servers: Servers) -> None:
    name = min(world.pypi.members("Framework :: Django"))
    url = f"{servers.pypi_url}/pypi/{name}/json"
    etag = requests.get(url, timeout=10).headers["etag"]
    assert requests.get(url, headers={"If-None-Match": etag}, timeout=10).status_code == 304
    world.pypi.release(name, "99.0")
    assert requests.get(url, headers={"If-None-Match": etag}, timeout=10).status_code == 200


@pytest.mark.parametrize("listed", [True, False])
def test_quarantine_is_404(world: World, servers: Servers, listed: bool) -> None:
    name = min(world.pypi.members("Framework :: Plone"))
    world.pypi.quarantine(name, listed=listed)
    assert requests.get(f"{servers.pypi_url}/pypi/{name}/json", timeout=10).status_code == 404
    assert (
        world.pypi.project(name).name in [row["name"] for row in simple_index(servers).json()["projects"]]
    ) is listed
    assert name not in world.pypi.members("Framework :: Plone")
    world.pypi.unquarantine(name)
    assert requests.get(f"{servers.pypi_url}/pypi/{name}/json", timeout=10).status_code == 200


def test_removed_project_is_gone_everywhere(world: World, servers: Servers) -> None:
    name = min(world.pypi.members("Framework :: Plone"))
    before = world.pypi.serial
    world.pypi.remove(name)
    assert world.pypi.serial > before
    assert requests.get(f"{servers.pypi_url}/pypi/{name}/json", timeout=10).status_code == 404
    assert len(simple_index(servers).json()["projects"]) == 149


def test_yank_moves_the_serial_and_the_current_release(world: World, servers: Servers) -> None:
    world.pypi.create("yanked-thing", ["Framework :: Flask"])
    world.pypi.release("yanked-thing", "2.0")
    serial = world.pypi.yank("yanked-thing", "2.0", "Broken")
    body = requests.get(f"{servers.pypi_url}/pypi/yanked-thing/json", timeout=10).json()
    assert (body["info"]["version"], body["last_serial"]) == ("1.0", serial)
    assert {entry["yanked_reason"] for entry in body["releases"]["2.0"]} == {"Broken"}
    world.pypi.unyank("yanked-thing", "2.0")
    assert requests.get(f"{servers.pypi_url}/pypi/yanked-thing/json", timeout=10).json()["info"]["version"] == "2.0"
