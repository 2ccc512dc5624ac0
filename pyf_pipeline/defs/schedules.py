"""What runs by the clock: one run for each scheduled profile. All are off until an operator switches them on."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from pyf_pipeline.defs.jobs import download_refresh, full_refresh, github_refresh, health_report, incremental_update
from pyf_pipeline.defs.partitions import PROFILES
from pyf_pipeline.settings import Settings


def build_schedules(settings: Settings) -> list[dg.ScheduleDefinition]:
    """The schedules, at the times and in the time zone that the settings say."""
    zone = settings.pyf_timezone
    return [
        dg.ScheduleDefinition(
            job=incremental_update,
            description="Brings every scheduled profile up to date by PyPI's serials, release sensor or not.",
            **_timing("daily_reconcile", settings.pyf_daily_cron, zone),
        ),
        dg.ScheduleDefinition(
            job=github_refresh,
            description="Asks GitHub for the figures of every scheduled profile that are due.",
            **_timing("weekly_github_refresh", settings.pyf_weekly_cron, zone),
        ),
        dg.ScheduleDefinition(
            job=download_refresh,
            description="Asks pypistats, where PYPISTATS_URL is set, for the downloads of every scheduled profile.",
            **_timing(
                "daily_download_refresh",
                settings.pyf_downloads_cron,
                zone,
                off="" if settings.pypistats_url else "PYPISTATS_URL is not set",
            ),
        ),
        dg.ScheduleDefinition(
            job=full_refresh,
            description="Downloads every scheduled profile anew and builds a new version of its collection.",
            **_timing("monthly_full_refresh", settings.pyf_monthly_cron, zone),
        ),
        dg.ScheduleDefinition(
            name="daily_health_report",
            job=health_report,
            description="Takes stock of all profiles, after the runs of the night.",
            cron_schedule=settings.pyf_health_cron,
            execution_timezone=zone,
            default_status=dg.DefaultScheduleStatus.STOPPED,
        ),
    ]


def _timing(name: str, cron: str, zone: str, *, off: str = "") -> dict[str, Any]:
    """A schedule's arguments; where `off` says why, it asks for no runs."""

    def requests(context: dg.ScheduleEvaluationContext) -> Iterator[dg.RunRequest | dg.SkipReason]:
        scheduled = [] if off else [profile.key for profile in PROFILES.values() if profile.scheduled]
        if not scheduled:
            yield dg.SkipReason(off or "no profile has `scheduled: true`")
        for key in scheduled:
            # A tick that is evaluated once more, after a restart, asks for the same runs and gets none of them twice.
            tick = f"{context.scheduled_execution_time:%Y-%m-%dT%H:%M}"
            yield dg.RunRequest(run_key=f"{name}:{key}:{tick}", partition_key=key)

    return {
        "name": name,
        "cron_schedule": cron,
        "execution_timezone": zone,
        "execution_fn": requests,
        "default_status": dg.DefaultScheduleStatus.STOPPED,
    }
