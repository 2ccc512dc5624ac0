"""How a collection is searched: the defaults that checks, demo, search page and documentation share."""

from typing import Any, cast

from typesense import Client

# A package's own words about what it is outrank its README, and its changelog, which names everything once, is not
# looked into. `docs/searching.md` explains this, and `make bench` measures what it is worth.
QUERY_BY = {"name": 8, "keywords": 4, "summary": 4, "title": 3, "first_chapter": 2, "main_content": 1}
# Between packages that say the same the one that more people have starred comes first: stars are known of every package
# with a repository, downloads only where pypistats is asked, and for the first weeks not of all. Matches are not put
# into buckets for that: a package of the very name then falls behind famous ones.
TIE_BREAKER = "github_stars"

# Below this many hits a search looks for other spellings and for fewer of the words as well: "forms" finds "form", too.
ENOUGH_HITS = 5


def defaults(tie_breaker: str = TIE_BREAKER) -> dict[str, Any]:
    """What makes a good search, whatever for: the parameters that every search has.

    Args:
        tie_breaker: The number by which packages that match alike are put in order, the largest first, those without
            it last; `download_last_month` where all downloads are known.
    """
    return {
        "query_by": ",".join(QUERY_BY),
        "query_by_weights": ",".join(str(weight) for weight in QUERY_BY.values()),
        # Typesense takes three at most; the name makes an order of what is left, the same in every version.
        "sort_by": f"_text_match:desc,{tie_breaker}(missing_values: last):desc,name_sortable:asc",
        "typo_tokens_threshold": ENOUGH_HITS,
        "drop_tokens_threshold": ENOUGH_HITS,
    }


def search_parameters(text: str, *, tie_breaker: str = TIE_BREAKER, **more: Any) -> dict[str, Any]:
    """Parameters for a search by words; `*` finds everything.

    Args:
        text: What a person typed.
        tie_breaker: See `defaults`.
        more: Further parameters of Typesense's search, such as `filter_by`; they win over the defaults.
    """
    return {"q": text, **defaults(tie_breaker), "exclude_fields": "description,main_content,changelog", **more}


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
