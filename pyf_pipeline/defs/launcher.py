"""Dagster's own run launcher, and beside it the answer to whether a run is still alive.

Dagster's launcher does not answer that, so that a run whose process was killed together with its code server, as by a
power cut, would count as running, and keep its profile from every other run, until its time is up.
"""

from dagster import DagsterRun, deserialize_value
from dagster._core.errors import DagsterUserCodeUnreachableError
from dagster._core.launcher.base import CheckRunHealthResult, WorkerStatus
from dagster._core.launcher.default_run_launcher import DefaultRunLauncher
from dagster._grpc.types import CanCancelExecutionRequest, CanCancelExecutionResult

from pyf_pipeline.defs.processes import PROCESS_TAG, Whereabouts, whereabouts

ANSWER_SECONDS = 10

_ALIVE = CheckRunHealthResult(WorkerStatus.RUNNING)


class WatchfulRunLauncher(DefaultRunLauncher):
    """Starts runs as processes beside their code server, and knows when they are gone.

    A run of this machine is looked for among its processes. One of another machine or container is asked after at the
    code server that has started it; a server that cannot be reached says nothing, as it may come back with its runs.
    Dagster counts every answer but `RUNNING` as a death, so that is the answer where nothing is known.
    """

    @property
    def supports_check_run_worker_health(self) -> bool:
        """It does."""
        return True

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        """Whether the run's process runs, as far as can be known."""
        where = whereabouts(run.tags.get(PROCESS_TAG, ""))
        if where is Whereabouts.GONE:
            return CheckRunHealthResult(WorkerStatus.FAILED, "The process of this run is gone.")
        if where is Whereabouts.UNKNOWN and self._is_forgotten(run):
            return CheckRunHealthResult(WorkerStatus.NOT_FOUND, "The code server of this run knows nothing of it.")
        return _ALIVE

    def _is_forgotten(self, run: DagsterRun) -> bool:
        """Whether the code server that has started the run answers, and has no such run."""
        client = self._get_grpc_client_for_termination(run.run_id)  # type: ignore[no-untyped-call]
        if client is None:
            return False
        try:
            answer = client.can_cancel_execution(CanCancelExecutionRequest(run_id=run.run_id), timeout=ANSWER_SECONDS)
        except DagsterUserCodeUnreachableError:
            return False
        return not deserialize_value(answer, CanCancelExecutionResult).can_cancel
