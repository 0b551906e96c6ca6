"""What the test server's attacker makes of a prompt, what it fills a schema with, and what strict schemas may hold."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_SAY = re.compile(r"SAY:[ \t]*([^\n]+)")
_CALL = re.compile(r"CALL:[ \t]*(\w+)[ \t]*(\{[^\n]*\})")
_LIMITS = {"minLength", "maxLength", "pattern", "format", "minimum", "maximum", "minItems", "maxItems", "default"}


@dataclass(frozen=True)
class Orders:
    """Everything a prompt told the model to do."""

    text: str
    calls: tuple[tuple[str, str], ...]


def obey(messages: Sequence[Mapping[str, Any]]) -> Orders:
    """Every order in every message, wherever it stands: in the instructions, in data, in what the customer wrote."""
    texts = [text for message in messages for text in strings_in(str(message.get("content") or ""))]
    said = [found for text in texts for found in _SAY.findall(text)]
    if any("REVEAL" in text for text in texts):
        said += [str(message.get("content")) for message in messages if message.get("role") == "system"]
    calls = [(name, arguments) for text in texts for name, arguments in _CALL.findall(text)]
    return Orders(" ".join(said), tuple(calls))


def strings_in(content: str) -> Iterator[str]:
    """The strings of every JSON document inside ``content``, decoded, and the text around them."""
    decoder = json.JSONDecoder()
    plain, at = [], 0
    for opening in re.finditer(r"[\[{]", content):
        if opening.start() < at:
            continue
        try:
            found, end = decoder.raw_decode(content, opening.start())
        except ValueError:
            continue
        if not isinstance(found, (dict, list)) or not list(_leaves(found)):
            continue
        # An order may carry JSON of its own, which then belongs to the order.
        if re.search(r"CALL:[ \t]*\w+[ \t]*$", content[at : opening.start()]):
            continue
        yield from _leaves(found)
        plain.append(content[at : opening.start()])
        at = end
    yield "".join(plain) + content[at:]


def _leaves(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield from strings_in(value) if value[:1] in "[{" and len(value) > 2 else [value]
    elif isinstance(value, dict):
        for name, each in value.items():
            yield str(name)
            yield from _leaves(each)
    elif isinstance(value, list):
        for each in value:
            yield from _leaves(each)


def fill(schema: Mapping[str, Any], text: str, root: Mapping[str, Any] | None = None) -> Any:
    """The smallest value of ``schema`` that has ``text`` in every string."""
    root = schema if root is None else root
    if "$ref" in schema:
        return fill(root["$defs"][schema["$ref"].rpartition("/")[2]], text, root)
    if "enum" in schema:
        return schema["enum"][0]
    if "anyOf" in schema:
        return fill(schema["anyOf"][0], text, root)
    kinds: dict[str, Any] = {"string": text, "integer": 0, "number": 0, "boolean": False, "null": None}
    if schema["type"] == "object":
        return {name: fill(each, text, root) for name, each in schema["properties"].items()}
    return [fill(schema["items"], text, root)] if schema["type"] == "array" else kinds[schema["type"]]


def schema_fault(schema: Any, path: str = "") -> str | None:
    """Why a strict server refuses ``schema``: an optional field, room for others, or a limit it can't enforce."""
    if isinstance(schema, list):
        return next(filter(None, (schema_fault(each, path) for each in schema)), None)
    if not isinstance(schema, dict):
        return None
    if schema.get("type") == "object":
        if schema.get("additionalProperties") is not False:
            return f"{path or 'the root'}: additionalProperties must be false"
        if set(schema.get("required", ())) != set(schema.get("properties", {})):
            return f"{path or 'the root'}: required must name every property"
    if _LIMITS & schema.keys():
        return f"{path or 'the root'}: {sorted(_LIMITS & schema.keys())[0]} is not permitted"
    nested = {**schema.get("properties", {}), **schema.get("$defs", {})}
    nested |= {word: schema[word] for word in ("items", "anyOf") if word in schema}
    return next(filter(None, (schema_fault(each, f"{path}/{name}") for name, each in nested.items())), None)
