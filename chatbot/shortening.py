"""Makes the result of a look-up fit: shorter texts first, then fewer entries, and says so; always whole JSON. Pure."""

from collections.abc import Iterator
from typing import Any

import orjson

#: So long may each text be, one after the other, until the whole fits; amounts and names are shorter than the last.
_TEXTS = (700, 300, 120)
#: So many entries of a list inside another are kept before entries of the outer one are left out.
_FEW = 3
NOTE = "shortened: texts are cut (…) or entries left out; look up one product or policy for more"


def fitting(result: Any, most: int) -> str:
    """A result as JSON of at most so many code points."""
    written = _written(result)
    if len(written) <= most:
        return written
    for longest in _TEXTS:
        short = _cut(result, longest)
        written = _written({"note": NOTE, "result": short})
        if len(written) <= most:
            return written
    while len(written) > most:
        lists = [one for one in _lists(short) if one]
        if not lists:
            return _written({"note": NOTE})
        inner = [one for one in lists if len(one) > _FEW and next(_lists(one[0]), None) is None]
        lists = inner or lists
        fullest = max(lists, key=lambda one: len(_written(one)))
        # So many at once that a result however long is done soon.
        del fullest[-max(1, len(fullest) // 4) :]
        written = _written({"note": NOTE, "result": short})
    return written


def _written(data: Any) -> str:
    return orjson.dumps(data).decode()


def _cut(data: Any, longest: int) -> Any:
    if isinstance(data, str):
        return data if len(data) <= longest else data[: longest - 1] + "…"
    if isinstance(data, dict):
        return {key: _cut(value, longest) for key, value in data.items()}
    return [_cut(value, longest) for value in data] if isinstance(data, list) else data


def _lists(data: Any) -> Iterator[list[Any]]:
    """Every list of a result, the inner ones too."""
    if isinstance(data, list):
        yield data
    for value in data.values() if isinstance(data, dict) else data if isinstance(data, list) else ():
        yield from _lists(value)
