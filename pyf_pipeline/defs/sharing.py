"""What the runs of several machines have to share, made sure of where they share an instance."""

from collections.abc import Collection

import dagster as dg
from dagster._core.storage.runs import InMemoryRunStorage, SqliteRunStorage


def check_shared(instance: dg.DagsterInstance | None, kept_here: Collection[str]) -> None:
    """Make sure that a run finds the state of all others.

    An instance whose runs are in a database server may be used by any number of machines. One that is not told where to
    keep state would keep its own, with everything in good order and nobody to see it. So there every place has to be
    named, even if it is this machine's, by the one who knows that there is no other.

    Args:
        instance: The run's instance.
        kept_here: The settings that are not set, so that what they are about is kept on this machine.

    Raises:
        dagster.Failure: There are such, and the instance may be that of several machines.
    """
    if instance is None or not kept_here or isinstance(instance.run_storage, SqliteRunStorage | InMemoryRunStorage):
        return
    raise dg.Failure(
        f"{', '.join(kept_here)} not set: the runs of this Dagster instance are in a database server, so that other "
        "machines may work on it, and this one would keep a state of its own that the others do not see. Set what is "
        "missing to what all machines share or, where this is the only one, to a place on it (docs/scaling.md)",
        allow_retries=False,
    )
