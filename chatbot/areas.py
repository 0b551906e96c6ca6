"""From an area to packs and amounts, with the arithmetic shown."""

import math
import re
from decimal import Decimal

from chatbot.context import Item, Knowledge
from chatbot.passages import Product
from chatbot.texts import Texts

WASTE = 10
_NUMBER = r"(\d+(?:[.,]\d+)?)"
_SIDES = re.compile(rf"{_NUMBER}\s*(?:m|metres?|meters?)?\s*(?:x|×|by|na)\s*{_NUMBER}\s*(?:m\b|met)", re.IGNORECASE)
_AREA = re.compile(rf"{_NUMBER}\s*(?:m2|m²|m\^2|sqm|sq\.? ?m|square met\w+|metr\w* kwadrat\w*)", re.IGNORECASE)
_HOLDS = re.compile(rf"{_NUMBER}\s*(?:m²|m2)")
_RATE = re.compile(rf"{_NUMBER}\s*(kg|g|l|ml)\s*(?:/|per|na)\s*(?:m²|m2)")
_SHARE = re.compile(rf"{_NUMBER}\s*%")
_NO_WASTE = re.compile(r"without (?:waste|spare|reserve)|no waste|bez (?:zapasu|odpad)", re.IGNORECASE)


def area_asked(question: str) -> Decimal | None:
    """The area a question names, in m²."""
    sides, area = _SIDES.search(question), _AREA.search(question)
    if sides:
        return _number(sides[1]) * _number(sides[2])
    return _number(area[1]) if area else None


def area_said(question: str, product: Product, known: Knowledge, texts: Texts) -> str:
    """How many packs, or how much, of a product the area asked about takes; "" if the store's data do not say."""
    area = area_asked(question)
    if not area:
        return ""
    item = product.item
    pack = _pack(item)
    if pack:
        return _packs(area, pack, _waste(question), item, known, texts)
    rates = [_RATE.search(value) for _, value in item.attributes]
    rate = next(filter(None, rates), None)
    if rate is None:
        return ""
    amount = _plain(area * _number(rate[1]), texts)
    values = {"area": _plain(area, texts), "rate": _plain(_number(rate[1]), texts), "unit": rate[2], "amount": amount}
    whole = next(value for _, value in item.attributes if _RATE.search(value))
    return f"{texts.say('amount', name=item.called, **values)} {texts.quote(whole)}"


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


def _pack(item: Item) -> Decimal | None:
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
