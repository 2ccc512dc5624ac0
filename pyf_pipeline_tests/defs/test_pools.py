from collections.abc import Iterator

import dagster as dg
import pytest
from sqlalchemy.exc import IntegrityError

from pyf_pipeline.definitions import defs
from pyf_pipeline.defs.pools import POOLS, make_pools


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.instance_for_test(overrides={"concurrency": {"pools": {"default_limit": 1}}}) as instance:
        yield instance


def limits(instance: dg.DagsterInstance) -> dict[str, int]:
    return {pool.name: pool.limit for pool in instance.event_log_storage.get_pool_limits()}


def test_the_pools_are_those_of_the_assets() -> None:
    assets = [asset for asset in defs.assets or [] if isinstance(asset, dg.AssetsDefinition)]
    assert {pool for asset in assets for pool in [asset.op.pool] if pool} == set(POOLS)


def test_pools_are_made_once_and_left_as_they_are(instance: dg.DagsterInstance) -> None:
    make_pools(instance)
    assert limits(instance) == {"pypi": 1, "github": 1, "pypistats": 1}
    instance.event_log_storage.set_concurrency_slots("pypi", 3)
    make_pools(instance)
    assert limits(instance) == {"pypi": 3, "github": 1, "pypistats": 1}


def test_an_instance_that_does_not_limit_pools_is_left_alone() -> None:
    with dg.instance_for_test() as instance:
        make_pools(instance)
        assert limits(instance) == {}
    make_pools(None)


def test_who_comes_second_takes_what_is_there(instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch) -> None:
    storage = type(instance.event_log_storage)

    def taken(*_: object) -> None:
        raise IntegrityError("INSERT", {}, Exception("UNIQUE constraint failed"))

    monkeypatch.setattr(storage, "set_concurrency_slots", taken)
    make_pools(instance)
    assert limits(instance) == {}
