"""The message itself: its words say nothing they should not, and no text gets out of its place."""

import re
from dataclasses import replace
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import recovery
from recovery import brand
from recovery.brand import contrast
from recovery.emails import Links, render, render_copy, render_parts
from recovery.emails_look import Look
from recovery.store_settings import REASON_CODES, SettingRefused, StoreSettings, merge
from recovery.text import one_line
from tests.recovery.mail_examples import CODE, HOSTS, PRIVACY, full_letter, letter, line, product
from tests.shop import MORNING

FORBIDDEN = re.compile(
    r"\b(score|intent|abandon|track|watch|notic|behaviou?r|hesitat|price.?sensitiv|compar|trust|detect"
    r"|porzuc|śledz|zauważ|obserw|waha|porówn|wynik|punkt)",
    re.IGNORECASE,
)
EVIL = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</mj-text></mj-column><mj-raw><b>out</b></mj-raw>",
    "{{ 7 * 7 }} {% raw %} {total} %s",
    "<!-- <mj-include path='/etc/passwd' /> -->",
    "Bcc: x@evil.example.org\r\nX-Evil: 1",
    "a\u2028b\u2029c\x0bd\x85e",
    "&lt;b&gt; &amp; &nbsp;",
    "javascript:alert(1)",
    "\u202eevil\u202c",
    "😀" * 50,
    "=?utf-8?q?evil?=",
]


def parsed(raw: bytes) -> EmailMessage:
    message = BytesParser(policy=policy.SMTP).parsebytes(raw)
    assert isinstance(message, EmailMessage)
    assert message.defects == []
    return message


def text_of(message: EmailMessage, subtype: str) -> str:
    part = message.get_body((subtype,))
    assert part is not None
    content: str = part.get_content()
    return content


@pytest.mark.parametrize("form", ["informal", "formal"])
@pytest.mark.parametrize("language", ["en", "pl"])
@pytest.mark.parametrize("reason", REASON_CODES)
def test_no_word_names_a_reason_a_score_or_a_watcher(language: str, reason: str, form: str) -> None:
    for failed in (False, True):
        made = letter(language=language, reason=reason, form_of_address=form, cart={"payment_failed": failed})
        told = " ".join(str(word) for word in made.words.values())
        assert FORBIDDEN.search(told.replace("written_by", "")) is None, told
        assert "{" not in told
        assert 10 <= len(made.words["subject"]) <= 78
        # Only the shop can know of a failed payment, and then the text says so.
        assert (("did not go through" in told) or ("nie powiodła się" in told)) == failed


@pytest.mark.parametrize("reason", REASON_CODES)
def test_formal_polish_is_never_familiar(reason: str) -> None:
    html, text = render_parts(letter(language="pl", reason=reason, form_of_address="formal"))
    for part in (html, text):
        assert not re.search(r"\b(Tw[oó]j\w*|Ci|Cię|Tobie|Cześć|Wróć|Zapytaj)\b", part)


def test_polish_counts_as_poles_do() -> None:
    def intro(count: int) -> str:
        return str(letter(language="pl", lines=[line()] * count).words["intro"])

    assert "1 produkt." in intro(1)
    assert "3 produkty." in intro(3)
    assert "5 produktów." in intro(5)
    assert "22 produkty." in intro(22)


@pytest.mark.parametrize("language", ["de", "xx", "", "../../pyproject", "en-GB", "EN"])
def test_a_language_without_texts_is_english(language: str) -> None:
    assert letter(language=language or "q").words["greeting"] == "Hello,"


def test_the_message_is_whole() -> None:
    raw = render(letter(reply_to="help@example.com"))
    message = parsed(raw)
    assert message.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
    assert {part["Content-Transfer-Encoding"] for part in message.iter_parts()} == {"quoted-printable"}
    assert message["Message-ID"] == f"<{UUID(int=7)}@example.com>"
    assert message["List-Unsubscribe"] == "<https://c.example/u/U>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert (message["Reply-To"], message["To"]) == ("help@example.com", "anna@example.com")
    assert str(message["From"]) == "Tatra <shop@example.com>"
    assert message["Date"].datetime == MORNING
    assert max(len(row) for row in raw.split(b"\r\n")) <= 998
    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert raw.isascii()


@pytest.mark.parametrize("language", ["en", "pl"])
def test_both_parts_have_the_links_the_sum_and_who_writes(language: str) -> None:
    html, text = render_parts(letter(language=language, cart={"discount": 500, "shipping": 990}))
    for part in (html, text):
        for link in ("https://c.example/r/R", "https://c.example/a/A", "https://c.example/u/U"):
            assert part.count(link) == 1
        assert "459" in part
        assert "Long Street 1, 00-001 Warszawa" in part
        assert "Tatra" in part
    assert len(re.findall(r"<a [^>]*https://c\.example/r/R", html)) == 1


def test_without_the_assistant_nothing_speaks_of_it() -> None:
    made = letter(links=Links("https://c.example/r/R", None, "https://c.example/u/U"), assistant_link=False)
    for part in render_parts(made):
        assert "ssistant" not in part


def test_the_shops_copy_has_none_of_the_customers_links() -> None:
    message = parsed(render_copy(letter(), "https://c.example/admin"))
    assert message["Subject"].startswith("[Cartback] ")
    assert (message["To"], message["List-Unsubscribe"]) == ("owner@example.com", None)
    for part in ("plain", "html"):
        told = text_of(message, part)
        assert "https://c.example/admin" in told
        assert not re.search(r"c\.example/[rau]/", told)


@pytest.mark.parametrize("evil", EVIL)
def test_no_text_gets_out_of_its_place(evil: str) -> None:
    lines = [line(evil, options=[{"name": evil, "value": evil}])]
    raw = render(letter(shop=evil, lines=lines, sender_name=evil[:78], postal_address=evil))
    message = parsed(raw)
    assert {name.lower() for name in message} == {
        "from", "to", "subject", "date", "message-id", "list-unsubscribe", "list-unsubscribe-post", "mime-version",
        "content-type",
    }  # fmt: skip
    assert [address.addr_spec for address in message["From"].addresses] == ["shop@example.com"]
    html = text_of(message, "html")
    assert "<script" not in html
    assert "onerror=alert" not in re.sub(r"&[a-z#0-9]+;[^<]*", "", html)
    assert "<b>out</b>" not in html
    assert "49 " not in html
    assert "root:" not in html
    assert html.count("https://c.example/r/R") == 1


@settings(max_examples=60, database=None, deadline=None)
@given(st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=255))
def test_any_name_can_be_written(name: str) -> None:
    message = parsed(render(letter(lines=[line(name, options=[{"name": name[:64], "value": name}])])))
    assert text_of(message, "plain")
    assert "https://c.example/r/R" in text_of(message, "html")


def test_a_huge_cart_is_still_a_mail_that_is_shown_whole() -> None:
    """Gmail cuts what is longer than 102 kB, and the foot with it."""
    long = "“Ż<&>" * 51
    options = [{"name": long, "value": long}] * 50
    raw = render(letter(lines=[line(long, options=options, image_url="https://s.example/" + "x" * 2000)] * 500))
    html = text_of(parsed(raw), "html")
    assert len(html.encode()) < 102_000
    assert "and 492 more" in html


@pytest.mark.parametrize(
    ("currency", "digits", "total", "language", "written"),
    [
        ("EUR", 2, 123456, "en", "€1,234.56"),
        ("PLN", 2, 123456, "pl", "1 234,56 zł"),
        ("PLN", 2, 12345678, "pl", "123 456,78 zł"),
        ("JPY", 0, 123456, "en", "¥123,456"),
        ("KWD", 3, 123456, "en", "KWD 123.456"),
        ("RSD", 2, 123456, "en", "RSD 1,234.56"),
        ("EUR", 4, 1234567, "en", "€123.4567"),
    ],
)
def test_the_sum_is_written_as_people_write_it(
    currency: str, digits: int, total: int, language: str, written: str
) -> None:
    cart = {"currency": currency, "currency_digits": digits, "total": total}
    _, text = render_parts(letter(language=language, cart=cart, lines=[line(row_total=total)]))
    assert written in re.sub(r"[\u00a0\u202f]", " ", text)


PRESET: dict[str, Any] = {"steps": "recommended"}


@pytest.mark.parametrize("form", ["informal", "formal"])
@pytest.mark.parametrize("language", ["en", "pl"])
@pytest.mark.parametrize("step", [1, 2])
def test_later_messages_have_words_of_their_own_that_name_no_reason(language: str, form: str, step: int) -> None:
    told = letter(language=language, form_of_address=form, step=step, **PRESET).words
    first = letter(language=language, form_of_address=form, **PRESET).words
    assert told["subject"] != first["subject"]
    assert told["intro"] != first["intro"]
    text = " ".join(str(word) for word in told.values()).replace("written_by", "")
    assert FORBIDDEN.search(text) is None, text
    assert "{" not in text
    assert 10 <= len(told["subject"]) <= 78
    assert ("last" in told["subject"] or "statnia" in told["subject"]) == (step == 2)
    if language == "pl" and form == "formal":
        assert not re.search(r"\b(Tw[oó]j\w*|Ci|Cię|Tobie|Masz|Cześć)\b", text)


@pytest.mark.parametrize("step", [0, 1, 2])
def test_after_a_failed_payment_every_message_is_about_that(step: int) -> None:
    assert "did not go through" in letter(step=step, cart={"payment_failed": True}, **PRESET).words["intro"]


def test_which_words_a_message_has_can_be_chosen_and_has_a_default_by_its_place() -> None:
    def variants(steps: Any) -> list[str]:
        made = StoreSettings.model_validate({"steps": steps})
        return [made.variant_of(number) for number in range(len(made.steps))]

    assert variants("at_once") == ["reminder"]
    assert variants("recommended") == variants("long_decision") == ["reminder", "question", "last_call"]
    assert variants([{"delay_minutes": 0}, {"delay_minutes": 9}]) == ["reminder", "last_call"]
    own = [{"delay_minutes": 0, "variant": "question"}, {"delay_minutes": 9, "variant": "reminder"}]
    assert variants(own) == ["question", "reminder"]


def test_the_presets_are_those_that_are_told() -> None:
    def hours(name: str) -> list[float]:
        return [step.delay_minutes / 60 for step in StoreSettings.model_validate({"steps": name}).steps]

    assert hours("at_once") == [0]
    assert hours("recommended") == [4, 24, 72]
    assert hours("long_decision") == [24, 96, 240]
    assert StoreSettings().steps == StoreSettings.model_validate({"steps": "at_once"}).steps
    with pytest.raises(SettingRefused, match="steps: must be a list of messages or one of at_once, recommended"):
        merge({}, {"steps": "often"}, {})
    # The name is what is kept, so that a preset stays what it is called.
    assert merge({}, {"steps": "recommended"}, {})[0] == {"steps": "recommended"}


@pytest.mark.parametrize("evil", EVIL)
def test_no_word_of_a_model_gets_out_of_its_place(evil: str) -> None:
    """Its words are checked before; should one get here all the same, it is text and nothing else."""
    plain, told = letter(), one_line(evil)
    words = {"subject": told, "preheader": told, "intro": told, "bullets": [told, told], "closing": told}
    message = parsed(render(replace(plain, words=plain.words | words)))
    usual = set(re.findall(r"<(\w+)", text_of(parsed(render(plain)), "html")))
    html = text_of(message, "html")
    assert set(re.findall(r"<(\w+)", html)) - usual <= {"ul", "li"}
    assert "onerror=alert" not in re.sub(r"&[a-z#0-9]+;[^<]*", "", html)
    assert [address.addr_spec for address in message["To"].addresses] == ["anna@example.com"]
    assert {"bcc", "x-evil"}.isdisjoint(name.lower() for name in message)


def test_the_text_part_reads_like_a_letter() -> None:
    _, text = render_parts(full_letter("pl"))
    plain = re.sub(r"[\u00a0\u202f]", " ", text)
    for told in (
        "Ilość: 10,08 m², 1 279,15 zł\n",
        "Ilość: 1, 459,00 zł\n  Cena teraz: 479,00 zł\n",
        "Ilość: 1, 99,00 zł\n  Już niedostępny\n",
        "Wartość koszyka: 1 837,15 zł\nOd zapisania koszyka coś się zmieniło.",
        f"Kod: {CODE}\n",
        "Wróć do koszyka:\nhttps://c.example/r/R\n",
        f"Prywatność: {PRIVACY}\n",
    ):
        assert told in plain
    assert plain.endswith("\n\nPłytki i Spółka sp. z o.o., ul. Długa 1, 00-001 Warszawa\n")
    assert "\n\n\n" not in plain
    assert "<" not in plain


def test_a_line_that_is_as_it_was_says_nothing_more() -> None:
    there = Look(HOSTS, {"1": product("1", 45999)})
    for look in (there, Look(HOSTS)):
        for part in render_parts(letter(lines=[line(product_id="1", unit_price=45999)], look=look)):
            assert "Price now" not in part
            assert "Something has changed" not in part


def test_a_lower_price_is_told_as_the_price_and_never_as_a_drop() -> None:
    look = Look(HOSTS, {"1": product("1", 100, sold_by="m2")})
    html, text = render_parts(
        letter(lines=[line(product_id="1", unit_price=45999)], cart={"currency": "PLN"}, look=look)
    )
    for part in (html, text):
        assert "Price now: PLN\u00a01.00 / m²" in part
        assert "<s>" not in part
        assert "line-through" not in part
        assert not re.search(r"drop|lower|reduced|save\b", part, re.IGNORECASE)


def test_pictures_come_from_the_shops_hosts_only() -> None:
    lines = [line(image_url="https://s.example/a.png"), line(image_url="https://spy.example/b.png")]
    html, _ = render_parts(letter(lines=lines, logo_url="https://spy.example/logo.png"))
    assert "https://s.example/a.png" in html
    assert "spy.example" not in html
    html, _ = render_parts(letter(logo_url="https://s.example/logo.png"))
    assert 'src="https://s.example/logo.png" alt="Tatra"' in html


@pytest.mark.parametrize("color", ["#ffffff", "#000000", "#f4c20d", "#7a7a7a"])
def test_the_button_can_be_read_in_any_colour_of_a_shop(color: str) -> None:
    html, _ = render_parts(letter(brand_color=color))
    (ground,) = re.findall(r'<td[^>]* bgcolor="(#[0-9a-f]{6})"[^>]*>\s*<a href="https://c.example/r/R"', html)
    (text,) = re.findall(r'<a href="https://c.example/r/R"[^>]* style="[^"]*[;"]color:(#[0-9a-f]{6})', html)
    assert contrast(ground, text) >= 4.5


def test_without_a_colour_mails_look_like_the_pages() -> None:
    sheet = (Path(recovery.__file__).parent / "static" / "pages.css").read_text()
    light, dark = re.findall(r"--fill: (#\w+); --on-fill: (#\w+); --accent: (#\w+)", sheet)
    assert brand.of(None) == brand.Brand(brand.Accent(*light), brand.Accent(*dark))
    html, _ = render_parts(letter())
    assert light[0] in html
    assert dark[0] in html
