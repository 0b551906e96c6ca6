"""A live shop whose mails the test server's model writes: a jacket and socks as in mail_drafts.py."""

import json
from collections.abc import Callable
from typing import Any

from recovery.models import Product
from tests.chatbot.model_shop import choose
from tests.llm_server import Asked, LlmServer, Reply
from tests.recovery.mail_drafts import HONEST, NAMES
from tests.shop import Shop, item


def writes(draft: dict[str, Any], **more: Any) -> Reply:
    """A model's answer with the parts of a mail."""
    return Reply((json.dumps(draft, ensure_ascii=False),), **more)


def honest(language: str = "en", **changes: Any) -> dict[str, Any]:
    """The first honest draft of a language, with changes."""
    return HONEST[language][0] | changes


async def choose_writer(shop: Shop, server: LlmServer, language: str = "en", **changes: Any) -> None:
    """Let the store's mails, and nothing else, be written by the model, in this language."""
    await choose(shop.runtime, "demo/en", server, ai_scoring="off", **changes)
    shop.store.language = language
    shop.store.currency = "PLN" if language == "pl" else "EUR"
    await shop.store.save(update_fields=["language", "currency"])
    await shop.store.refresh_from_db()
    server.behaviour = lambda asked: writes(honest(language))


async def sells(shop: Shop, product_id: str, language: str = "en", **told: Any) -> None:
    """Put a product on the shelf: the jacket, or the socks for an id that begins with ``s``."""
    socks = product_id.startswith("s")
    values: dict[str, Any] = {
        "name": NAMES[language][socks],
        "price": 1900 if socks else 23900,
        "description": "Taped seams.",
        "attributes": [],
    }
    await Product.create(
        store_id=shop.store.id, product_id=product_id, occurred_at=shop.now, currency=shop.store.currency,
        currency_digits=2, in_stock=True, locale=language, **(values | told),
    )  # fmt: skip


def cart_of(language: str, jacket: str = "jacket", socks: str = "socks", **told: Any) -> dict[str, Any]:
    """A cart of the jacket and the socks, as the shop tells it."""
    jacket_name, socks_name = NAMES[language]
    items = [item(jacket, 23900, name=jacket_name), item(socks, 1900, name=socks_name)]
    return {"currency": "PLN" if language == "pl" else "EUR", "total": 25800, "items": items} | told


def by_request(reply: Callable[[Asked], dict[str, Any]]) -> Callable[[Asked], Reply]:
    """A model that writes by what it reads."""
    return lambda asked: writes(reply(asked))
