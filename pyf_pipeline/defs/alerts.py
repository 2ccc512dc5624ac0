"""What an operator is told when a run fails: a digest in the sensor's log, and at a webhook where one is configured."""

import dagster as dg
import requests

WEBHOOK_SECONDS = 10
ERROR_CHARACTERS = 500

# Dagster's own, by which it says that it is going to start a run again.
WILL_RETRY_TAG = "dagster/will_retry"


class AlertResource(dg.ConfigurableResource):
    """Where digests of failed runs go besides the log."""

    webhook: str | None = None

    def post(self, text: str) -> str:
        """Post a text as `{"text": …}`, which chat services take; returns why that failed, "" where it did not.

        The address is a secret, so no answer and no exception of it is passed on.
        """
        if not self.webhook:
            return ""
        try:
            answer = requests.post(self.webhook, json={"text": text}, timeout=WEBHOOK_SECONDS)
        except requests.RequestException as error:
            return type(error).__name__
        return "" if answer.ok else f"HTTP {answer.status_code}"


@dg.run_failure_sensor(minimum_interval_seconds=30)
def run_failure_sensor(context: dg.RunFailureSensorContext, alerts: AlertResource) -> None:
    """Logs a digest of each failed run, and posts it to PYF_ALERT_WEBHOOK where that is set."""
    text = digest(context)
    context.log.error(text)
    if problem := alerts.post(text):
        context.log.error(f"PYF_ALERT_WEBHOOK does not take the digest: {problem}")


def digest(context: dg.RunFailureSensorContext) -> str:
    """Which run failed, for which profile, at which step, and why, in a few lines."""
    run = context.dagster_run
    again = ", and is started again" if run.tags.get(WILL_RETRY_TAG) == "true" else ""
    lines = [f"{run.job_name} failed for {context.partition_key or 'no profile'} (run {run.run_id}){again}"]
    for event in context.get_step_failure_events():
        error = event.step_failure_data.error
        while error is not None and error.cause is not None:
            error = error.cause
        said = " ".join(error.message.split())[:ERROR_CHARACTERS] if error else "no error was recorded"
        lines.append(f"{event.step_key}: {said}")
    if len(lines) == 1:
        lines.append(context.failure_event.message or "the run's process ended without a word")
    return "\n".join(lines)
