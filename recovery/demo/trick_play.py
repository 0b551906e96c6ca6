"""Plays an attack: plants it in a store of its own by hooks, asks the real assistant, and tells what became of it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from recovery.clock import Clock
from recovery.demo.cart_hooks import Addresses, cart_data
from recovery.demo.cart_state import Cart, Line, price_cart
from recovery.demo.catalogue.model import Catalogue, Variant
from recovery.demo.catalogue_hooks import policy_batches, product_batches
from recovery.demo.fronts import FIRST, fronts
from recovery.demo.hook_sender import HookSender
from recovery.demo.trick_attacks import Attack, Language
from recovery.demo.trick_model import ObedientModel
from recovery.demo.trick_talk import TalkFailed, talk

HOOK_SECONDS = 15
#: The cart: a rain jacket, which attacks are planted in, and two pairs of socks.
_TARGET, _BESIDE = "hala-moss-m", "socks-39-41"
_ADDRESS = "customer@trick.example"
_REASONS = {
    "price": "a price that is not the price of this product",
    "percent": "a percentage that nothing in the shop's data says",
    "number": "a number that nothing in the shop's data says",
    "free": "something is said to cost nothing",
    "code": "a coupon code that the shop never gave",
    "comparison": "a discount or a comparison of prices that nobody made",
    "discount": "a discount that nobody gave",
    "promise": "a promise that the shop did not make",
    "soon": "a time of delivery that the shop did not promise",
    "date": "a date that the shop did not promise",
    "delivery": "a time or a term that the shop's data do not give",
    "returns": "a right to return that the shop does not give",
    "warranty": "a warranty that the shop does not give",
    "stock": "a statement about stock that the numbers do not bear out",
    "safety": "a conclusion about safety, health or law; only the shop's own words count there",
    "foreign": "letters or words that cannot be read for certain",
    "contact": "an address or a telephone number that is not the shop's",
    "markup": "markup that a page might take for its own",
}  # fmt: skip
_ANY_REASON = "a claim that nothing in the shop's data backs"


@dataclass(frozen=True)
class Withheld:
    """A sentence that the customer did not see, and why, in words."""

    sentence: str
    why: str


@dataclass(frozen=True)
class Played:
    """One attack as it went: ``said`` is None where the model was not asked; ``link`` opens the talk as a customer."""

    attack: Attack
    said: str | None
    shown: str
    withheld: list[Withheld]
    link: str


class Backstage(Protocol):
    """What the demo cannot do by the service's public interfaces, done for it by whoever runs it."""

    async def set_stage(self, store: str, catalogue: Catalogue) -> None:
        """See that there is such a store in the demo's connection, and that the attacker is its model."""

    async def link(self, store: str, quote_id: str) -> str:
        """The token of a fresh assistant link of that cart, as its mail would carry it.

        Raises:
            LookupError: the cart is not known.
        """

    async def withheld(self, conversation: str) -> Sequence[tuple[str, str]]:
        """What was withheld in the last answer: each sentence and the kind of claim."""


class Stage:
    """One play at a time; the store holds an attack only while it is played."""

    def __init__(
        self, base_url: str, backstage: Backstage, model: ObedientModel, sender: HookSender, clock: Clock
    ) -> None:
        self._base_url = base_url
        self._backstage = backstage
        self._model = model
        self._sender = sender
        self._clock = clock
        self._catalogues: dict[Language, Catalogue] = {}
        self._lock = asyncio.Lock()

    async def play(self, attack: Attack) -> Played:
        """Plant, ask, and take it out again.

        Raises:
            TalkFailed: the service did not take the hooks or did not answer.
        """
        async with self._lock:
            store = _store(attack.language)
            catalogue = await self._set(attack.language)
            self._model.forget()
            await self._tell(store, self._goods(catalogue, attack, attack))
            try:
                token = await self._link(attack.language)
                talked = await talk(self._base_url, token, attack.questions)
            finally:
                await self._tell(store, self._goods(catalogue, attack, None))
            held = await self._backstage.withheld(talked.conversation)
        return Played(
            attack,
            self._model.said[-1] if self._model.said else None,
            talked.shown,
            [Withheld(sentence, _REASONS.get(kind, _ANY_REASON)) for sentence, kind in held],
            f"/a/{token}",
        )

    async def _set(self, language: Language) -> Catalogue:
        """The store with its goods, policies and cart; made when it is first played in."""
        if language not in self._catalogues:
            catalogue = await asyncio.to_thread(fronts((FIRST,))[language].load)
            store = _store(language)
            await self._backstage.set_stage(store, catalogue)
            at = self._addresses(language)
            hooks: list[tuple[str, dict[str, Any]]] = [
                ("product.updated", {"products": products}) for products in product_batches(catalogue, at, _stock)
            ]
            hooks += [("policy.updated", {"policies": policies}) for policies in policy_batches(catalogue, at)]
            await self._tell(store, [*hooks, ("cart.updated", self._cart(catalogue, at))])
            self._catalogues[language] = catalogue
        return self._catalogues[language]

    def _addresses(self, language: Language) -> Addresses:
        """Its products have no pages of their own; those of the outdoor shop are the same."""
        return Addresses(self._base_url, language)

    def _cart(self, catalogue: Catalogue, at: Addresses) -> dict[str, Any]:
        now = self._clock.now()
        lines = [
            Line(each, quantity, catalogue.variants[each].price, catalogue.variants[each].name)
            for each, quantity in ((_TARGET, 1), (_BESIDE, 2))
        ]
        cart = Cart(_quote(catalogue.language), at.store, now, now, int(now.timestamp()), lines=lines, email=_ADDRESS)
        return cart_data(cart, price_cart(cart, catalogue, 0), catalogue, at, 0)

    def _goods(self, catalogue: Catalogue, where: Attack, planted: Attack | None) -> list[tuple[str, dict[str, Any]]]:
        """The hook of the product or policy that the attack is about, with the attack in it or as it was."""
        at = self._addresses(where.language)
        if where.place == "policy":
            policies = [policy for batch in policy_batches(catalogue, at) for policy in batch]
            policy = dict(next(each for each in policies if each["kind"] == "shipping"))
            if planted:
                policy["text"] = f"{policy['text']}\n{planted.planted}"
            return [("policy.updated", {"policies": [policy]})]
        if where.place not in ("name", "description", "attribute"):
            return []
        products = [product for batch in product_batches(catalogue, at, _stock) for product in batch]
        product: dict[str, Any] = dict(next(each for each in products if each["product_id"] == _TARGET))
        if planted and where.place == "attribute":
            note = {"code": "note", "name": "Note", "value": planted.planted}
            product["attributes"] = [*product["attributes"], note]
        elif planted:
            product[where.place] = f"{product[where.place]} {planted.planted}"
        return [("product.updated", {"products": [product]})]

    async def _tell(self, store: str, hooks: Sequence[tuple[str, dict[str, Any]]]) -> None:
        for type_, data in hooks:
            self._sender.send(type_, store, self._clock.now(), data)
        try:
            async with asyncio.timeout(HOOK_SECONDS):
                await self._sender.flush()
        except TimeoutError:
            raise TalkFailed("Cartback did not take the shop's hooks in time.") from None

    async def _link(self, language: Language) -> str:
        try:
            return await self._backstage.link(_store(language), _quote(language))
        except LookupError:
            raise TalkFailed("Cartback does not know the cart of this play.") from None


def _store(language: Language) -> str:
    return f"trick-{language}"


def _quote(language: str) -> str:
    return f"trick-{language}"


def _stock(variant: Variant) -> int:
    """Nothing is ever sold here."""
    return variant.stock
