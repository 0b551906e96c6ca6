"""The built-in assistant's first words at a catalogue of 50,000 products, against a BM25 search alone.

No BM25 library is among the locked packages, so the baseline is the textbook's: postings in dicts, every word counts.
"""

import itertools
import math
import random
import time
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from datetime import timedelta
from typing import Any

import asyncpg

from chatbot.assistant import Cards
from chatbot.builtin import builtin_source
from chatbot.limits import Limits
from chatbot.models import Conversation
from chatbot.shelf import Shelves
from chatbot.texts import load_texts
from chatbot.turns import Claim
from recovery.models import Store
from recovery.settings import Settings
from tests.bench.place import Place
from tests.bench.ratios import Costs, Figure, in_pairs, percentile
from tests.chatbot.rows import make_shop
from tests.shop import Clock, open_runtime

MOST = 2.0


class Textbook:
    """BM25 with k1 = 1.5 and b = 0.75 over words split at blanks."""

    def __init__(self, documents: Sequence[str]) -> None:
        split = [document.lower().split() for document in documents]
        average = sum(map(len, split)) / len(split)
        self._postings: dict[str, list[tuple[int, float]]] = {}
        for number, words in enumerate(split):
            norm = 1.5 * (0.25 + 0.75 * len(words) / average)
            for word, times in Counter(words).items():
                self._postings.setdefault(word, []).append((number, times * 2.5 / (times + norm)))
        self._count = len(split)

    def search(self, query: str, limit: int) -> list[int]:
        """The best documents."""
        scores: dict[int, float] = {}
        for word in query.lower().split():
            found = self._postings.get(word, [])
            rarity = math.log(1 + (self._count - len(found) + 0.5) / (len(found) + 0.5))
            for number, weight in found:
                scores[number] = scores.get(number, 0.0) + rarity * weight
        return sorted(scores, key=lambda number: -scores[number])[:limit]


def catalogue(count: int) -> tuple[list[str], list[str]]:
    """Names and texts in an invented language in which, as in any, few words stand everywhere and most hardly
    anywhere."""
    rng = random.Random(7)
    words = ["".join(rng.choices("aeioubcdfgklmnprst", k=rng.randint(4, 9))) for _ in range(20_000)]
    weights = list(itertools.accumulate(1 / (rank + 5) for rank in range(len(words))))

    def said(length: int) -> str:
        return " ".join(rng.choices(words, cum_weights=weights, k=length))

    return [said(4) for _ in range(count)], [said(60) for _ in range(count)]


_STOCK = """
INSERT INTO product (store_id, product_id, name, description, short_description, attributes, categories, price,
                     currency, currency_digits, in_stock, active, occurred_at, locale, tax_included, sold_by)
SELECT $1, 'x' || n, name, said, '', '[]', '[]', 1000 + n, 'EUR', 2, true, true, now(), 'en', true, 'piece'
  FROM unnest($2::text[], $3::text[]) WITH ORDINALITY p(name, said, n)
"""


async def stock(settings: Settings, store_id: int, names: list[str], told: list[str]) -> None:
    """The catalogue as rows."""
    raw = await asyncpg.connect(settings.database_url)
    await raw.execute(_STOCK, store_id, names, told)
    await raw.execute("VACUUM ANALYZE product")
    await raw.close()


async def repeated(step: Callable[[int, str], Awaitable[Any]], questions: Sequence[str]) -> Costs:
    """Milliseconds of each question, the slow ones."""
    times = []
    for number, question in enumerate(questions):
        started = time.perf_counter()
        await step(number, question)
        times.append(1000 * (time.perf_counter() - started))
    return {"first": percentile(times, 95)}


async def run(place: Place) -> list[Figure]:
    """The case."""
    clock, count, asked = Clock(), place.size(50_000, 200), place.size(60, 3)
    names, told = catalogue(count)
    questions = [f"Do you have {name}?" for name in random.Random(8).sample(names, asked)]
    textbook = Textbook([f"{name} {text}" for name, text in zip(names, told, strict=True)])
    with place.settings() as settings:
        async with open_runtime(settings, clock) as runtime:
            shop = await make_shop(runtime)
            await stock(settings, shop.store.id, names, told)
            texts = load_texts()
            shelves = Shelves(texts)
            await shelves._build(await Store.get(id=shop.store.id))
            talk = await Conversation.create(
                id=uuid.uuid4(), store_id=shop.store.id, cart_id=shop.cart.id, link_jti="j", language="en",
                created_at=clock.now(), expires_at=clock.now() + timedelta(hours=1),
            )  # fmt: skip
            source = builtin_source(texts, Limits(), shelves, clock)

            shelf = await shelves.of(shop.store)

            async def answered(number: int, question: str) -> None:
                async with aclosing(source.answer(Claim(number, talk.id, "t", question, 1, clock.now()))) as pieces:
                    async for piece in pieces:
                        if not isinstance(piece, Cards):
                            return

            async def searched(_: int, question: str) -> None:
                assert textbook.search(question.rstrip("?"), 8)

            async def shelved(_: int, question: str) -> None:
                shelf.search(question)

            found = await in_pairs(lambda: repeated(answered, questions), lambda: repeated(searched, questions))
            search = await in_pairs(lambda: repeated(shelved, questions), lambda: repeated(searched, questions))
            await shelves.close()
    return [
        Figure("answers", f"first words at {count:,} products, p95", "ms", found["first"], MOST),
        Figure("answers", "of it the search alone, p95", "ms", search["first"], None),
    ]
