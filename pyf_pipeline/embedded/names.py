"""From the names in a request to the fields that they mean."""

from pyf_pipeline.embedded.errors import bad_request, not_found
from pyf_pipeline.embedded.schema import Schema


def expanded(name: str, schema: Schema, *, strings_only: bool) -> list[str]:
    """The fields that a name means: itself, those below an object, those that a pattern `x*` begins; raises 404."""
    pattern = name.endswith("*")
    stem = name[:-1] if pattern else name
    found = []
    for each in schema.searchable.values():
        exact = each.name == name and not each.is_object
        if strings_only and not each.is_string:
            if exact and not pattern:
                raise bad_request(f"Field `{name}` should be a string or a string array.")
            continue
        below = schema.enable_nested_fields and each.name.startswith(stem + ".")
        if exact or below or (pattern and each.index and each.name.startswith(stem)):
            found.append(each.name)
    if found:
        return found
    if pattern and strings_only:
        raise not_found(f"No string or string array field found matching the pattern `{name}` in the schema.")
    if pattern:
        raise not_found("No field found matching the pattern `")
    raise not_found(f"Could not find a field named `{name}` in the schema.")
