"""Asks the models of stores for structured answers on behalf of the sweeps: so many at once, within budgets and time.

Nothing is ever raised for what befalls a model: whoever asks goes on with what is built in, and keeps the cause.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

import structlog
from pydantic import BaseModel

from recovery import budgets, db
from recovery.errors import SetupError
from recovery.llm import Cause, Completed, Deadlines, LlmCut, LlmUnavailable, ModelProfile, Request, profile_of
from recovery.llm_errors import UNPAID, LlmRefusedBudget, cause_of
from recovery.money import babel_locale
from recovery.runtime import Runtime
from recovery.stores.registry import StoreInForce
from recovery.text import one_line, untagged

AT_ONCE = 4
#: The longest that one answer may take, a second try included.
PATIENCE = Deadlines(connect=4, first=20, between=10, total=20)
LONGEST_DETAIL = 200
LONGEST_SHOP_NAME = 100

Value = TypeVar("Value", bound=BaseModel)

log = structlog.get_logger()


@dataclass(frozen=True)
class Answer(Generic[Value]):
    """What came of asking: a validated value, or the cause (see ``llm_errors.cause_words``) why there is none."""

    value: Value | None = None
    model: str | None = None
    tokens: int | None = None
    cause: str | None = None
    detail: str | None = None


class Window:
    """How much of one sweep over a store may be spent on its model: ``AT_ONCE`` calls until ``seconds`` are over.

    A slow model so costs a sweep this time at most; a dead one less, since its breaker opens after a few calls.
    """

    def __init__(self, runtime: Runtime, store: StoreInForce, seconds: float, patience: Deadlines = PATIENCE) -> None:
        self._runtime = runtime
        self._store = store
        self._clock = asyncio.get_running_loop().time
        self._ends = self._clock() + seconds
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._patience = patience

    async def ask(self, request: Request, schema: type[Value]) -> Answer[Value]:
        """Ask for one answer in the form of ``schema``; never inside a transaction."""
        try:
            profile = profile_of(self._store.settings, self._runtime.keys.vault)
        except SetupError:
            told = "the secret key does not open the stored key"
            return Answer(cause=Cause.KEY_REFUSED.name.lower(), detail=told, model=self._store.settings.ai_model)
        assert profile is not None, "only a store with a model asks"
        try:
            async with asyncio.timeout_at(self._ends):
                await self._slots.acquire()
        except TimeoutError:
            return Answer(model=profile.model, cause="deadline")
        try:
            return await self._ask(profile, request, schema)
        finally:
            self._slots.release()

    async def _ask(self, profile: ModelProfile, request: Request, schema: type[Value]) -> Answer[Value]:
        patience = replace(self._patience, total=min(self._patience.total, self._ends - self._clock()))
        if patience.total <= 0:
            return Answer(model=profile.model, cause="deadline")
        now, store_id = self._runtime.now(), self._store.row.id
        used: int | None = None
        try:
            limits = [budgets.of_store(store_id, now), budgets.of_batch(store_id, now)]
            reservation = await budgets.reserve(limits, request.estimate, now)
        except LlmRefusedBudget as error:
            return self._failed(profile, error, 0)
        try:
            completed: Completed[Value] = await self._runtime.llm.complete_json(profile, request, schema, patience)
            used = completed.usage.total if completed.usage else None
            return Answer(completed.value, profile.model, request.estimate if used is None else used)
        except (LlmUnavailable, LlmCut) as error:
            used = 0 if isinstance(error, LlmUnavailable) and error.cause in UNPAID else None
            return self._failed(profile, error, request.estimate if used is None else used)
        finally:
            await _settle(reservation, used)

    def _failed(
        self, profile: ModelProfile, error: LlmUnavailable | LlmCut | LlmRefusedBudget, tokens: int
    ) -> Answer[Value]:
        cause, detail = cause_of(error)
        log.warning("model.unused", store=self._store.row.id, cause=cause)
        return Answer(None, profile.model, tokens or None, cause, one_line(detail, LONGEST_DETAIL) or None)


async def _settle(reservation: budgets.Reservation, used: int | None) -> None:
    try:
        await budgets.settle(reservation, used)
    except db.UNAVAILABLE as error:
        # What was reserved comes back by itself once its lease is over.
        log.warning("model.unsettled", error=type(error).__name__)


def has_model(store: StoreInForce) -> bool:
    """Whether a store has chosen a model and named it."""
    return store.settings.ai_provider == "openai" and store.settings.ai_model is not None


def merchants_words(store: StoreInForce, prompt: str | None) -> Mapping[str, Any]:
    """What every prompt is filled with: the store's name and language, and the merchant's own prompt."""
    shop = untagged(one_line(store.row.name), LONGEST_SHOP_NAME)
    language = babel_locale(store.row.language).english_name or store.row.language
    own = (prompt or "").replace("{shop}", shop).replace("{language}", language).strip()
    return {"shop": shop, "language": language, "own": f"\nThe shop says of itself:\n{own}\n" if own else ""}
