"""JSON schemas as places take them that have no room for definitions."""

from typing import Any


def inlined(schema: Any, definitions: dict[str, Any]) -> Any:
    """A schema without references."""
    if isinstance(schema, dict):
        if "$ref" in schema:
            return inlined(definitions[schema["$ref"].rpartition("/")[2]], definitions)
        return {name: inlined(value, definitions) for name, value in schema.items()}
    return [inlined(each, definitions) for each in schema] if isinstance(schema, list) else schema
