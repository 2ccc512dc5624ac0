"""Which profile a command is about: named, defaulted, or made from classifiers and a target."""

import argparse

from pyf_pipeline.cli.command import UsageError
from pyf_pipeline.cli.made_profiles import is_made, keep_profile
from pyf_pipeline.profiles import Profile, ProfileError, build_profile, load_profiles
from pyf_pipeline.settings import Settings


def known_profiles(settings: Settings) -> dict[str, Profile]:
    """All profiles by key: built-in ones, the user's own, and those that commands have made."""
    return load_profiles(*settings.profile_paths)


def existing_profile(options: argparse.Namespace, settings: Settings) -> Profile:
    """The profile that -p, -t or DEFAULT_PROFILE names, in this order.

    Raises:
        UsageError: None of them is given, they name two different ones, or one that there is not.
    """
    known = known_profiles(settings)
    if options.profile is None and options.target is not None:
        found = _with_target(known, options.target)
        if found is None:
            raise UsageError(f"no profile has the collection {options.target!r}; {_listed(known)}")
        return found
    profile = _named(known, settings, options.profile)
    if options.target is None or options.target in {profile.key, profile.collection}:
        return profile
    found = _with_target(known, options.target)
    if found is None or not is_made(settings, found.key):
        raise UsageError(f"no profile made from {profile.key} has the collection {options.target!r}; {_listed(known)}")
    return found


def wanted_profile(options: argparse.Namespace, settings: Settings) -> Profile:
    """The profile that is to be fetched, which is made where it is not there yet; nothing is written.

    Args:
        options: With `profile`, `target` and `filter_troove`.
        settings: The settings.

    Raises:
        UsageError: It cannot be told which one is meant, or it cannot be made.
    """
    known = known_profiles(settings)
    if options.filter_troove:
        return _from_classifiers(options, known, settings)
    if options.target is None:
        return _named(known, settings, options.profile)
    there = _with_target(known, options.target)
    if there is not None and options.profile in {None, there.key}:
        return there
    if there is None and options.profile is None and not settings.default_profile:
        raise UsageError(
            f"no profile has the collection {options.target!r}; {_listed(known)}; "
            "-p or -ft says what a new one is to hold"
        )
    base = _named(known, settings, options.profile)
    _check_free(there, settings)
    fields = base.model_dump(include={"classifiers", "packages", "excludes", "releases"})
    return _made({**fields, "name": f"{base.name} ({options.target})"}, options.target)


def keep_if_new(profile: Profile, settings: Settings) -> bool:
    """Write a profile down where it is not known as it is; returns whether that was needed."""
    if known_profiles(settings).get(profile.key) == profile:
        return False
    keep_profile(settings, profile)
    return True


def _from_classifiers(options: argparse.Namespace, known: dict[str, Profile], settings: Settings) -> Profile:
    if options.profile is not None:
        raise UsageError("-p and -ft both say which packages are meant: give one of them")
    if options.target is None:
        raise UsageError("-ft needs -t NAME, the collection that the packages go to")
    there = _with_target(known, options.target)
    profile = _made({"name": options.target, "classifiers": options.filter_troove}, options.target)
    if there is not None and set(there.classifiers) == set(profile.classifiers):
        return there
    _check_free(there, settings)
    return profile


def _made(fields: dict[str, object], target: str) -> Profile:
    try:
        return build_profile("-t", target.lower(), {**fields, "collection": target, "scheduled": False})
    except ProfileError as error:
        raise UsageError(str(error)) from None


def _check_free(there: Profile | None, settings: Settings) -> None:
    if there is not None and not is_made(settings, there.key):
        raise UsageError(f"{there.collection!r} is the collection of the profile {there.key}: give another one with -t")


def _with_target(known: dict[str, Profile], target: str) -> Profile | None:
    by_collection = {profile.collection: profile for profile in known.values()}
    return by_collection.get(target) or known.get(target.lower())


def _named(known: dict[str, Profile], settings: Settings, key: str | None) -> Profile:
    wanted = key if key is not None else settings.default_profile
    if not wanted:
        raise UsageError(f"say which profile: with -p, or with DEFAULT_PROFILE; {_listed(known)}")
    if wanted not in known:
        origin = "" if key is not None else " (DEFAULT_PROFILE)"
        raise UsageError(f"there is no profile {wanted!r}{origin}; {_listed(known)}")
    return known[wanted]


def _listed(known: dict[str, Profile]) -> str:
    return f"there are {', '.join(known)}"
