"""The store's own words for an answer: verbatim sentences of policies and products, and its typed facts in a sentence.

A sentence of a product's text that speaks of money is never quoted: nothing backs it.
"""

import re
from typing import Any

from chatbot.context import Item, Knowledge, PolicyText
from chatbot.texts import Texts
from chatbot.words import content, fold, hits, numbers, overlap, sentences

MAX_QUOTE = 360
_MONEY = re.compile(r"[€$£¥₽]|\b(?:eur|usd|gbp|pln|czk|zł|kč)\b", re.IGNORECASE)


def policy_said(kind: str, question: str, known: Knowledge, texts: Texts, already: str = "") -> str:
    """What the store writes about a topic: the sentences that fit the question, or the first ones; "" if nothing."""
    policies = [policy for policy in known.of_kind(kind) if policy.text]
    if not policies:
        return ""
    asked = content(fold(question), texts.stopwords)
    policy = max(policies, key=lambda one: overlap(asked, f"{one.title} {one.text}"))
    chosen = _fitting(policy, asked, set(numbers(already)))
    if not chosen:
        return ""
    return f"{texts.say('says_policy', title=policy.title)} {texts.quote(chosen)}"


def _fitting(policy: PolicyText, asked: list[str], known_numbers: set[str]) -> str:
    parts = sentences(policy.text)
    # A sentence whose numbers have all been said needs no second saying.
    fresh = [part for part in parts if not numbers(part) or set(numbers(part)) - known_numbers]
    ranked = sorted(fresh, key=lambda part: (-2 * overlap(asked, part) - bool(numbers(part)), parts.index(part)))
    chosen: list[str] = []
    for part in ranked:
        if sum(map(len, chosen)) + len(part) <= MAX_QUOTE:
            chosen.append(part)
    return " ".join(part for part in parts if part in chosen)


def facts_said(kind: str, known: Knowledge, texts: Texts) -> str:
    """The typed facts of a topic, one sentence each."""
    said = []
    for policy in known.of_kind(kind):
        said += [_fact(fact, known, texts) for fact in policy.facts if "delivery_days" not in fact["name"]]
        said += _days(policy.facts, texts)
    return " ".join(filter(None, said))


def _fact(fact: dict[str, Any], known: Knowledge, texts: Texts) -> str:
    if fact["name"] not in texts.phrases:
        return ""
    currency = fact.get("currency")
    amount = known.money(fact["amount"], currency) if currency else str(fact["amount"])
    return texts.say(fact["name"], amount=amount, condition=_condition(fact, texts))


def _days(facts: tuple[dict[str, Any], ...], texts: Texts) -> list[str]:
    low = next((fact for fact in facts if fact["name"] == "delivery_days_min"), None)
    high = next((fact for fact in facts if fact["name"] == "delivery_days_max"), None)
    if high is None:
        return []
    condition = _condition(high, texts)
    if low is None or low["amount"] >= high["amount"]:
        return [texts.say("delivery_days_max", high=high["amount"], condition=condition)]
    return [texts.say("delivery_days", low=low["amount"], high=high["amount"], condition=condition)]


def _condition(fact: dict[str, Any], texts: Texts) -> str:
    return texts.say("condition", text=fact["condition"]) if fact.get("condition") else ""


def texts_within(lines: list[str], between: str = " · ", most: int = MAX_QUOTE) -> str:
    """As many lines as go into a quote."""
    chosen: list[str] = []
    for line in lines:
        if len(between.join([*chosen, line])) <= most:
            chosen.append(line)
    return between.join(chosen) or lines[0][: most - 1] + "…"


def describe(question: str, about: list[Item], texts: Texts, *, loose: bool = False, certain: bool = False) -> str:
    """What the store says of a product that answers the question; "" when nothing does.

    Most words of the question must occur; ``loose``: one is enough; ``certain``: two in the store's own wording.
    """
    folded = fold(question)
    for phrase, meaning in texts.aliases.items():
        folded = f" {folded} ".replace(f" {phrase} ", f" {meaning} ").strip()
    asked = content(folded, texts.stopwords)
    for item in about:
        # A word of the product's own name says which product is meant, not what is asked about it.
        words = [word for word in asked if not overlap([word], item.name)]
        chosen = _best(_quotable(item, texts), words, texts)
        found = [word for word in words if any(_score(one, [word], texts) for one in chosen)]
        enough = bool(found) if loose else 2 * len(found) > len(words)
        if certain:
            enough = enough and sum(overlap([word], " ".join(chosen)) for word in words) >= 2
        if chosen and enough:
            return _said(item, chosen, texts)
    return ""


def summary(about: list[Item], texts: Texts) -> str:
    """What the store says of the first product in short."""
    for item in about[:1]:
        quotable = _quotable(item, texts)
        chosen = [one for one in sentences(item.short_description or item.description) if one in quotable][:2]
        return _said(item, chosen, texts) if chosen else ""
    return ""


def _said(item: Item, chosen: list[str], texts: Texts) -> str:
    return f"{texts.say('says_product', name=item.called)} {texts.quote(texts_within(chosen))}"


def _quotable(item: Item, texts: Texts) -> list[str]:
    snippets = [f"{name}: {value}" for name, value in item.attributes]
    snippets += sentences(item.short_description) + sentences(item.description)
    return [one for one in snippets if not _MONEY.search(one) and not hits(fold(one), texts.keywords["money_claim"])]


def _best(snippets: list[str], words: list[str], texts: Texts) -> list[str]:
    scored = [(_score(one, words, texts), one) for one in snippets]
    best = max((score for score, _ in scored), default=0)
    # The best two, and of the second only what fits nearly as well.
    fitting = sorted((pair for pair in scored if pair[0] and pair[0] >= best - 1), key=lambda pair: -pair[0])
    return [one for _, one in fitting[:2]]


def _score(snippet: str, words: list[str], texts: Texts) -> int:
    """Per word: two where it occurs, one where a word of its meaning does, one more where that names an attribute."""
    name = snippet.partition(": ")[0] if ": " in snippet else ""
    score = 0
    for word in words:
        alike = next((group for group in texts.synonyms if overlap([word], " ".join(group))), [])
        if overlap([word], snippet):
            score += 2
        elif alike and overlap(alike, snippet):
            score += 1
        else:
            continue
        score += bool(name) and overlap([word, *alike], name) > 0
    return score
