"""A shop's colour made readable: what stands on it and what it becomes as text, in light and in dark."""

import colorsys
from dataclasses import dataclass

#: The least contrast of text, by WCAG 2 level AA.
READABLE = 4.5
#: What text in the shop's colour stands on; the same as in the style sheets.
LIGHT_GROUNDS = ("#ffffff", "#f6f5f2")
DARK_GROUNDS = ("#14181d", "#1d232a")
_WHITE, _INK = "#ffffff", "#10151b"
_STEPS = 256


@dataclass(frozen=True)
class Accent:
    """A colour in one scheme: as a ground with the text on it, and as text or line on the page."""

    fill: str
    on_fill: str
    text: str


@dataclass(frozen=True)
class Brand:
    """A colour in both schemes."""

    light: Accent
    dark: Accent


#: Of a store without a colour of its own; the same as in the style sheets.
DEFAULT = Brand(Accent("#1d5a8a", "#ffffff", "#1d5a8a"), Accent("#8cc4ee", "#10151b", "#8cc4ee"))


def of(color: str | None) -> Brand:
    """A store's colour as it can be used, or the default one."""
    return DEFAULT if color is None else brand(color)


def brand(color: str) -> Brand:
    """``color`` (``#rrggbb``) as it can be used; it is changed no more than reading needs."""
    fill, on_fill = _ground(color)
    return Brand(
        light=Accent(fill, on_fill, _towards(color, 0.0, LIGHT_GROUNDS)),
        dark=Accent(fill, on_fill, _towards(color, 1.0, DARK_GROUNDS)),
    )


def style(color: str) -> str:
    """The rules that put ``color`` into a page; nothing but digits comes from outside."""
    both = brand(color)
    return f":root{{{_rules(both.light)}}}@media(prefers-color-scheme:dark){{:root{{{_rules(both.dark)}}}}}"


def contrast(one: str, other: str) -> float:
    """How far two colours are apart for the eye, 1 to 21, by WCAG 2."""
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def _rules(accent: Accent) -> str:
    return f"--fill:{accent.fill};--on-fill:{accent.on_fill};--accent:{accent.text}"


def _ground(color: str) -> tuple[str, str]:
    for on_fill in (_WHITE, _INK):
        if contrast(color, on_fill) >= READABLE:
            return color, on_fill
    # Between the two neither is readable: a shade darker, and white is.
    return _towards(color, 0.0, (_WHITE,)), _WHITE


def _towards(color: str, end: float, grounds: tuple[str, ...]) -> str:
    """The colour with its lightness moved to ``end`` (0 black, 1 white) until it can be read on every ground."""
    hue, lightness, saturation = colorsys.rgb_to_hls(*_channels(color))
    for step in range(_STEPS + 1):
        moved = lightness + (end - lightness) * step / _STEPS
        shade = _hex(colorsys.hls_to_rgb(hue, moved, saturation)) if step else color
        if all(contrast(shade, ground) >= READABLE for ground in grounds):
            return shade
    raise AssertionError("black and white can be read on their grounds")


def _channels(color: str) -> tuple[float, float, float]:
    red, green, blue = (int(color[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return red, green, blue


def _hex(channels: tuple[float, float, float]) -> str:
    return "#" + "".join(f"{round(channel * 255):02x}" for channel in channels)


def _luminance(color: str) -> float:
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in _channels(color)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
