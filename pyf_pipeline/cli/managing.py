"""What `pyfupdater` does. Dagster is imported only where a run is needed."""

import argparse
from collections.abc import Callable
from datetime import UTC, datetime

from pyf_pipeline.cli.command import FAILED, OK, CommandError, UsageError, confirm
from pyf_pipeline.cli.made_profiles import forget_profile, is_made
from pyf_pipeline.cli.output import Output
from pyf_pipeline.cli.selection import existing_profile, known_profiles
from pyf_pipeline.cli.server import check_server, search_server
from pyf_pipeline.cli.stored import open_outputs
from pyf_pipeline.profiles import Profile
from pyf_pipeline.search.aliases import list_aliases, remove_alias
from pyf_pipeline.search.client import SearchServer
from pyf_pipeline.search.following import lead_alias
from pyf_pipeline.search.keys import SEARCH_ONLY, create_search_key, delete_key, list_keys
from pyf_pipeline.search.management import delete_collection, describe_collections, rollback
from pyf_pipeline.search.migration import migrate
from pyf_pipeline.search.naming import Located, locate
from pyf_pipeline.settings import Settings, load_settings

Act = Callable[[argparse.Namespace, Output, Settings, SearchServer], None]


def manage(options: argparse.Namespace, output: Output) -> int:
    """Do the one thing that the options ask for; returns the exit code."""
    if options.key is not None and not options.add_key:
        raise UsageError("-key goes with --add-search-only-apikey")
    settings = load_settings()
    if options.recreate:
        return _recreate(options, output, settings)
    act = next(act for name, act in ACTIONS.items() if getattr(options, name) not in {None, False})
    with search_server(settings) as server:
        act(options, output, settings, server)
    return OK


def _collections(_options: argparse.Namespace, output: Output, _settings: Settings, server: SearchServer) -> None:
    rows = [
        {
            "collection": found.name,
            "documents": found.documents,
            "created": f"{found.created:%Y-%m-%d %H:%M:%S} UTC",
            "aliases": list(found.aliases),
            "version_of": found.version_of,
            "complete": found.complete,
        }
        for found in describe_collections(server)
    ]
    output.records(rows, ("collection", "documents", "created", "aliases"))


def _names(_options: argparse.Namespace, output: Output, _settings: Settings, server: SearchServer) -> None:
    """The aliases, and those collections that are not versions behind one."""
    others = [found.name for found in describe_collections(server) if found.version_of is None]
    names = sorted({*list_aliases(server), *others})
    if output.as_json:
        output.json(names)
    else:
        for name in names:
            output.line(name)


def _aliases(_options: argparse.Namespace, output: Output, _settings: Settings, server: SearchServer) -> None:
    rows = [{"alias": alias, "collection": collection} for alias, collection in list_aliases(server).items()]
    output.records(rows, ("alias", "collection"))


def _keys(_options: argparse.Namespace, output: Output, _settings: Settings, server: SearchServer) -> None:
    rows = [
        {
            "id": key.id,
            "description": key.description,
            "collections": list(key.collections),
            "begins_with": key.prefix,
            "expires": ""
            if key.expires_at is None
            else f"{datetime.fromtimestamp(key.expires_at, UTC):%Y-%m-%d %H:%M} UTC",
        }
        for key in list_keys(server)
        if key.actions == (SEARCH_ONLY,)
    ]
    output.records(rows, ("id", "description", "collections", "begins_with", "expires"))


def _migrate(options: argparse.Namespace, output: Output, _settings: Settings, server: SearchServer) -> None:
    source, target = _both(options, "--migrate", "the collection to copy", "the new one")
    done = migrate(server, source, target)
    if output.as_json:
        output.json({"source": done.source, "target": done.target, "documents": done.documents})
    else:
        output.line(f"{done.target} holds the {done.documents} documents of {done.source}")


def _add_alias(options: argparse.Namespace, output: Output, _settings: Settings, server: SearchServer) -> None:
    alias, target = _both(options, "--add-alias", "the alias", "the collection that it leads to")
    lead = lead_alias(server, alias, target)
    if output.as_json:
        output.json(
            {"alias": lead.alias, "collection": lead.collection, "before": lead.before, "follows": lead.follows}
        )
        return
    follows = f", and follows {lead.follows}" if lead.follows else ""
    before = f" instead of {lead.before}" if lead.before not in {"", lead.collection} else ""
    output.line(f"{lead.alias} leads to {lead.collection}{before}{follows}")


def _delete_alias(options: argparse.Namespace, output: Output, _settings: Settings, server: SearchServer) -> None:
    alias = options.delete_alias
    confirm(f"Remove the alias {alias}? Searches by it are answered by a 404 then.", output, force=options.force)
    collection = remove_alias(server, alias)
    _done(output, f"the alias {alias} is removed; {collection} is as it was", alias=alias, collection=collection)


def _add_key(options: argparse.Namespace, output: Output, settings: Settings, server: SearchServer) -> None:
    made = create_search_key(server, _name(options, settings), value=options.key)
    if output.as_json:
        output.json({"id": made.key.id, "collections": list(made.key.collections), "value": made.value})
        return
    output.note(f"key {made.key.id} can search {', '.join(made.key.collections)}; its value is not shown again:")
    output.line(made.value)


def _delete_key(options: argparse.Namespace, output: Output, _settings: Settings, server: SearchServer) -> None:
    if not options.delete_key.isdigit():
        raise UsageError(f"{options.delete_key!r} is not the number of a key; -lssoa lists them")
    number = int(options.delete_key)
    confirm(f"Remove key {number}? Pages that search with it stop working.", output, force=options.force)
    delete_key(server, number)
    _done(output, f"key {number} is removed", id=number)


def _rollback(options: argparse.Namespace, output: Output, settings: Settings, server: SearchServer) -> None:
    name = _name(options, settings)
    with server.explained():
        located = locate(server.client, name)
    complete = [version.name for version in located.versions if version.complete]
    # An alias that was pointed elsewhere by hand has no version before; it goes back to the newest of its own.
    to = complete[-1] if located.alias_of and located.live is None and complete else None
    before, now = rollback(server, name, to=to)
    _done(output, f"{name} leads to {now} instead of {before}", name=name, collection=now, before=before)


def _delete(options: argparse.Namespace, output: Output, settings: Settings, server: SearchServer) -> None:
    """Remove a collection by its own name, or by the name that people search by with all versions behind it."""
    name = options.delete
    with server.explained():
        located = locate(server.client, name)
    behind = [name] if located.collection else [version.name for version in located.versions]
    if not behind:
        hint = f": it is an alias of {located.alias_of}; see --delete-alias" if located.alias_of else ""
        raise CommandError(f"there is no collection {name}{hint}")
    leading = sorted(alias for alias, target in located.aliases.items() if target in behind and alias != name)
    lost = f" {', '.join(leading)} would lead nowhere and go, too." if leading else ""
    documents = sum(located.documents[collection] for collection in behind)
    question = f"Remove {', '.join(behind)} with {documents} documents?{lost}"
    confirm(question, output, force=options.force)
    _drop(server, located, behind)
    forgotten = _forget(settings, name)
    more = f"; the profile {forgotten} is forgotten" if forgotten else ""
    _done(output, f"{', '.join(behind)} removed{more}", removed=behind, aliases=leading, profile=forgotten)


def _drop(server: SearchServer, located: Located, collections: list[str]) -> None:
    # What is served goes last, so that whatever is left after an interruption is found by the same name.
    for collection in sorted(collections, key=lambda collection: collection == located.alias_of):
        delete_collection(server, collection, force=True)
    if not located.collection and located.alias_of and located.alias_of not in collections:
        remove_alias(server, located.name)


def _forget(settings: Settings, name: str) -> str:
    """Remove the profile that a command has made for a collection, with what was stored for it; returns its key."""
    made = [p for p in known_profiles(settings).values() if p.collection == name and is_made(settings, p.key)]
    for profile in made:
        outputs = open_outputs(settings)
        for asset in ("raw_pypi_metadata", "filtered_packages", "github_enrichment", "download_stats"):
            outputs.remove(asset, profile.key)
        forget_profile(settings, profile.key)
    return made[0].key if made else ""


def _recreate(options: argparse.Namespace, output: Output, settings: Settings) -> int:
    """Build a new version of the collection from what is stored, which is served once it is complete."""
    profile = existing_profile(options, settings)
    if not open_outputs(settings).exists("filtered_packages", profile.key):
        raise CommandError(f"nothing was fetched for {profile.key} yet: run `pyfaggregator -f -t {profile.collection}`")
    check_server(settings)
    return OK if _rebuild(output, settings, profile) else FAILED


def _rebuild(output: Output, settings: Settings, profile: Profile) -> bool:
    from pyf_pipeline.cli.instance import open_instance  # noqa: PLC0415 - Dagster takes its time to import
    from pyf_pipeline.cli.materialise import execute  # noqa: PLC0415
    from pyf_pipeline.cli.summary import report_outcome  # noqa: PLC0415
    from pyf_pipeline.defs.config import PublishConfig  # noqa: PLC0415

    ops = {"typesense_collection": PublishConfig(rebuild=True)}
    command = f"pyfupdater --recreate-collection -t {profile.collection}"
    with open_instance(settings) as instance:
        outcome = execute("rebuild_collection", profile.key, instance, output.notes, ops=ops, command=command)
    return report_outcome(output, profile, outcome)


def _both(options: argparse.Namespace, action: str, source: str, target: str) -> tuple[str, str]:
    if not options.source or not options.target:
        raise UsageError(f"{action} needs -s, {source}, and -t, {target}")
    return options.source, options.target


def _name(options: argparse.Namespace, settings: Settings) -> str:
    """The name that people search by: -t as it stands, or that of the profile."""
    return str(options.target) if options.target else existing_profile(options, settings).collection


def _done(output: Output, text: str, **values: object) -> None:
    if output.as_json:
        output.json(values)
    else:
        output.line(text)


ACTIONS: dict[str, Act] = {
    "collections": _collections,
    "names": _names,
    "aliases": _aliases,
    "keys": _keys,
    "migrate": _migrate,
    "add_alias": _add_alias,
    "delete_alias": _delete_alias,
    "add_key": _add_key,
    "delete_key": _delete_key,
    "delete": _delete,
    "rollback": _rollback,
}
