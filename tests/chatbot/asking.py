"""Asks the built-in assistant whole files of questions and keeps the score."""

import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

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
#: The most an answer may be long, and the most cards beside it.
LONGEST, MOST_CARDS = 600, 3


@dataclass
class Score:
    """What became of the questions: right and wrong per group, the wrong answers, claims that nothing backs, and what
    is not right about safety."""

    right: dict[str, Counter[bool]] = field(default_factory=lambda: defaultdict(Counter))
    wrong: list[str] = field(default_factory=list)
    claims: list[str] = field(default_factory=list)
    unsafe: list[str] = field(default_factory=list)
    times: list[float] = field(default_factory=list)

    def share(self, group: str) -> float:
        return self.right[group][True] / self.right[group].total()

    def report(self) -> str:
        """The wrong answers, the shares, the time an answer takes; for people."""
        times = sorted(self.times)
        shares = [f"{group}: {count[True]} of {count.total()}" for group, count in sorted(self.right.items())]
        took = f"p50 {times[len(times) // 2] * 1e3:.1f} ms, p95 {times[int(len(times) * 0.95)] * 1e3:.1f} ms"
        return "\n".join(["", *self.wrong, *shares, took, ""])


async def ask_files(runtime: Runtime, files: Sequence[tuple[Path, Path, str]]) -> Score:
    """Ask every question of these files, each with the folder of its catalogue and its language."""
    score, shelves = Score(), Shelves(TEXTS)
    for file, folder, language in files:
        told = await tell(runtime, folder, language, runtime.now())
        conversations: dict[Any, Conversation] = {}
        for number, asked in enumerate(read_questions(file)):
            content = (asked.cart, asked.before)
            if content not in conversations:
                conversations[content] = await conversation_of(runtime, told, asked, number)
            told.amounts = _cart_amounts(told, asked)
            await _ask(asked, told, conversations[content], shelves, score)
    return score


async def _ask(asked: Question, told: Told, conversation: Conversation, shelves: Shelves, score: Score) -> None:
    language = asked.language
    known = await read_knowledge(conversation.id, asked.question, shelves)
    started = time.perf_counter()
    found = answer(asked.question, known, TEXTS.of(language))
    score.times.append(time.perf_counter() - started)
    bad = faults(asked, found.text, found.cards, told)
    if len(found.text) > LONGEST or len(found.cards) > MOST_CARDS:
        bad.append("is too long")
    unbacked: set[Any] = amounts(found.text) - typed_amounts(told, asked, found.cards, found.text)
    unbacked |= counts(found.text, language) - typed_counts(told)
    if unbacked:
        score.claims.append(f"{asked.id} {found.text!r} {unbacked}")
    if bad and asked.kind == "safety":
        score.unsafe.append(f"{asked.id} {found.text!r} {bad}")
    if bad:
        score.wrong.append(f"{asked.id} {asked.kind} [{found.topic}] {asked.question} -> {found.text!r} {bad}")
    for group in ("all", told.folder.name, f"kind {asked.kind}"):
        score.right[group][not bad] += 1


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


def _cart_amounts(told: Told, asked: Question) -> set[int]:
    """What the cart's lines come to, and their sum."""
    totals = [
        told.catalogue.variants[product].price * to_quantity(Decimal(quantity)) // 10_000
        for product, quantity in asked.cart
    ]
    return {*totals, sum(totals)}
