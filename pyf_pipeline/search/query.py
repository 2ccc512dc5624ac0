"""How a collection is searched: the defaults that the checks, the demo and the documentation share."""

from typing import Any, cast

from typesense import Client

# A package's own words about what it is outrank its README.
QUERY_BY = {"name": 8, "keywords": 4, "summary": 4, "title": 3, "first_chapter": 2, "main_content": 1}
SORT_BY = "_text_match:desc,github_stars(missing_values: last):desc,name_sortable:asc"


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
        "exclude_fields": "description,main_content,changelog",
        **more,
    }


def search(client: Client, collection: str, parameters: dict[str, Any]) -> dict[str, Any]:
    """Search a collection; the server's answer as it came."""
    return cast("dict[str, Any]", client.collections[collection].documents.search(cast("Any", parameters)))


def find_by_name(client: Client, collection: str, name: str) -> list[str]:
    """The ids that a search for a package's name finds among the packages of this very name, best first."""
    quoted = name.replace("`", "")
    parameters = {
        "q": name,
        "query_by": "name",
        "filter_by": f"name:=`{quoted}`",
        "include_fields": "id",
        "per_page": 250,
    }
    found = search(client, collection, parameters)
    return [hit["document"]["id"] for hit in found["hits"]]
