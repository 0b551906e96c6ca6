"""Made-up shops whose whole catalogue stands in a test: what their shelf finds is what an answer may draw on."""

from collections.abc import Iterable

from chatbot.context import Item, Knowledge, Line, Link
from chatbot.knowledge import NEEDED, NEEDS_READ
from chatbot.needs import needs_of
from chatbot.shelf_index import Index, IndexBuilder, Row
from chatbot.texts import load_texts

TEXTS = load_texts()
CONTACT = "https://shop.example/contact"
FOUND = 8


def item(product_id: str, name: str, *attributes: tuple[str, str], kind: str = "") -> Item:
    return Item(
        product_id, name, 1000, "EUR", 2, in_stock=True, attributes=attributes, categories=(kind,) if kind else ()
    )


class MadeUp:
    """A shop of these items, with what it recommends beside each."""

    def __init__(self, language: str, items: Iterable[Item], offers: dict[str, tuple[str, ...]] | None = None) -> None:
        self.language = language
        self.items = {one.id: one for one in items}
        self._offers = offers or {}
        self._index = self._indexed()

    def _indexed(self) -> Index:
        builder = IndexBuilder(self.language, TEXTS.of(self.language).stopwords)
        builder.add(
            Row(
                one.id, None, one.name, [{"name": name, "value": value} for name, value in one.attributes],
                one.categories, None, one.short_description, one.description,
            )
            for one in self.items.values()
        )  # fmt: skip
        return builder.finish()

    def known(self, question: str, cart: tuple[str, ...] = ()) -> Knowledge:
        """What an answer to a question may draw on, with these in the cart."""
        found = [self.items[one] for one in self._index.search(question, FOUND)]
        needs = needs_of(question, [*(self.items[one] for one in cart), *found[:NEEDS_READ]], TEXTS.of(self.language))
        needed = [self.items[one] for need in needs for one in self._index.search(need, NEEDED)]
        found = list({one.id: one for one in (*found, *needed)}.values())
        sources = {*cart, *(one.id for one in found)}
        links = [
            Link(source, "crosssell", self.items[one])
            for source, ids in self._offers.items()
            for one in ids
            if source in sources
        ]
        return Knowledge(
            self.language, "Made up", "EUR", 2, 0,
            lines=tuple(Line(self.items[one].name, 10_000, 1000, one, self.items[one]) for one in cart),
            links=tuple(link for link in links if link.source in cart),
            found_links=tuple(link for link in links if link.source not in cart),
            found=tuple(found), contact_url=CONTACT, strange=frozenset(self._index.strange(question)),
        )  # fmt: skip
