"""The release of text: sentences as they end, parts of long ones, nothing taken back, in whatever pieces."""

import time
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chatbot.release import PART, Release
from chatbot.splitting import LIMIT
from chatbot.texts import load_texts
from recovery.claims import unbacked
from recovery.facts import typed_facts
from tests.chatbot.demo_knowledge import demo_knowledge
from tests.chatbot.honest import HONEST
from tests.chatbot.injections import cases

FACTS = typed_facts(demo_knowledge("en"))
TEXTS = load_texts().of("en")
NEUTRAL = TEXTS.say("withheld")
SAID = [*HONEST["en"], *(case.says for case in cases() if case.language == "en")]
GLUE = [" ", "\n", "", "\n\n", " “", "” ", " [[p:1]] ", "…", "\u200d", " 👩‍🔧 ", "**", " [", "<b"]


def new() -> Release:
    return Release(FACTS, TEXTS)


def shown(text: str, size: int = 5) -> str:
    release = new()
    return "".join(release.push(text[at : at + size], 0.0) for at in range(0, len(text), size)) + release.end(
        whole=True
    )


@st.composite
def texts_in_pieces(draw: st.DrawFn) -> tuple[str, list[str]]:
    parts = draw(st.lists(st.one_of(st.sampled_from(SAID), st.sampled_from(GLUE), st.text(max_size=30)), max_size=8))
    text = draw(st.sampled_from(GLUE[:4])).join(parts)
    cuts = sorted(draw(st.lists(st.integers(0, len(text)), max_size=30)))
    return text, [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(texts_in_pieces())
def test_pieces_do_not_matter(made: tuple[str, list[str]]) -> None:
    text, pieces = made
    release, whole = new(), new()
    cut = "".join(release.push(piece, 0.0) for piece in pieces) + release.end(whole=True)
    assert cut == whole.push(text, 0.0) + whole.end(whole=True)
    assert release.withheld == whole.withheld
    assert release.placeholders == whole.placeholders


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(texts_in_pieces())
def test_what_is_shown_would_be_shown_again(made: tuple[str, list[str]]) -> None:
    first = shown(made[0])
    release = new()
    release.push(first, 0.0)
    release.end(whole=True)
    assert release.withheld == []


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(texts_in_pieces(), st.lists(st.booleans(), min_size=40, max_size=40))
def test_lateness_lets_no_claim_through(made: tuple[str, list[str]], late: list[bool]) -> None:
    release, now, out = new(), 0.0, ""
    for piece, waits in zip(made[1], late, strict=False):
        out += release.push(piece, now)
        now += 3.0 * waits
        out += release.late(now)
    out += release.end(whole=True)
    again = new()
    again.push(out, 0.0)
    again.end(whole=True)
    assert again.withheld == []


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("Take a fleece, e.g. the warm one. Then go.", ["Take a fleece, e.g. the warm one.", " Then go."]),
        ("It weighs approx. 310 g. Light.", ["It weighs approx. 310 g.", " Light."]),
        ("Weź polar, np. ten ciepły. Dobrze.", ["Weź polar, np. ten ciepły.", " Dobrze."]),
        ("Wait … it fits. Good", ["Wait …", " it fits.", " Good"]),
        ("- One\n- Two\n\nThree", ["- One", "\n- Two", "\n\nThree"]),
        ("1. Wash it.\n2. Dry it.", ["1. Wash it.", "\n2. Dry it."]),
    ],
)
def test_sentences_end_where_they_end(text: str, parts: list[str]) -> None:
    release = new()
    out = [release.push(char, 0.0) for char in text] + [release.end(whole=True)]
    assert [part for part in out if part] == parts


def test_a_sentence_is_shown_once_it_is_complete() -> None:
    release = new()
    assert release.push("The hood fits over a helmet.", 0.0) == ""
    assert release.push(" ", 0.1) == "The hood fits over a helmet."


def test_a_long_harmless_sentence_is_shown_in_parts() -> None:
    release, words = new(), "it keeps out the wind and sheds the rain and "
    first = release.push(words * 6, 0.0)
    assert first
    assert (first + release.push(words, 0.1) + release.end(whole=True)) == (words * 7).strip()


def test_time_alone_shows_what_is_harmless_and_holds_what_may_be_a_claim() -> None:
    release = new()
    assert release.push("The hood fits over a hel", 1.0) == ""
    assert release.due_at() == 3.0
    assert release.late(2.9) == ""
    assert release.late(3.0) == "The hood fits over a"
    assert release.push("met. The price of it is ", 3.1) == " helmet."
    assert release.late(9.0) == ""
    assert release.due_at() is None


def test_a_claim_split_over_pieces_and_sentences_is_withheld() -> None:
    assert shown("You get twen" + "ty percent.") == NEUTRAL
    assert "5" not in shown("The price is. 5. euros")
    assert "5" not in shown("It costs\n5 €")


def test_the_neutral_sentence_is_said_once_in_a_row() -> None:
    release = new()
    out = release.push("It is free. It is half price. Wash at 30 °C. It is free. ", 0.0)
    assert out == f"{NEUTRAL} Wash at 30 °C. {NEUTRAL}"
    assert [(one.kind, one.sentence) for one in release.withheld] == [
        ("free", "It is free."), ("comparison", "It is half price."), ("free", "It is free."),
    ]  # fmt: skip


def test_the_neutral_sentences_claim_nothing() -> None:
    for language in ("en", "pl"):
        assert unbacked(load_texts().of(language).say("withheld"), "", FACTS) == []


def test_placeholders_are_taken_out_and_unknown_ones_dropped() -> None:
    release = new()
    text = "This one fits. [[p:1]] [[p:999]] [[x]] Go on. [[cart]][[coupon]]"
    out = "".join(release.push(char, 0.0) for char in text) + release.end(whole=True)
    assert out == "This one fits. Go on."
    assert [one.kind for one in release.placeholders] == ["product", "cart", "coupon"]
    assert release.placeholders[0].item == FACTS.placed(1)


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("**Bold** and `plain` and _this_.", "Bold and plain and this."),
        ("# Heading", "Heading"),
        ("See [the jacket](https://evil.example/a).", "See the jacket."),
        ("![pixel](https://evil.example/a.png)Nice.", "Nice."),
        ("<b>Warm</b> and dry.", "Warm and dry."),
        ("War\u200bm\u202e and\u00ad dry.", "Warm and dry."),
        ("Ask 👩‍🔧 or 🇵🇱 or ❤️.", "Ask 👩‍🔧 or 🇵🇱 or ❤️."),
        ("Go to https://evil.example now.", NEUTRAL),
        ("Go to evil.example/pay now.", NEUTRAL),
        ("Write to a@b.example.", NEUTRAL),
        ("Call +48 600 700 800.", NEUTRAL),
    ],
)
def test_model_text_is_made_plain(text: str, seen: str) -> None:
    assert shown(text, 1) == seen


def test_an_answer_that_was_cut_off_shows_no_beginning_of_a_claim() -> None:
    for rest, seen in (("It also costs", ""), ("It also keeps", " It also keeps")):
        release = new()
        release.push(f"It is warm. {rest}", 0.0)
        assert release.end(whole=False) == seen


def test_a_sentence_without_end_is_bounded() -> None:
    release = new()
    for _ in range(40):
        release.push("9" * 1000, 0.0)
    assert len(release.withheld) == 40_000 // LIMIT


HOSTILE = [
    "a.a.a.",
    "1 a ",
    "1-",
    "“a. ",
    "a",
    "a b ",
    "[[",
    "<a ",
    "1 ",
    "! ",
    "no ",
    '"',
    "a.",
    "€",
    "f.r.e.e.",
    "(+1 ",
]


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_text_takes_time_in_proportion(hostile: str) -> None:
    def seconds(size: int) -> float:
        text, started = (hostile * size)[:size], time.process_time()
        shown(text, 50)
        return time.process_time() - started

    # Four times the text may take four times as long, and something for a machine that is busy; not sixteen times.
    assert seconds(8_000) < 9 * max(seconds(2_000), 0.05)


def test_a_piece_costs_little() -> None:
    """Aimed at 30 µs a token; the limit leaves room for slow machines."""
    text = " ".join(HONEST["en"] * 3)
    pieces = [text[at : at + 4] for at in range(0, len(text), 4)]
    release, started = new(), time.process_time()
    for piece in pieces:
        release.push(piece, 0.0)
    each = (time.process_time() - started) / len(pieces) * 1e6
    assert each < 300, f"{each:.0f} µs a piece"


def test_a_hundred_kilobytes_of_hostile_text_are_read_in_pieces_of_any_size() -> None:
    text = "".join((hostile * 8_000)[:8_000] for hostile in HOSTILE)
    started = time.process_time()
    out = shown(text, 700)
    assert len(text) > 100_000
    assert len(out) <= len(text) + len(NEUTRAL)
    assert time.process_time() - started < 25


def test_a_range_without_end_is_no_range() -> None:
    for joiner in ("-", " a ", " or "):
        assert shown(joiner.join(["1"] * 4_000)) == NEUTRAL


@pytest.mark.parametrize("text", ["a", "9", "👩‍🔧", "no "])
def test_a_text_that_ends_at_the_limit_is_held_until_it_goes_on(text: str) -> None:
    for size in (PART, LIMIT):
        whole = (text * size)[: size - 1] + "9"
        release = new()
        cut = "".join(release.push(char, 0.0) for char in whole + "9.") + release.end(whole=True)
        assert cut == shown(whole + "9.", 10_000)


def test_signs_of_several_code_points_stay_whole_in_a_text_without_end() -> None:
    for sign in ("👩‍🔧", "👍🏽", "❤️"):
        assert shown(sign * 9_000, 1_000) == sign * 9_000


def test_the_stores_own_contact_may_be_told_and_no_other() -> None:
    facts = typed_facts(replace(demo_knowledge("en"), contact_url="https://hala.example/contact"))
    for address, told in (("https://hala.example/contact", True), ("https://hala.example.evil.example/contact", False)):
        release = Release(facts, TEXTS)
        out = release.push(f"A person answers at {address} soon.", 0.0) + release.end(whole=True)
        assert (address in out) is told
