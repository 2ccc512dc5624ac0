"""How a collection is searched: the defaults that the checks, the demo and the documentation share."""

from typing import Any, cast

from typesense import Client

# A package's own words about what it is outrank its README, and its changelog, which names everything once, is not
# looked into. `docs/searching.md` explains this, and `make bench` measures what it is worth.
QUERY_BY = {"name": 8, "keywords": 4, "summary": 4, "title": 3, "first_chapter": 2, "main_content": 1}
# Between packages that say the same the one that more people have starred comes first. Matches are not put into buckets
# for that: a package of the very name then falls behind famous ones.
SORT_BY = "_text_match:desc,github_stars(missing_values: last):desc,name_sortable:asc"

# Below this many hits a search looks for other spellings and for fewer of the words as well: "forms" finds "form", too.
ENOUGH_HITS = 5


def search_parameters(text: str, **more: Any) -> dict[str, Any]:
    """Parameters for a search by words; `*` finds everything.

    Args:
        text: What a person typed.
        more: Further parameters of Typesense's search, such as `filter_by`; they win over the defaults.
    """
    return {
        "q": text,
        "query_by": ",".join(QUERY_BY),
        "query_by_weights": ",".join(str(weight) for weight in QUERY_BY.values()),
        "sort_by": SORT_BY,
        "typo_tokens_threshold": ENOUGH_HITS,
        "drop_tokens_threshold": ENOUGH_HITS,
        "exclude_fields": "description,main_content,changelog",
        **more,
    }


def search(client: Client, collection: str, parameters: dict[str, Any]) -> dict[str, Any]:
    """Search a collection; the server's answer as it came."""
    return cast("dict[str, Any]", client.collections[collection].documents.search(cast("Any", parameters)))


def is_found_by_name(client: Client, collection: str, name: str, identifier: str) -> bool:
    """Whether a search for a name finds the document with this id, which has no backtick in it."""
    parameters = {
        "q": name,
        "query_by": "name",
        "filter_by": f"id:=[`{identifier}`]",
        "include_fields": "id",
        "per_page": 1,
    }
    return bool(search(client, collection, parameters)["found"])


def rank_by_name(client: Client, collection: str, name: str) -> int | None:
    """At which place the first page of a person's search for a name has that package, from 1; None where nowhere."""
    parameters = search_parameters(name, group_by="name_sortable", group_limit=1, include_fields="name")
    del parameters["exclude_fields"]
    groups = search(client, collection, parameters)["grouped_hits"]
    names = [group["hits"][0]["document"]["name"] for group in groups]
    return names.index(name) + 1 if name in names else None
