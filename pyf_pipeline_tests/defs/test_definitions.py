import json

import dagster as dg

from pyf_pipeline.definitions import defs
from pyf_pipeline.defs.partitions import profile_partitions
from pyf_pipeline_tests.defs.conftest import EVERYTHING

ASSETS = {*EVERYTHING, "download_stats"}


def test_the_definitions_can_be_loaded_and_run() -> None:
    dg.Definitions.validate_loadable(defs)
    assert profile_partitions.get_partition_keys()[:3] == ["plone", "django", "flask"]


def test_every_asset_has_what_a_person_looks_for() -> None:
    specs = {spec.key.to_user_string(): spec for spec in defs.resolve_all_asset_specs()}
    assert set(specs) == {*ASSETS, "partition_health"}
    for name, spec in specs.items():
        assert spec.description
        assert len(spec.description) > 100
        assert spec.owners == ["team:catalogue"]
        assert spec.kinds >= {"python"}
        # Nobody has to ask pypistats.
        assert (spec.freshness_policy is None) is (name == "download_stats")
        assert spec.group_name == "catalogue"
        assert spec.partitions_def == (profile_partitions if name in ASSETS else None)
        assert "dagster/code_references" in spec.metadata


def test_assets_depend_on_each_other_in_the_order_of_the_data() -> None:
    graph = defs.resolve_asset_graph()
    parents = {asset: {key.to_user_string() for key in graph.get(dg.AssetKey(asset)).parent_keys} for asset in ASSETS}
    assert parents == {
        "raw_pypi_metadata": set(),
        "filtered_packages": {"raw_pypi_metadata"},
        "github_enrichment": {"filtered_packages"},
        "download_stats": {"filtered_packages"},
        "typesense_collection": {"filtered_packages", "github_enrichment", "download_stats"},
    }


def test_jobs_run_what_they_say_for_one_profile_at_a_time() -> None:
    wanted = {
        "full_refresh": set(EVERYTHING),
        "incremental_update": set(EVERYTHING),
        "pypi_update": {"raw_pypi_metadata", "filtered_packages", "typesense_collection"},
        "github_refresh": {"github_enrichment", "typesense_collection"},
        "download_refresh": {"download_stats", "typesense_collection"},
        "rebuild_collection": {"typesense_collection"},
    }
    for name, assets in wanted.items():
        job = defs.resolve_job_def(name)
        assert {key.to_user_string() for key in job.asset_layer.executable_asset_keys} == assets
        assert job.partitions_def == profile_partitions


def test_a_full_refresh_downloads_all_and_rebuilds_without_being_told() -> None:
    config = defs.resolve_job_def("full_refresh").get_run_config_for_partition_key("plone")
    assert config["ops"]["raw_pypi_metadata"]["config"]["mode"] == "FULL"
    assert config["ops"]["typesense_collection"]["config"]["rebuild"] is True


def test_the_launchpad_shows_every_option_with_its_meaning() -> None:
    job = defs.resolve_job_def("incremental_update")
    fields = job.get_node_named("raw_pypi_metadata").definition.config_schema.config_type.fields
    assert set(fields) == {"mode", "limit", "name_contains", "projects", "since", "allow_shrink"}
    assert all(field.description for field in fields.values())


def test_secrets_are_names_of_variables_in_the_configuration() -> None:
    shown = json.dumps({name: str(resource) for name, resource in (defs.resources or {}).items()})
    assert "hush" not in shown
