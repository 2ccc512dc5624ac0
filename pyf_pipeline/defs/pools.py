"""The pools that keep the runs of all machines from asking PyPI, GitHub and pypistats too much at once."""

import dagster as dg
from dagster._core.storage.event_log.base import EventLogStorage
from sqlalchemy.exc import IntegrityError

POOLS = ("pypi", "github", "pypistats")


def make_pools(instance: dg.DagsterInstance | None) -> None:
    """Make the pools that are not there yet, with the limit that the instance gives to pools.

    Dagster makes a pool when a step is the first to want it. On PostgreSQL, where two runs do at the same time, that
    fails the second one, and so does every later change of the limit (https://github.com/dagster-io/dagster/issues/33552).
    What is made here has a limit of its own, which is changed by `dagster instance concurrency set` or in the UI.
    """
    storage = instance.event_log_storage if instance else None
    if instance is None or storage is None or not storage.supports_global_concurrency_limits:
        return
    limit = instance.global_op_concurrency_default_limit
    if limit is None:
        return
    known = {pool.name for pool in storage.get_pool_limits()}
    for pool in set(POOLS) - known:
        make_pool(storage, pool, limit)


def make_pool(storage: EventLogStorage, name: str, limit: int) -> None:
    """Make a pool, or change its limit."""
    try:
        storage.set_concurrency_slots(name, limit)
    except IntegrityError:
        # Another run has made it at the same time.
        return
