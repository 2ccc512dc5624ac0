from pathlib import Path

import pytest

from pyf_pipeline.settings import Settings, SettingsError, load_settings


def test_nothing_has_to_be_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    settings = load_settings({})
    assert settings.pyf_home == tmp_path / ".pyf"
    assert settings.store_url == f"sqlite:///{tmp_path}/.pyf/store.sqlite3"
    assert settings.storage_url == str(tmp_path / ".pyf" / "storage")
    assert settings.embedded_path == tmp_path / ".pyf" / "search.sqlite3"
    assert settings.pypi_concurrency == 32


def test_the_environment_wins_over_the_file_and_empty_means_unset(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("PYPI_CONCURRENCY=8\nPYF_CONTACT=me@example.com\nGITHUB_COOLOFFTIME=1.5\n")
    settings = load_settings({"PYPI_CONCURRENCY": "4", "PYF_CONTACT": "", "TYPESENSE_HOST": ""}, file)
    assert settings.pypi_concurrency == 4
    assert settings.pyf_contact == ""
    assert settings.github_coolofftime == 1.5
    assert settings.embedded_path is not None


def test_addresses_lose_their_trailing_slash() -> None:
    assert load_settings({"PYPI_URL": "http://pypi.example/"}).pypi_url == "http://pypi.example"


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("PYPI_CONCURRENCY", "many"),
        ("PYPI_CONCURRENCY", "0"),
        ("PYPI_DISCOVERY", "guess"),
        ("PYPI_URL", "ftp://pypi.example"),
        ("TYPESENSE_PORT", "70000"),
        ("TYPESENSE_PROTOCOL", "gopher"),
        ("GITHUB_CACHE_HOURS", "-1"),
        ("PYF_STORAGE_URL", "s3:/bucket"),
        ("PYF_STORAGE_URL", "s3:///prefix"),
    ],
)
def test_what_cannot_be_used_is_named_with_its_meaning(variable: str, value: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings({variable: value})
    meaning = Settings.model_fields[variable.lower()].description
    assert str(caught.value).startswith(variable)
    assert meaning is not None
    assert meaning in str(caught.value)


def test_secrets_show_neither_in_the_settings_nor_in_errors() -> None:
    settings = load_settings(
        {"GITHUB_TOKEN": "hush-1", "TYPESENSE_API_KEY": "hush-2", "TYPESENSE_HOST": "search.example"}
    )
    assert "hush" not in repr(settings)
    assert settings.api_key == "hush-2"
    with pytest.raises(SettingsError, match=r"PYF_STORAGE_URL: .*must hold no keys") as caught:
        load_settings({"PYF_STORAGE_URL": "s3://key:hush-3@bucket"})
    assert "hush" not in str(caught.value)


def test_a_server_without_a_key_is_an_error_that_says_what_to_set() -> None:
    settings = load_settings({"TYPESENSE_HOST": "search.example"})
    assert settings.embedded_path is None
    with pytest.raises(SettingsError, match="TYPESENSE_API_KEY is not set"):
        _ = settings.api_key


@pytest.mark.parametrize(
    ("environ", "addresses"),
    [
        ({}, ()),
        ({"TYPESENSE_HOST": "search.example"}, ("http://search.example:8108",)),
        ({"TYPESENSE_HOST": "::1", "TYPESENSE_PORT": "80"}, ("http://[::1]:80",)),
        (
            {"TYPESENSE_NODES": "a.example:1, b.example,https://c.example/typesense/", "TYPESENSE_PORT": "2"},
            ("http://a.example:1", "http://b.example:2", "https://c.example:2/typesense"),
        ),
        ({"TYPESENSE_NODES": "a.example:1", "TYPESENSE_PROTOCOL": "https"}, ("https://a.example:1",)),
        ({"TYPESENSE_NODES": "a.example:1", "TYPESENSE_HOST": "ignored.example"}, ("http://a.example:1",)),
        ({"TYPESENSE_NODES": "[::1]:8108"}, ("http://[::1]:8108",)),
    ],
)
def test_the_search_server_is_one_host_or_several_nodes(environ: dict[str, str], addresses: tuple[str, ...]) -> None:
    settings = load_settings(environ)
    assert settings.typesense_addresses == addresses
    assert (settings.embedded_path is None) is bool(addresses)


@pytest.mark.parametrize("nodes", ["a:b:c", "http://", "ftp://a:1", "a:99999", "http://user:pass@a:1", "a:1,:2"])
def test_a_node_that_cannot_be_is_told_at_the_start(nodes: str) -> None:
    with pytest.raises(SettingsError, match=r"^TYPESENSE_NODES.*each node should be host:port") as caught:
        load_settings({"TYPESENSE_NODES": nodes})
    assert "pass" not in str(caught.value)
    with pytest.raises(SettingsError, match="TYPESENSE_NODES is 'a:1' but TYPESENSE_API_KEY is not set"):
        _ = load_settings({"TYPESENSE_NODES": "a:1"}).api_key
