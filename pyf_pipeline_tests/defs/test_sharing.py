import dagster as dg
import pytest

from pyf_pipeline.defs.sharing import check_shared
from pyf_pipeline.settings import load_settings

EVERYTHING = ("PYF_STORE_URL", "PYF_STORAGE_URL", "TYPESENSE_HOST")


def test_what_is_not_set_is_kept_here() -> None:
    assert load_settings({}).kept_here == EVERYTHING
    assert load_settings({"PYF_STORE_URL": "postgresql://db/pyf"}).kept_here == EVERYTHING[1:]
    said = {"PYF_STORE_URL": "sqlite:////srv/store.sqlite3", "PYF_STORAGE_URL": "/srv/storage"}
    assert load_settings(said | {"TYPESENSE_NODES": "a:8108,b:8108"}).kept_here == ()


@pytest.mark.parametrize("instance", [dg.instance_for_test, dg.DagsterInstance.ephemeral], ids=["sqlite", "ephemeral"])
def test_an_instance_of_one_machine_may_keep_all_there(instance: type[dg.DagsterInstance]) -> None:
    with instance() as one:
        check_shared(one, EVERYTHING)


def test_without_an_instance_there_is_nothing_to_share() -> None:
    check_shared(None, EVERYTHING)
