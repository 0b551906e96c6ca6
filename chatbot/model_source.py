"""The source of answers: the store's chosen model, and the built-in assistant where there is none or it fails."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import structlog

from chatbot import prompt
from chatbot.account import Account
from chatbot.assistant import Cards, Piece, Source
from chatbot.cards import card
from chatbot.context import Item, Knowledge
from chatbot.knowledge import read_items, read_knowledge
from chatbot.limits import Limits
from chatbot.model_answer import ModelAnswer, Patience, Reserve
from chatbot.models import Conversation, Turn
from chatbot.prompt import MOST_TURNS, Past
from chatbot.release import Release
from chatbot.shelf import Shelves
from chatbot.texts import AllTexts, Texts
from chatbot.tools import Toolbox
from chatbot.turns import Claim
from recovery import budgets
from recovery.errors import SetupError
from recovery.facts import Facts, typed_facts
from recovery.llm import Cause, Llm, LlmCut, LlmUnavailable, ModelProfile, profile_of
from recovery.llm_errors import LlmRefusedBudget, cause_of
from recovery.models import Store
from recovery.runtime import Runtime
from recovery.store_settings import StoreSettings
from recovery.stores.registry import in_force

MOST_CARDS = 3
#: A turn whose model's producers died this often is answered by the built-in assistant.
MODEL_PRODUCERS = 2

log = structlog.get_logger()


@dataclass(frozen=True)
class Asked:
    """A question with what its store has chosen, read for every turn, so that a change takes effect at once."""

    right: Claim
    store: Store
    settings: StoreSettings


class ModelSource:
    """Answers by the model of the conversation's store."""

    def __init__(
        self, llm: Llm, builtin: Source, shelves: Shelves, texts: AllTexts, limits: Limits, runtime: Runtime
    ) -> None:
        self._llm = llm
        self._builtin = builtin
        self._shelves = shelves
        self._texts = texts
        self._limits = limits
        self._runtime = runtime

    def source(self) -> Source:
        """This, as the assistant takes it."""
        return Source(self._builtin.name, self._answer)

    async def _answer(self, right: Claim) -> AsyncGenerator[Piece, None]:
        account = Account(self._builtin.name)
        yield account
        asked = await _read(right)
        try:
            profile = profile_of(asked.settings, self._runtime.keys.vault)
        except SetupError:
            account.failed(Cause.KEY_REFUSED.name.lower(), "the secret key does not open the stored key")
            account.ending = "fallback"
            profile = None
        if profile is not None and right.ep <= MODEL_PRODUCERS:
            async with aclosing(self._by_model(asked, profile, account)) as pieces:
                async for piece in pieces:
                    yield piece
            if account.ending != "fallback":
                return
        account.answered_by = self._builtin.name
        async with aclosing(self._builtin.answer(right)) as pieces:
            async for piece in pieces:
                yield piece

    async def _by_model(self, asked: Asked, profile: ModelProfile, account: Account) -> AsyncGenerator[Piece, None]:
        """The model's answer; where it failed before any of it was shown, nothing, and the account says fallback."""
        right = asked.right
        known = await read_knowledge(right.conversation, right.question, self._shelves, self._runtime.now())
        facts, texts = typed_facts(known), self._texts.of(known.language, formal=known.formal)
        release = Release(facts, texts)
        account.answered_by, account.model, account.withheld = profile.model[:64], profile.model, release.withheld
        tools = Toolbox(known, facts, lambda query, limit: self._find(asked.store, query, limit))
        answer = ModelAnswer(
            self._llm, profile, release, tools, self._patience(asked.right), self._reserving(asked), account
        )
        past = await _past(asked.right)
        messages = prompt.messages(
            known, facts.place, asked.right.question, past, asked.settings.conversation_prompt or ""
        )
        try:
            async with aclosing(answer.stream(messages)) as pieces:
                async for piece in pieces:
                    yield piece
            cards = _cards(release, known, facts, texts)
            if not answer.shown and not cards:
                raise LlmUnavailable(Cause.BROKEN, "an answer with nothing to show")
            yield Cards(cards)
        except (LlmUnavailable, LlmCut, LlmRefusedBudget) as error:
            account.failed(*cause_of(error))
            log.warning("model.failed", turn=asked.right.turn, cause=account.fallback_cause, shown=answer.shown)
            account.ending = "cut" if answer.shown else "fallback"
            if answer.shown and (rest := release.end(whole=False)):
                yield rest

    def _patience(self, right: Claim) -> Patience:
        """The customer's patience counts from the question; that of one whose producer died, from now."""
        waited = (self._runtime.now() - right.asked_at).total_seconds() if right.ep == 1 else 0.0
        first = asyncio.get_running_loop().time() - max(0.0, waited) + self._limits.first_text_seconds
        return Patience(first, self._limits.next_text_seconds, self._limits.turn_seconds)

    def _reserving(self, asked: Asked) -> Reserve:
        async def reserve(tokens: int) -> budgets.Reservation:
            now = self._runtime.now()
            limits = [budgets.of_conversation(asked.right.conversation), budgets.of_store(asked.store.id, now)]
            return await budgets.reserve(limits, tokens, now)

        return reserve

    async def _find(self, store: Store, query: str, limit: int) -> Sequence[Item]:
        shelf = await self._shelves.of(store)
        return await read_items(store.id, shelf.search(query, limit))


async def _read(right: Claim) -> Asked:
    row = await Conversation.get(id=right.conversation).select_related("store")
    return Asked(right, row.store, (await in_force(row.store)).settings)


async def _past(right: Claim) -> list[Past]:
    """The turns before this one that were answered, the oldest first."""
    rows = (
        await Turn.filter(conversation_id=right.conversation, id__lt=right.id, status="done")
        .exclude(answer="")
        .order_by("-id")
        .limit(MOST_TURNS)
        .only("id", "question", "answer", "cards")
    )
    return [Past(row.question, row.answer, tuple(str(c["name"]) for c in row.cards)) for row in reversed(rows)]


def _cards(release: Release, known: Knowledge, facts: Facts, texts: Texts) -> list[dict[str, Any]]:
    """The products whose places the model named, made from our rows."""
    items = {place.item.id: place.item for place in release.placeholders if place.item is not None}
    return [card(item, _why(item, known, texts), known) for item in list(items.values())[:MOST_CARDS]]


def _why(item: Item, known: Knowledge, texts: Texts) -> str:
    if item.id in known.in_cart:
        return texts.say("why_cart")
    link = next((link for link in known.links if link.item.id == item.id), None)
    source = next((each for each in known.items if link and link.source in {each.id, each.family}), None)
    return texts.say(f"why_{link.kind}", name=source.called) if link and source else ""
