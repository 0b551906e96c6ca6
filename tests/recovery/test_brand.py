"""A shop's colour on a page: readable whatever it is, and left alone where it is readable already."""

import itertools
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recovery.brand import DARK_GROUNDS, LIGHT_GROUNDS, brand, contrast, style
from recovery.store_settings import SettingRefused, merge

ROOT = Path(__file__).parents[2]
SHEETS = (ROOT / "frontend" / "assistant" / "style.css", ROOT / "recovery" / "static" / "pages.css")
CHANNELS = (0, 64, 119, 128, 192, 255)
COLORS = ["#%02x%02x%02x" % each for each in itertools.product(CHANNELS, repeat=3)]  # noqa: UP031


def seen_apart(one: str, other: str) -> float:
    """The contrast by the letters of WCAG 2, written once more."""

    def light(color: str) -> float:
        parts = [int(pair, 16) / 255 for pair in re.findall("[0-9a-f]{2}", color)]
        red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    first, second = light(one), light(other)
    return (max(first, second) + 0.05) / (min(first, second) + 0.05)


def test_contrast_is_that_of_wcag() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)
    assert contrast("#ff0000", "#ffffff") == pytest.approx(4.0, abs=0.01)


def test_every_colour_can_be_read_in_both_schemes() -> None:
    for color in COLORS:
        both = brand(color)
        for accent, grounds in ((both.light, LIGHT_GROUNDS), (both.dark, DARK_GROUNDS)):
            assert seen_apart(accent.fill, accent.on_fill) >= 4.5, color
            assert all(seen_apart(accent.text, ground) >= 4.5 for ground in grounds), color


@given(st.from_regex("#[0-9a-f]{6}", fullmatch=True))
def test_any_colour_can_be_read(color: str) -> None:
    both = brand(color)
    assert seen_apart(both.light.fill, both.light.on_fill) >= 4.5
    assert seen_apart(both.light.text, "#f6f5f2") >= 4.5
    assert seen_apart(both.dark.text, "#1d232a") >= 4.5


def test_a_colour_that_can_be_read_stays_as_it_is() -> None:
    assert brand("#1d5a8a").light.fill == brand("#1d5a8a").light.text == "#1d5a8a"
    assert brand("#ffe600").dark.text == "#ffe600"
    assert brand("#ffe600").light.fill == "#ffe600"
    assert brand("#ffe600").light.on_fill == "#10151b"


def test_the_style_holds_nothing_but_colours() -> None:
    rules = re.sub("#[0-9a-f]{6}", "#", style("#c0392b"))
    colors = "--fill:#;--on-fill:#;--accent:#"
    assert rules == f":root{{{colors}}}@media(prefers-color-scheme:dark){{:root{{{colors}}}}}"


@pytest.mark.parametrize("value", ["red", "#12345", "#1234567", "#12345g", "#123456\n", "url(x)", ""])
def test_only_a_colour_is_taken(value: str) -> None:
    with pytest.raises(SettingRefused, match="such as #1d5a8a"):
        merge({}, {"brand_color": value}, {})


def test_a_colour_is_kept_in_small_letters() -> None:
    assert merge({}, {"brand_color": "#ABCDEF"}, {})[1].brand_color == "#abcdef"


@pytest.mark.parametrize("value", ["javascript:alert(1)", "data:image/png;base64,AAAA", "mailto:a@b.example", "//x"])
def test_a_logo_is_a_picture_on_the_web(value: str) -> None:
    with pytest.raises(SettingRefused, match="https://"):
        merge({}, {"logo_url": value}, {})


def tokens(sheet: Path) -> list[dict[str, str]]:
    """The colours a style sheet names, in light and in dark."""
    return [
        dict(re.findall(r"(--[\w-]+):\s*(#[0-9a-f]{6})", part))
        for part in re.findall(r":root ?{(.*?)}", sheet.read_text(), re.S)[:2]
    ]


def test_both_style_sheets_have_the_same_colours_and_these_grounds() -> None:
    light, dark = tokens(SHEETS[0])
    for theirs, ours in zip((light, dark), tokens(SHEETS[1]), strict=True):
        assert len(ours) >= 8
        assert ours.items() <= theirs.items()
    assert {light["--panel"], light["--page"]} == set(LIGHT_GROUNDS)
    assert {dark["--panel"], dark["--page"]} == set(DARK_GROUNDS)


def test_the_colours_of_our_own_can_be_read_too() -> None:
    for scheme in tokens(SHEETS[0]):
        for name in ("--ink", "--soft", "--accent", "--good"):
            assert min(seen_apart(scheme[name], scheme[ground]) for ground in ("--page", "--panel")) >= 4.5, name
        assert seen_apart(scheme["--fill"], scheme["--on-fill"]) >= 4.5
        assert seen_apart(scheme["--warn"], scheme["--warn-page"]) >= 4.5
