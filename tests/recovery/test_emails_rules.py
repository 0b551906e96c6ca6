"""What a model may not write in a mail: honest drafts pass, and each rule stops what breaks it, wherever it stands."""

from typing import Any

import pytest

from recovery.emails_model import _THEMES
from recovery.language import Texts
from recovery.store_settings import REASON_CODES
from tests.recovery.mail_drafts import BROKEN, HONEST, verdict

#: Honest drafts that the gate's caution puts aside: "where you left off" before "Your", "kept safe".
TOO_CAREFUL = {"Pick up where you left off", "Your rain jacket is still here"}
#: What a broken rule is called by ``Fault.rule``, where that is not the name in the file.
CALLED = {"claim": "unbacked claim", "language": "not in the store's language"}
KINDS = [(kind, rule) for kind, rules in BROKEN.items() for rule in rules]


@pytest.mark.parametrize("kind", HONEST)
def test_honest_drafts_pass(kind: str) -> None:
    found = {draft["subject"]: verdict(kind, draft) for draft in HONEST[kind]}
    refused = {subject: str(fault) for subject, fault in found.items() if fault is not None}
    assert set(refused) == TOO_CAREFUL & set(found), refused


@pytest.mark.parametrize(("kind", "rule"), KINDS)
def test_each_rule_stops_what_breaks_it(kind: str, rule: str) -> None:
    draft = HONEST[kind][0]
    for text in BROKEN[kind][rule]:
        alone = rule in {"language", "greeting"}
        fault = verdict(kind, draft | {"intro": text if alone else f"{draft['intro']} {text}"})
        assert fault is not None, text
        assert (fault.place, CALLED.get(rule, rule) in fault.rule) == ("intro", True), (text, fault)


@pytest.mark.parametrize("place", ["subject", "preheader", "bullets", "closing"])
def test_a_rule_holds_in_every_place(place: str) -> None:
    for kind, rules in BROKEN.items():
        for rule, texts in rules.items():
            if rule == "language":  # a short text says too little of its language
                continue
            text = texts[0]
            fault = verdict(kind, HONEST[kind][0] | {place: [text] if place == "bullets" else text})
            assert fault is not None, (kind, rule, text)
            assert fault.place == place.rstrip("s"), (kind, rule, text, fault)


SHAPES: dict[str, dict[str, Any]] = {
    "a long subject": {"subject": "Your cart at Tatra is kept for you " * 3},
    "a long intro": {"intro": "your cart at Tatra is kept for you. " * 20},
    "four bullets": {"bullets": ["Taped seams", "Soft wool", "A hood", "Three pockets"]},
    "a long bullet": {"bullets": ["Soft wool " * 20]},
    "no subject": {"subject": " \u200b"},
    "no intro": {"intro": ""},
    "a tag": {"intro": "your cart is <b>kept</b> for you and it is yours."},
    "an entity": {"intro": "your cart is kept &lt;here&gt; for you and it is yours."},
    "a link": {"intro": "your cart is kept [here](https://evil.example) for you and it is yours."},
    "a placeholder": {"intro": "your cart is kept for you, {first_name}, and it is yours."},
    "a card": {"intro": "your cart is kept for you [[p:1]] and it is yours."},
}


@pytest.mark.parametrize("name", SHAPES)
def test_a_draft_of_another_shape_is_put_aside(name: str) -> None:
    assert verdict("en", HONEST["en"][0]) is None
    assert verdict("en", HONEST["en"][0] | SHAPES[name]) is not None


def test_what_only_decorates_is_taken_off() -> None:
    draft = HONEST["en"][0]
    assert verdict("en", draft | {"intro": f"**{draft['intro']}**\n", "bullets": ["- Soft *merino* wool"]}) is None


def test_the_stores_own_name_is_no_claim_and_no_address() -> None:
    draft = {name: text.replace("Tatra", "Outlet24.pl") if isinstance(text, str) else text
             for name, text in HONEST["en"][0].items()}  # fmt: skip
    assert verdict("en", draft) is not None
    assert verdict("en", draft, name="Outlet24.pl") is None


def test_every_reason_has_a_theme_that_does_not_name_it() -> None:
    assert set(_THEMES) == set(REASON_CODES)
    assert [code for code, theme in _THEMES.items() if code != "other" and code.replace("_", " ") in theme] == []


@pytest.mark.parametrize(("kind", "formal"), [("en", False), ("pl", False), ("pl_formal", True)])
def test_the_ready_made_words_keep_the_manners_too(kind: str, formal: bool) -> None:
    """The same rules on what is sent when a draft is put aside: nothing watched, no reason, no gender."""
    texts = Texts(kind[:2], formal=formal)
    values = {"shop": "Tatra", "products": texts.count("products", 3), "total": "258"}
    for code in REASON_CODES:
        if code == "technical_error":  # says that a payment failed, which the shop knows and the customer too
            continue
        intro = texts.get("intro", code, **values)
        fault = verdict(kind, HONEST[kind][0] | {"intro": intro, "bullets": []})
        assert fault is None or fault.rule.startswith("unbacked claim"), (code, str(fault))
