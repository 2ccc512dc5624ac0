"""What a command has to wait for before its run can go on."""

from collections.abc import Collection, Iterator

import dagster as dg

# The pools of the assets that have one.
POOLS = {"raw_pypi_metadata": "pypi", "github_enrichment": "github"}


def waited_for(instance: dg.DagsterInstance, assets: Collection[str]) -> Iterator[tuple[str, str]]:
    """The runs that have to be waited for, and what they are at work on."""
    for pool in {POOLS[asset] for asset in assets if asset in POOLS}:
        info = instance.event_log_storage.get_concurrency_info(pool)
        if info.slot_count is not None and len(info.claimed_slots) >= info.slot_count > 0:
            yield from ((slot.run_id, slot.step_key) for slot in info.claimed_slots)
