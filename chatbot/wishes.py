"""What a customer can do beside asking: take another variant instead of one in the cart, and ask for a person."""

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import orjson
from tortoise.backends.base.client import BaseDBAsyncClient

from chatbot import events
from chatbot.conversations import GONE_CARTS, ConversationGone, Event, append, hold_open
from chatbot.limits import Limits
from chatbot.models import Conversation, Turn
from chatbot.turns import TurnRefused
from chatbot.wire_cart import untold_values, wire_lines, wire_money
from recovery import db, notices, webhooks
from recovery.language import Texts
from recovery.models import Cart, Store
from recovery.money import format_quantity
from recovery.runtime import Runtime
from recovery.store_settings import StoreSettings
from recovery.stores.registry import in_force
from recovery.swaps import ShownLine, SwapRefused, read_shown, swap
from recovery.text import email_address, mask_address, one_line

#: Turns of a transcript: more than a day's questions.
MOST_TURNS = 100

Written = list[tuple[uuid.UUID, list[Event]]]


async def take(conversation: uuid.UUID, frame: events.Take, limits: Limits, now: datetime) -> Written:
    """Put another variant in place of a line; the cart as it is then, in every conversation about it.

    Raises:
        TurnRefused: it can't be taken.
        ConversationGone, ConversationOver: nothing can be done any more.
    """
    async with db.in_transaction() as connection:
        talks = await _hold_talks(connection, conversation, now)
        row = await Conversation.get(id=conversation).select_related("store")
        cart = await _locked_cart(row.cart_id)
        if await _count(connection, conversation, "cart", now) >= limits.takes_per_day:
            raise TurnRefused("day_limit")
        try:
            done = await swap(cart, frame.id, frame.line, frame.product, now)
        except SwapRefused as error:
            raise TurnRefused("not_taken") from error
        if done == "known":
            return []
        shown = await read_shown(cart)
        lines, total = wire_lines(cart, row.store, shown), wire_money(cart, row.store, shown.total)
        return [
            (talk, await append(connection, talk, [events.cart(lines, total, str(frame.id))], now)) for talk in talks
        ]


async def ask_person(
    runtime: Runtime, conversation: uuid.UUID, frame: events.Person, limits: Limits, now: datetime
) -> list[Event]:
    """Give the shop the conversation and the address to answer to, once however often it is asked for.

    Raises:
        TurnRefused: the address is none, the store has nobody who reads, or it was asked for too often today.
        ConversationGone, ConversationOver: nothing can be done any more.
    """
    async with db.in_transaction() as connection:
        await hold_open(connection, conversation, now)
        if await _asked_before(connection, conversation, frame.id):
            return []
        if await _count(connection, conversation, "person", now) >= limits.persons_per_day:
            raise TurnRefused("day_limit")
        row = await Conversation.get(id=conversation).select_related("store", "cart")
        if row.cart.status in GONE_CARTS:
            raise ConversationGone("The cart is gone.")
        address = email_address(row.cart.email or "" if frame.address is None else frame.address)
        if address is None:
            raise TurnRefused("bad_address")
        store = await in_force(row.store)
        support = support_address(store.settings)
        if support is None:
            raise TurnRefused("no_support")
        words = await _transcript(runtime, row, store.settings, address)
        key = f"person:{conversation}:{frame.id}"
        await notices.write(row.store_id, "person", key, support, words, now, reply_to=address)
        await Conversation.filter(id=conversation).update(waiting_since=now, waiting_address=address)
        await _tell_waiting(runtime, row, f"waiting:{conversation}:{frame.id}", address, now)
        told = events.person(str(frame.id), mask_address(address), now.isoformat())
        return await append(connection, conversation, [told], now)


async def _tell_waiting(runtime: Runtime, row: Conversation, key: str, address: str, now: datetime) -> None:
    """Publish that somebody waits for a person, to whoever wants to know."""
    told = {
        "conversation": str(row.id),
        "store": row.store.code,
        "quote_id": row.cart.quote_id,
        "url": f"{runtime.settings.public_url}/admin/conversations",
    }
    fact = webhooks.Fact("conversation.waiting", key, now, row.cart.email_hash, told, address)
    await webhooks.publish(row.store.connection_id, fact)


def support_address(settings: StoreSettings) -> str | None:
    """Where questions for a person go: the address set for it, else where answers to mails go; None if nowhere."""
    if settings.sender_address is None:
        return None  # nothing can be sent
    return settings.support_address or settings.reply_to or settings.sender_address


async def _hold_talks(connection: BaseDBAsyncClient, conversation: uuid.UUID, now: datetime) -> list[uuid.UUID]:
    """Hold every open conversation about the same cart, always in the same order."""
    rows = await connection.execute_query_dict(
        """
        SELECT id FROM conversation
        WHERE cart_id = (SELECT cart_id FROM conversation WHERE id = $1)
          AND (id = $1 OR (status = 'open' AND expires_at > $2))
        ORDER BY id FOR UPDATE
        """,
        [conversation, now],
    )
    await hold_open(connection, conversation, now)
    return [row["id"] for row in rows]


async def _locked_cart(cart_id: int) -> Cart:
    cart = await Cart.filter(id=cart_id).select_for_update().get()
    if cart.status in GONE_CARTS:
        raise ConversationGone("The cart is gone.")
    return cart


async def _count(connection: BaseDBAsyncClient, conversation: uuid.UUID, kind: str, now: datetime) -> int:
    """How often the customer has had such a wish within a day; what the shop changed has no id."""
    rows = await connection.execute_query_dict(
        """
        SELECT count(*) AS n FROM conversation_event
        WHERE conversation_id = $1 AND payload ->> 't' = $2 AND payload ? 'id' AND at > $3
        """,
        [conversation, kind, now - timedelta(days=1)],
    )
    count: int = rows[0]["n"]
    return count


async def _asked_before(connection: BaseDBAsyncClient, conversation: uuid.UUID, asked: uuid.UUID) -> bool:
    known = orjson.dumps({"t": "person", "id": str(asked)}).decode()
    rows = await connection.execute_query_dict(
        "SELECT 1 FROM conversation_event WHERE conversation_id = $1 AND payload @> $2::jsonb LIMIT 1",
        [conversation, known],
    )
    return bool(rows)


async def _transcript(runtime: Runtime, row: Conversation, settings: StoreSettings, address: str) -> dict[str, Any]:
    """What the shop reads: the answer's address, the cart to restore and everything that was said."""
    store, cart = row.store, row.cart
    texts = Texts(store.language, formal=settings.form_of_address == "formal")
    shown = await read_shown(cart)
    turns = await Turn.filter(conversation_id=row.id).order_by("-id").limit(MOST_TURNS)
    shop = one_line(store.name)

    def say(key: str, **values: object) -> str:
        return texts.get("notice", key, **values)

    total = wire_money(cart, store, shown.total)
    return {
        "subject": one_line(say("person_subject", shop=shop), 150),
        "paragraphs": [say("person_intro", shop=shop), say("person_reply", address=address)],
        "cart_title": say("cart_title"),
        "lines": [_told(cart, store, line) for line in shown.lines],
        "total": f"{texts.get('labels', 'total')}: {total or texts.get('state', 'shop_tells')}",
        "talk_title": say("talk_title"),
        "talk": _talk(list(reversed(turns)), say("customer"), say("assistant"))
        or [{"who": say("customer"), "text": say("nothing_asked")}],
        "foot": [say("person_admin", url=f"{runtime.settings.public_url}/admin/conversations")],
    }


def _told(cart: Cart, store: Store, line: ShownLine) -> str:
    options = untold_values(line)
    name = f"{line.name} ({options})" if options else line.name
    total = wire_money(cart, store, line.total)
    return f"{format_quantity(line.quantity, store.language, line.sold_by)} × {name}" + (f": {total}" if total else "")


def _talk(turns: Sequence[Turn], customer: str, assistant: str) -> list[dict[str, str]]:
    said = []
    for turn in turns:
        said.append({"who": customer, "text": turn.question})
        if turn.answer:
            said.append({"who": assistant, "text": turn.answer})
    return said
