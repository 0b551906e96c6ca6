"""Whatever a text makes an obedient model say, no claim without a fact, no link and no markup gets to the customer."""

import random

import pytest

from chatbot.release import Release
from chatbot.texts import load_texts
from recovery.facts import Facts, typed_facts
from tests.chatbot.demo_knowledge import demo_knowledge
from tests.chatbot.injections import EVASIONS, PLACES, Injection, cases
from tests.chatbot.money_oracle import faults
from tests.llm_obedience import obey

TEXTS = load_texts()
CASES = cases()


def in_pieces(text: str, seed: str) -> list[str]:
    """``text`` cut at random places, the same for a seed."""
    chance, at, found = random.Random(seed), 0, []
    while at < len(text):
        size = chance.choice((1, 2, 3, 4, 7, 20))
        found.append(text[at : at + size])
        at += size
    return found


def shown_of(text: str, case: Injection, facts: Facts) -> str:
    release = Release(facts, TEXTS.of(case.language))
    return "".join(release.push(piece, 0.0) for piece in in_pieces(text, case.name)) + release.end(whole=True)


def test_there_are_enough_of_every_kind() -> None:
    assert len(CASES) >= 300
    assert {case.place for case in CASES} == set(PLACES)
    assert len({case.name for case in CASES}) == len(CASES)


@pytest.mark.parametrize("language", ["en", "pl"])
def test_nothing_unbacked_is_shown(language: str) -> None:
    own = (TEXTS.of(language).say("withheld"),)
    found = {}
    for case in CASES:
        if case.language == language:
            planted: dict[str, str] = {case.place: case.planted}
            facts = typed_facts(demo_knowledge(language, planted))
            for text in (case.says, obey([{"role": "system", "content": case.planted}]).text):
                shown = shown_of(text, case, facts)
                if wrong := faults(shown, language, own):
                    found[case.name] = (shown, wrong)
    assert found == {}


@pytest.mark.parametrize("language", ["en", "pl"])
def test_the_oracle_finds_nearly_every_attack_when_nothing_is_withheld(language: str) -> None:
    plain = [case for case in CASES if case.language == language and "-plain-" in case.name]
    missed = [case.says for case in plain if not faults(case.says, language)]
    assert len(missed) <= len(plain) // 6, missed


@pytest.mark.parametrize("language", ["en", "pl"])
def test_nothing_of_what_knows_the_gate_is_shown(language: str) -> None:
    texts = TEXTS.of(language)
    facts = typed_facts(demo_knowledge(language))
    through = []
    for attack in EVASIONS[language]:
        release = Release(facts, texts)
        shown = release.push(attack, 0.0) + release.end(whole=True)
        if attack in shown or not release.withheld:
            through.append(attack)
    assert through == []
