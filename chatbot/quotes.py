"""The store's own words for an answer: verbatim sentences of policies and products, and its typed facts in a sentence.

A sentence of a product's text that speaks of money is never quoted: nothing backs it.
"""

import re
from typing import Any

from chatbot.context import Item, Knowledge, PolicyText
from chatbot.texts import Texts
from chatbot.words import content, fold, hits, numbers, overlap, ranges, sentences

MAX_QUOTE = 360
_MONEY = re.compile(r"[€$£¥₽]|\b(?:eur|usd|gbp|pln|czk|zł|kč)\b", re.IGNORECASE)
_SIZE = re.compile(r"\b(?:[XS]{0,4}[SML]|X{1,4}L|\d{2}(?:/\d{2})?)\b")


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


def size_said(question: str, about: list[Item], known: Knowledge, texts: Texts) -> str:
    """The size guide for what the question is about: the lines for the size or measure asked for, else all that fit."""
    for item in about:
        guide = _guide_for(item, known)
        if guide is None:
            continue
        lines = sentences(guide.text)
        wanted = _lines_wanted(question, lines) or [line for line in lines if ranges(line)] or lines
        chosen = "\n".join(_within(wanted))
        return f"{item.called}. {texts.say('says_size', title=guide.title)}\n{texts.quote(chosen)}"
    return ""


def _guide_for(item: Item, known: Knowledge) -> PolicyText | None:
    guides = known.of_kind("size_guide")
    named = [guide for guide in guides if any(fold(name) in fold(guide.text) for name in _names(item))]
    if named:
        return named[0]
    # Where guides say what they are for, one that does not name the product is for another.
    if any(fold(one.called) in fold(guide.text) for guide in guides for one in known.everything):
        return None
    words = content(fold(f"{item.name} {' '.join(item.categories)}"), frozenset())
    fitting = [guide for guide in guides if overlap(words, f"{guide.title} {guide.text}")]
    return fitting[0] if fitting else None


def _names(item: Item) -> list[str]:
    # A variant is called "Rain jacket, Moss, M" where its guide says "Rain jacket".
    return [item.name, item.name.partition(",")[0]]


def _lines_wanted(question: str, lines: list[str]) -> list[str]:
    asked = [int(number) for number in re.findall(r"\d{2,3}", question)]
    by_measure = [line for line in lines if any(low <= one <= high for low, high in ranges(line) for one in asked)]
    if by_measure:
        return by_measure
    sizes = set(_SIZE.findall(question))
    return [line for line in lines if sizes & set(_SIZE.findall(line.partition(",")[0]))]


def _within(lines: list[str]) -> list[str]:
    chosen: list[str] = []
    for line in lines:
        if sum(map(len, chosen)) + len(line) > MAX_QUOTE:
            break
        chosen.append(line)
    return chosen


def range_said(measures: list[str], item: Item, texts: Texts) -> str:
    """Whether a measure lies within a range that the product names in centimetres; "" where it names none."""
    spans = [f"{name}: {value}" for name, value in item.attributes] + sentences(item.description)
    for text in spans:
        found = ranges(text) if "cm" in fold(text).split() or text.endswith("cm") else []
        for low, high in found:
            near = [number for number in measures if low - (high - low) <= int(number) <= high + (high - low)]
            if near:
                phrase = "within" if low <= int(near[0]) <= high else "outside"
                return texts.say(phrase, name=item.called, measure=near[0], unit="cm", text=text)
    return ""


def texts_within(lines: list[str], between: str = " · ", most: int = MAX_QUOTE) -> str:
    """As many lines as go into a quote."""
    chosen: list[str] = []
    for line in lines:
        if len(between.join([*chosen, line])) <= most:
            chosen.append(line)
    return between.join(chosen) or lines[0][: most - 1] + "…"


def of_size(question: str, items: list[Item]) -> list[Item]:
    """The variants of the size a question names."""
    sizes = set(_SIZE.findall(question))
    return [item for item in items if sizes & {part.strip() for part in item.name.split(",")[1:]}]


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
    return f"{texts.say('says_product', name=item.called)} {texts.quote(' · '.join(_within(chosen)))}"


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
