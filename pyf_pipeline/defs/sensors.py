"""What runs because something happened on PyPI or in the profiles. Both are off until an operator switches them on."""

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

import dagster as dg

from pyf_pipeline.catalog.filtering import Membership
from pyf_pipeline.catalog.model import ProjectDocument
from pyf_pipeline.defs.config import FetchConfig
from pyf_pipeline.defs.jobs import full_refresh, incremental_update
from pyf_pipeline.defs.partitions import PROFILES
from pyf_pipeline.defs.resources import PyPIResource, StoreResource
from pyf_pipeline.profiles import Profile
from pyf_pipeline.pypi.feeds import Look, NewRelease
from pyf_pipeline.pypi.http import PyPIError
from pyf_pipeline.store.outputs import OutputMissingError, Outputs

PROJECTS_TAG = "pyf_pipeline/projects"

# A tag is for finding a run again; the run's config names all of its projects.
TAG_CHARACTERS = 200

COLLECTION = dg.AssetKey("typesense_collection")

# The members of profiles as they were read last: by address, with the version of what was read.
_read: dict[str, tuple[str, frozenset[str]]] = {}


def build_sensors(poll_seconds: int) -> list[dg.SensorDefinition]:
    """The sensors, with the seconds between two looks at PyPI's feeds."""
    return [
        dg.SensorDefinition(
            name="pypi_release_sensor",
            evaluation_fn=follow_releases,
            job=incremental_update,
            minimum_interval_seconds=poll_seconds,
            required_resource_keys={"pypi", "store"},
            description=follow_releases.__doc__,
        ),
        dg.SensorDefinition(
            name="profile_sensor",
            evaluation_fn=publish_new_profiles,
            job=full_refresh,
            minimum_interval_seconds=60,
            description=publish_new_profiles.__doc__,
        ),
    ]


def follow_releases(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
    """Follows PyPI's release feeds and updates the profiles that a release touches.

    Each release is looked at once, for all profiles. Where more was released than the feeds hold, every scheduled
    profile is reconciled by PyPI's serials instead.
    """
    pypi: PyPIResource = context.resources.pypi
    store: StoreResource = context.resources.store
    cursor = json.loads(context.cursor) if context.cursor else None
    try:
        with pypi.feeds(store.store, PROFILES.values()) as reader:
            look = reader.look(cursor)
    except PyPIError as error:
        return dg.SkipReason(f"PyPI's feeds cannot be had, the next tick tries again: {error}")
    for name, reason in look.failures.items():
        context.log.warning(f"{name} cannot be looked at: {reason}")
    published = _published(context.instance)
    profiles = [profile for profile in _scheduled() if profile.key in published]
    requests = list(_reconcile(profiles, look) if look.overflowed else _updates(profiles, look.new, store.outputs()))
    skipped = dg.SkipReason(f"{len(look.new)} new releases, none of them of a profile that is published and scheduled")
    return dg.SensorResult(
        run_requests=requests, skip_reason=None if requests else skipped, cursor=json.dumps(look.cursor)
    )


def publish_new_profiles(context: dg.SensorEvaluationContext) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """Gives a scheduled profile that was never published its first full run; where that fails, another a day later."""
    published = _published(context.instance)
    missing = [profile.key for profile in _scheduled() if profile.key not in published]
    if not missing:
        yield dg.SkipReason("every scheduled profile is published")
    for key in missing:
        yield dg.RunRequest(run_key=f"first:{key}:{datetime.now(UTC):%Y-%m-%d}", partition_key=key)


def _scheduled() -> list[Profile]:
    return [profile for profile in PROFILES.values() if profile.scheduled]


def _published(instance: dg.DagsterInstance) -> set[str]:
    return instance.get_materialized_partitions(COLLECTION)


def _reconcile(profiles: Iterable[Profile], look: Look) -> Iterator[dg.RunRequest]:
    """A run over the whole of each profile. The end of the window is what makes it a new one."""
    until = look.cursor.get("updates", {}).get("until", "")
    for profile in profiles:
        yield dg.RunRequest(run_key=f"reconcile:{profile.key}:{until}", partition_key=profile.key)


def _updates(profiles: Iterable[Profile], new: list[NewRelease], outputs: Outputs) -> Iterator[dg.RunRequest]:
    """A run over the released projects of each profile that has any; the serial is what makes it a new one."""
    for profile in profiles:
        touched = [release for release in new if _touches(release, profile, _members(outputs, profile))]
        if not touched:
            continue
        names = sorted({release.project for release in touched})
        yield dg.RunRequest(
            run_key=f"release:{profile.key}:{max(release.serial for release in touched)}",
            partition_key=profile.key,
            run_config=dg.RunConfig({"raw_pypi_metadata": FetchConfig(projects=names)}),
            tags={PROJECTS_TAG: ", ".join(names)[:TAG_CHARACTERS]},
        )


def _touches(release: NewRelease, profile: Profile, members: frozenset[str]) -> bool:
    """Whether a project belongs to a profile now, or did until this release took its classifier away."""
    now = ProjectDocument(release.project, release.serial, {"classifiers": list(release.classifiers)}, (), 0)
    covered = Membership(profile.classifiers, profile.packages, profile.excludes).covers(now)
    return covered or release.project in members


def _members(outputs: Outputs, profile: Profile) -> frozenset[str]:
    """The projects whose packages are in the profile, read when they have changed: a tick a minute would read a lot."""
    try:
        rows = outputs.rows("filtered_packages", profile.key)
    except OutputMissingError:
        return frozenset()
    version, members = _read.get(rows.file.address, ("", frozenset()))
    if version != rows.file.version:
        members = frozenset(rows.table(["project"])["project"].to_pylist())
        _read[rows.file.address] = rows.file.version, members
    return members
