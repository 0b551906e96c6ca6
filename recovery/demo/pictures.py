"""Draws the catalogue's products as SVG: one shape per kind of product, coloured by variant."""

import re
from collections.abc import Mapping
from pathlib import Path

from recovery.demo.catalogue.files import read_numbers

_HEX = re.compile(r"#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})")


def draw_pictures(folder: Path) -> dict[str, bytes]:
    """All pictures of a catalogue by name, ``{catalogue}-{product}-{colour}``."""
    numbers = read_numbers(folder)
    shapes = {path.stem: path.read_text("utf-8") for path in (folder / "shapes").glob("*.svg")}
    drawn = {}
    for product in numbers.products:
        colours = next((axis.values for axis in product.axes if axis.code == "colour"), [product.colour or "graphite"])
        for colour in colours:
            drawn[f"{folder.name}-{product.id}-{colour}"] = _coloured(
                shapes[product.kind], numbers.colours[colour]
            ).encode()
    return drawn


def _coloured(shape: str, colour: str) -> str:
    """The shape with its five marks replaced by shades of the colour."""
    shades: Mapping[str, str] = {
        "{main}": colour,
        "{dark}": _mixed(colour, "#14110d", 0.32),
        "{deep}": _mixed(colour, "#14110d", 0.58),
        "{light}": _mixed(colour, "#ffffff", 0.28),
        "{paper}": _mixed(colour, "#f7f3ea", 0.84),
    }
    for mark, shade in shades.items():
        shape = shape.replace(mark, shade)
    return shape


def _mixed(colour: str, other: str, share: float) -> str:
    """``colour`` with ``share`` of the other one in it."""
    pairs = zip(_parts(colour), _parts(other), strict=True)
    return "#" + "".join(f"{round(a * (1 - share) + b * share):02x}" for a, b in pairs)


def _parts(colour: str) -> list[int]:
    found = _HEX.fullmatch(colour)
    if found is None:
        raise ValueError(f"{colour!r} is not a colour like #a0674f")
    return [int(part, 16) for part in found.groups()]
