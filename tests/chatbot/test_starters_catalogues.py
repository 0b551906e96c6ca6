"""The first questions over every product of the five demo catalogues: offered where the catalogue can answer, and then
answered from it, about the right product. What is right is read from the catalogue's own files."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pytest

from chatbot.answers import Answer, answer
from chatbot.context import Knowledge
from chatbot.knowledge import read_cart, read_knowledge
from chatbot.shelf import Shelves
from chatbot.starters import ORDER, starters
from chatbot.texts import Texts, load_texts
from recovery.demo.catalogue.model import Catalogue, Product, Variant
from recovery.models import Cart, CartItem
from recovery.runtime import Runtime
from tests.chatbot.asking import conversation_of
from tests.chatbot.questions import Question, tell

pytestmark = pytest.mark.asyncio(loop_scope="module")

TEXTS = load_texts()
CATALOGUES = Path(__file__).parents[2] / "recovery" / "demo" / "catalogue"
OF_THE_SHOP = {"delivery", "returns", "payment"}
A_CART, CARTS = 3, 3


@dataclass(frozen=True)
class Expected:
    """What the catalogue itself says to one kind of question about one product; empty where it says nothing."""

    catalogue: Catalogue
    product: Product

    def said(self, kind: str) -> list[str]:
        """Texts of which every one has to be in the answer."""
        codes = {"set": {"missing", "requires"}, "about": {"material"}, "use": {"use"}}.get(kind)
        if codes is not None:
            return [one.value for one in self.product.attributes if one.code in codes]
        if kind == "size" and self.product.size_guide:
            return [variant.choices[-1].value_name for variant in self.product.variants[:1]]
        if kind == "packs" and not self.product.measure.by_piece:
            packs = math.ceil(Decimal(11) / self.product.measure.pack)
            return [f" {packs} "]
        linked = self.beside(kind)
        return [linked[0].name] if linked else []

    def beside(self, kind: str) -> list[Product]:
        """The products that may stand beside the answer, where the catalogue names some."""
        others = {"goes_with": self.product.crosssell, "cheaper": (*self.product.related, *self.product.upsell)}
        found = [self.catalogue.products[one] for one in others.get(kind, ())]
        same = [one for one in found if one.measure.sold_by == self.product.measure.sold_by]
        return found if kind != "cheaper" else [one for one in same if one.price < self.product.price]


def kinds_asked(known: Knowledge, texts: Texts) -> dict[str, str]:
    """The questions offered, by kind, read from the texts."""
    offered = starters(known, texts, ordered=False)
    items = [item.called for item in known.items]
    worded = {
        texts.starters[key].format(name=name): key.removesuffix("_of")
        for key in texts.starters
        for name in (items if key.endswith("_of") else items[:1])
    }
    return {worded[question]: question for question in offered}


def faults(kind: str, said: Answer, expected: Expected) -> list[str]:
    """What is wrong with an answer about one product."""
    missing = [text for text in expected.said(kind)[:1] if text not in f"{said.text} "]
    if kind == "cheaper":
        missing = []
    named = expected.product.name in said.text
    wrong = [] if named else [f"does not name {expected.product.name}"]
    if kind == "goes_with":
        beside = {one.name for one in expected.beside(kind)}
        wrong += [card["name"] for card in said.cards if card["name"] not in beside]
    return [*missing, *wrong]


async def put_in(cart: Cart, variants: Sequence[Variant]) -> None:
    """Lay these in the cart, one of each."""
    await CartItem.filter(cart_id=cart.id).delete()
    await CartItem.bulk_create(
        CartItem(
            cart=cart, position=at, product_id=one.id, name=one.name, quantity=10_000, row_total=one.price,
            parent_id=one.product_id if one.choices else None,
            options=[{"name": choice.name, "value": choice.value_name} for choice in one.choices],
        )
        for at, one in enumerate(variants)
    )  # fmt: skip


@pytest.mark.parametrize("language", ["en", "pl"])
@pytest.mark.parametrize("name", ["outdoor", "tiles", "bicycles", "carp", "airsoft"])
async def test_every_product_is_asked_about_and_answered_for(
    runtime: Runtime, empty: None, name: str, language: str
) -> None:
    texts, told = TEXTS.of(language), await tell(runtime, CATALOGUES / name, language, runtime.now())
    products = list(told.catalogue.products.values())
    nobodys = Question("", "", language, "", ((products[0].variants[0].id, "1"),), {})
    conversation = await conversation_of(runtime, told, nobodys, 1)
    cart = await Cart.get(id=conversation.cart_id)
    wrong = []
    for product in products:
        await put_in(cart, product.variants[:1])
        known, expected = await read_cart(told.store, cart), Expected(told.catalogue, product)
        asked = kinds_asked(known, texts)
        wanted = {kind for kind in ORDER if kind in OF_THE_SHOP or expected.said(kind)}
        wrong += [f"{product.name}: {kind} offered or not" for kind in wanted ^ set(asked)]
        for kind, question in asked.items():
            if kind in OF_THE_SHOP and product is not products[0]:
                continue
            said = answer(question, known, texts)
            bad = [said.topic] * (said.topic != kind) if kind in OF_THE_SHOP else faults(kind, said, expected)
            wrong += [f"{product.name}: {question} -> {said.text!r} {bad}"] if bad else []
    assert wrong == []
    shelves = Shelves(TEXTS)
    for at in range(0, CARTS * A_CART, A_CART):
        together = products[at : at + A_CART]
        await put_in(cart, [product.variants[-1] for product in together])
        known = await read_cart(told.store, cart)
        for kind, question in kinds_asked(known, texts).items():
            # As it is asked in truth: with what its words find in the whole shop.
            said = answer(question, await read_knowledge(conversation.id, question, shelves), texts)
            meant = [one for one in together if one.name in question] or together
            fine = any(not faults(kind, said, Expected(told.catalogue, one)) for one in meant)
            fine = fine or said.topic == kind
            wrong += [] if fine else [f"{[one.name for one in together]}: {question} -> {said.text!r}"]
    assert wrong == []
