"""How a field of a hook or a setting is written in the tables of the documentation, from its JSON Schema."""

import json
import re
from typing import Any

Schema = dict[str, Any]
_BY_DESCRIPTION = {
    "Minor units of the currency.": "money",
    "Minor units of the currency, 0 or more.": "money ≥ 0",
    "Above 0, at most 4 decimals.": "quantity",
}
_LARGEST_COUNT = 2**53


def rows(schema: Schema) -> dict[str, str]:
    """Field → its type, default and whether it is required, as the table of a payload has it."""
    required = set(schema.get("required", ()))
    return {
        name: shape(field) + (", required" if name in required else "") + _default(field)
        for name, field in schema["properties"].items()
    }


def shape(field: Schema) -> str:
    """The type of one field in words."""
    field = _present(field)
    if "$ref" in field:
        return part_name(field["$ref"].rpartition("/")[2])
    if "oneOf" in field:
        return "id"
    if field.get("description") in _BY_DESCRIPTION:
        return _BY_DESCRIPTION[field["description"]]
    if "enum" in field or "const" in field:
        return " · ".join(f"`{value}`" for value in field.get("enum") or [field["const"]])
    if field["type"] == "array":
        return f"list of {_span(field.get('minItems'), field['maxItems'])} {shape(field['items'])}"
    if field["type"] == "boolean":
        return "true or false"
    return _text(field) if field["type"] == "string" else _number(field)


def part_name(model: str) -> str:
    """``IntentTracePayload`` → ``intent trace``, as the headings name it."""
    return re.sub(r"(?<!^)(?=[A-Z])", " ", model.removesuffix("Payload")).lower()


def bounds(field: Schema) -> str:
    """The values a setting may have, in words."""
    field = _present(field)
    if "enum" in field:
        return " · ".join(f"`{value}`" for value in field["enum"])
    if "minimum" in field:
        return f"{field['minimum']}–{field['maximum']}"
    if "exclusiveMinimum" in field:
        return f"above {field['exclusiveMinimum']}"
    if field["type"] == "array" and "maxItems" in field:
        return f"{field['minItems']}–{field['maxItems']} of them"
    if "maxLength" in field:
        return f"text ≤ {field['maxLength']}"
    return {"boolean": "true · false"}.get(field["type"], "")


def default(value: object) -> str:
    """A default as the tables write it."""
    if value is None or value == []:
        return "unset"
    return f"`{value if isinstance(value, str) else json.dumps(value)}`"


def _present(field: Schema) -> Schema:
    """The part of the field's schema that is not "or null"."""
    return next((part for part in field.get("anyOf", ()) if part.get("type") != "null"), field)


def _text(field: Schema) -> str:
    if field.get("format") == "date-time":
        return "time"
    if "pattern" in field and "maxLength" not in field:
        return "currency"
    return f"text {_span(field.get('minLength'), field['maxLength'])}" if "maxLength" in field else "link"


def _number(field: Schema) -> str:
    if field.get("maximum") == _LARGEST_COUNT or "exclusiveMaximum" in field:
        return "count"
    return f"{field['minimum']}–{field['maximum']}" if "maximum" in field else "number ≥ 0"


def _span(least: int | None, most: int) -> str:
    return f"{least}–{most}" if least else f"≤ {most}"


def _default(field: Schema) -> str:
    value = field.get("default")
    return "" if value is None or value == "" else f"; default {default(value)}"
