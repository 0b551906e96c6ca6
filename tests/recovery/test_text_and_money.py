"""Texts made safe, addresses told from what is none, money and quantities written and read."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recovery.money import babel_locale, digits_of, format_money, format_quantity, is_currency, to_quantity
from recovery.text import (
    clean_text,
    duration,
    email_address,
    html_to_text,
    is_bot_address,
    is_role_address,
    mask_address,
    one_line,
)

anything = st.text(st.characters(exclude_categories=()))


@given(anything)
def test_clean_text_can_be_kept_anywhere_and_is_clean_already(value: str) -> None:
    cleaned = clean_text(value)
    assert "\x00" not in cleaned
    cleaned.encode()
    assert clean_text(cleaned) == cleaned


@given(anything, st.integers(1, 50))
def test_one_line_is_one_short_line(value: str, limit: int) -> None:
    line = one_line(value, limit)
    assert len(line) <= limit
    assert len(line.splitlines()) <= 1
    assert "  " not in line
    assert one_line(one_line(value)) == one_line(value)


def test_a_cut_text_says_so() -> None:
    assert one_line("Kurtka zimowa", 7) == "Kurtka…"
    assert clean_text("a\r\nb\rc\u0301\ud800\U000e0041") == "a\nb\nć"


@given(anything)
def test_html_becomes_text_whatever_it_is(value: str) -> None:
    html_to_text(value, 500).encode()


def test_html_keeps_what_is_read() -> None:
    html = "<h1>Warm</h1><p>A <a href='https://x'>link</a>, a <b>word</b><br>next</p><ul><li>one<li>two</ul><img src=x>"
    text = html_to_text(html)
    for word in ("Warm", "A link, a word", "- one", "- two"):
        assert word in text
    assert "https://" not in text


@pytest.mark.parametrize(
    ("told", "address"),
    [
        ("Anna@Example.COM", "Anna@example.com"),
        (" anna+x@example.com ", "anna+x@example.com"),
        ("anna@żółw.pl", "anna@xn--w-uga1v8h.pl"),
        ("o'neil@example.co.uk", "o'neil@example.co.uk"),
        ("ż@example.com", None),
        ("a@b", None),
        ("a@b.c,d@e.f", None),
        ("<a@b.c>", None),
        ("a@b.c\n", "a@b.c"),
        ("a@b.c\nBcc: x@y.z", None),
        (".a@b.c", None),
        ("a..b@c.d", None),
        ("a@[127.0.0.1]", None),
        ('"a b"@c.d', None),
        ("a" * 65 + "@b.c", None),
        ("a@" + "b" * 64 + ".c", None),
        ("a@" + "b.c" * 100, None),
        ("", None),
        ("@", None),
    ],
)
def test_one_plain_address_or_none(told: str, address: str | None) -> None:
    assert email_address(told) == address


@given(anything)
def test_an_address_is_safe_to_put_into_a_header(value: str) -> None:
    address = email_address(value)
    if address is not None:
        assert address.isascii()
        assert not set(address) & set(' \t\r\n<>,;:"()[]\\\x00')
        assert address.count("@") == 1


def test_roles_bots_and_masks() -> None:
    assert is_role_address("INFO@example.com")
    assert is_role_address("no-reply+tag@example.com")
    assert not is_role_address("informatyk@example.com")
    assert is_bot_address("x@StorebotMail.joonix.net")
    assert mask_address("anna@example.com") == "a***@example.com"
    assert [duration(minutes) for minutes in (0, 45, 180, 3120)] == ["0 min", "45 min", "3 h", "2 d 4 h"]


@pytest.mark.parametrize(
    ("currency", "digits"),
    [("EUR", 2), ("PLN", 2), ("JPY", 0), ("KWD", 3), ("RSD", 2), ("ALL", 2), ("IQD", 3), ("LBP", 2), ("CLF", 4)],
)
def test_minor_units_are_those_of_iso_4217(currency: str, digits: int) -> None:
    assert is_currency(currency)
    assert digits_of(currency) == digits


@pytest.mark.parametrize(
    ("minor", "currency", "locale", "written"),
    [
        (0, "EUR", "en", "€0.00"),
        (-500, "EUR", "en", "-€5.00"),
        (123456, "RSD", "sr", "1.234,56 RSD"),
        (123456, "JPY", "ja", "￥123,456"),
        (123456, "KWD", "en", "KWD 123.456"),
        (99999, "PLN", "pl", "999,99 zł"),
        (10**15, "EUR", "en", "€10,000,000,000,000.00"),
        (100, "EUR", "xx", "€1.00"),
        (100, "EUR", "q", "€1.00"),
        (100, "EUR", "en_GB", "€1.00"),
    ],
)
def test_money_is_written_with_its_currencys_decimals(minor: int, currency: str, locale: str, written: str) -> None:
    assert format_money(minor, currency, locale).replace("\u00a0", " ") == written


@given(st.integers(1, 10**14))
def test_quantities_come_back(stored: int) -> None:
    assert to_quantity(Decimal(stored).scaleb(-4)) == stored


@pytest.mark.parametrize("wrong", ["0", "-1", "0.00001", "1E+20", "100000000000.1"])
def test_quantities_that_are_none(wrong: str) -> None:
    with pytest.raises(ValueError, match="above 0"):
        to_quantity(Decimal(wrong))


def test_quantities_have_no_needless_zeros() -> None:
    assert [format_quantity(n, "en") for n in (10_000, 15_000, 1, 10_000_000)] == ["1", "1.5", "0.0001", "1,000"]
    assert format_quantity(12_500, "pl") == "1,25"


@given(st.text(max_size=20))
def test_any_language_has_a_locale(tag: str) -> None:
    assert babel_locale(tag).language
