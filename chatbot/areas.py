"""From an area to packs and amounts, with the arithmetic shown."""

import math
import re
from decimal import Decimal

from chatbot.context import Item, Knowledge
from chatbot.passages import Product
from chatbot.texts import Texts
from chatbot.words import fold, overlap

WASTE = 10
#: Sides without a unit are metres only where no room is larger.
LARGEST_ROOM = 25
_NUMBER = r"(\d+(?:[.,]\d+)?)"
_SIDES = re.compile(
    rf"{_NUMBER}\s*(?:m|metres?|meters?|metr\w*)?\s*(?:x|×|by|na)\s*{_NUMBER}(\s*(?:m\b|met))?"
    r"(?!\s*(?:[cm]m\b|[\d.,x×]))",
    re.IGNORECASE,
)
_SQUARE = r"(?:m2|m²|m\^2|sqm|sq\.? ?m|square met\w+|metr\w* kwadrat\w*)"
_AREA = re.compile(rf"{_NUMBER}\s*{_SQUARE}", re.IGNORECASE)
_HOW_FAR = re.compile(rf"(?:how many|ile)\s*{_SQUARE}|how far|na ile|how much area", re.IGNORECASE)
_COUNTED = re.compile(
    r"(?:how many|how much|ile)\s+"
    r"(?:(?:packs?|bags?|boxes|buckets?|kg|litres?|l|paczek|opakowan|opakowań|workow|worków)\s+)?"
    r"(?:of\s+)?(.*?)(?:\b(?:for|do i|na|do|with|z|potrzeb\w*|in|per)\b|[?,.]|\d|$)",
    re.IGNORECASE,
)
_HOLDS = re.compile(rf"{_NUMBER}\s*(?:m²|m2)")
_RATE = re.compile(
    rf"{_NUMBER}\s*(kg|g|l|ml)?\s*(?:[a-ząćęłńóśźż]+\.?\s+)?(?:/|per|na)\s*(?:1\s*)?(?:m²|m2)", re.IGNORECASE
)
_CONTENT = re.compile(
    rf"(?<![\d.,×x/]){_NUMBER}\s*(kg|g|l|ml|pieces?|pcs|szt\w*|clips?|klips\w*)\b(?!\s*/)", re.IGNORECASE
)
_SHARE = re.compile(rf"{_NUMBER}\s*%")
_NO_WASTE = re.compile(r"without (?:waste|spare|reserve)|no waste|bez (?:zapasu|odpad)", re.IGNORECASE)


def area_asked(question: str) -> Decimal | None:
    """The area a question names, in m²; several rooms together."""
    found = [_number(one) * _number(other) for one, other, unit in _SIDES.findall(question) if _room(one, other, unit)]
    return sum(found, Decimal(0)) or next((_number(one) for one in _AREA.findall(question)), None)


def _room(one: str, other: str, unit: str) -> bool:
    return bool(unit) or max(_number(one), _number(other)) <= LARGEST_ROOM


def counted(question: str) -> str:
    """What is to be counted: "how many clips for 8 m² of tiles" counts clips."""
    found = _COUNTED.search(question)
    return found[1].strip() if found else ""


def area_said(question: str, product: Product, known: Knowledge, texts: Texts, *, room: Decimal | None = None) -> str:
    """How many packs, or how much, of a product an area takes; "" if the store's data do not say.

    ``room`` is the area where the question leaves it to an earlier one.
    """
    area = area_asked(question) or room
    item = product.item
    if not area:
        return _reach(question, item, known, texts)
    pack = pack_of(item)
    if pack:
        return _packs(area, pack, _waste(question), item, known, texts)
    stated = next(((name, value) for name, value in item.attributes if _RATE.search(value)), None)
    if stated is None:
        return ""
    rate = _RATE.search(_rate_for(question, stated[1], known))
    return _amount(area, rate, stated[1], item, texts) if rate else ""


def _rate_for(question: str, stated: str, known: Knowledge) -> str:
    """Of several rates the one whose condition the question names, else the one for what lies in the cart."""
    parts = [part for part in re.split(r",\s+|;", stated) if _RATE.search(part)]
    asked = fold(_AREA.sub("", question)).split()
    cart = [word for item in known.items for word in fold(f"{item.name} {' '.join(item.categories)}").split()]
    return max(parts, key=lambda part: (_spoken(asked, part), _spoken(cart, part))) if parts else stated


def _spoken(words: list[str], part: str) -> int:
    return overlap([word for word in words if len(word) > 1], _RATE.sub("", part))


def _amount(area: Decimal, rate: re.Match[str], stated: str, item: Item, texts: Texts) -> str:
    unit = rate[2] or texts.say("pieces")
    amount = area * _number(rate[1])
    values = {"area": _plain(area, texts), "rate": _plain(_number(rate[1]), texts), "unit": unit}
    said = texts.say("amount", name=item.called, amount=_plain(amount, texts), **values)
    content = _content(item, rate[2])
    if content:
        packs = math.ceil(amount / content)
        said += " " + texts.say(
            "amount_packs", amount=_plain(amount, texts), content=_plain(content, texts), unit=unit, packs=packs
        )
    return f"{said} {texts.quote(stated)}"


def _content(item: Item, unit: str | None) -> Decimal | None:
    """What one pack holds, in this unit, or in pieces."""
    stated = [item.name, *(value for _, value in item.attributes if not _RATE.search(value))]
    for text in stated:
        for number, found in _CONTENT.findall(text):
            pieces = found.lower() not in {"kg", "g", "l", "ml"}
            if (pieces and unit is None) or found.lower() == (unit or "").lower():
                return _number(number)
    return None


def _reach(question: str, item: Item, known: Knowledge, texts: Texts) -> str:
    """How far one pack goes, where that is asked."""
    stated = next((value for _, value in item.attributes if _RATE.search(value)), "")
    if not stated or not _HOW_FAR.search(question):
        return ""
    rate = _RATE.search(_rate_for(question, stated, known))
    content = _content(item, rate[2]) if rate else None
    if rate is None or content is None:
        return ""
    return texts.say(
        "reach", name=item.called, content=_plain(content, texts), unit=rate[2] or texts.say("pieces"),
        rate=_plain(_number(rate[1]), texts), area=_plain(round(content / _number(rate[1]), 1), texts),
    )  # fmt: skip


def _packs(area: Decimal, pack: Decimal, waste: Decimal, item: Item, known: Knowledge, texts: Texts) -> str:
    needed = area * (100 + waste) / 100
    packs = math.ceil(needed / pack)
    share = texts.say("area_waste", share=_plain(waste, texts)) if waste else ""
    said = texts.say(
        "area", name=item.called, area=_plain(area, texts), waste=share, needed=_plain(needed, texts),
        pack=_plain(pack, texts), packs=packs, covered=_plain(packs * pack, texts),
    )  # fmt: skip
    total = item.price * packs * pack
    if item.sold_by.lower() not in {"m2", "m²"} or total != total.to_integral_value():
        return said
    price = known.money(item.price, item.currency, item.digits)
    return f"{said} {texts.say('area_price', price=price, total=known.money(int(total), item.currency, item.digits))}"


def pack_of(item: Item) -> Decimal | None:
    """The area one pack of it covers; None where the store does not say."""
    if item.sold_by.lower() in {"m2", "m²"} and item.pack:
        return Decimal(item.pack) / 10_000
    holds = (_HOLDS.search(value) for name, value in item.attributes if not _RATE.search(value) and "/" not in value)
    found = next(filter(None, holds), None)
    return _number(found[1]) if found and item.sold_by == "piece" else None


def _waste(question: str) -> Decimal:
    if _NO_WASTE.search(question):
        return Decimal(0)
    share = _SHARE.search(question)
    return _number(share[1]) if share else Decimal(WASTE)


def _number(text: str) -> Decimal:
    return Decimal(text.replace(",", "."))


def _plain(number: Decimal, texts: Texts) -> str:
    said = f"{number:.3f}".rstrip("0").rstrip(".")
    return said.replace(".", ",") if texts.language == "pl" else said
