"""What a person does with carts left behind: send now, judge anew, let be; one of them or many, each by itself."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from admin.api.call import Call
from admin.api.operations import Operations
from admin.api.problems import not_found
from recovery import campaigns_by_hand, db
from recovery.eligibility import explained
from recovery.errors import CartbackError
from recovery.models import Abandonment, Decision
from recovery.stores import registry

api = Operations("abandonments")

Id = Annotated[int, Field(ge=1, le=2**63 - 1)]
Action = Literal["send", "rescore", "dismiss"]
Result = Literal["done", "held_back", "refused", "unknown"]


class Done(BaseModel):
    """What became of one cart."""

    id: int
    result: Result = Field(
        description="held_back: a check kept the mail back; refused: it can't be done with this cart"
    )
    outcome: str | None = Field(description="Of sending: queued, waiting, skipped or held_out")
    words: str


class Many(BaseModel):
    """What is done with which carts."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    action: Action
    ids: list[Id] = Field(min_length=1, max_length=200)


class ManyDone(BaseModel):
    """What became of each, in the order asked."""

    items: list[Done]
    done: int


@api.add("POST", "/abandonments/{id}/send", scope="emails:write")
async def send_now(call: Call, id: Id) -> Done:
    """Have the next message go without its wait; every check holds, and what one holds back goes later by the plan."""
    return await _strict(call, id, _send)


@api.add("POST", "/abandonments/{id}/rescore", scope="carts:write")
async def rescore(call: Call, id: Id) -> Done:
    """Have a cart scored and decided anew, as long as no message about it has gone."""
    return await _strict(call, id, _rescore)


@api.add("POST", "/abandonments/{id}/dismiss", scope="carts:write")
async def dismiss(call: Call, id: Id) -> Done:
    """End the episode of a cart and take back what waits; it counts again when the customer changes it."""
    return await _strict(call, id, _dismiss)


@api.add("POST", "/abandonments/actions", scope="carts:write")
async def act_on_many(call: Call, body: Many) -> ManyDone:
    """Do one thing with many carts, each in a transaction of its own; sending also needs `emails:write`."""
    act: Callable[[Call, Abandonment], Awaitable[Done]] = _ACTIONS[body.action]
    items = []
    for abandonment_id in dict.fromkeys(body.ids):
        found = await Abandonment.get_or_none(id=abandonment_id)
        if found is None or not call.who.sees(found.store_id):
            items.append(Done(id=abandonment_id, result="unknown", outcome=None, words="There is no such cart."))
        elif body.action == "send" and not call.may("emails:write"):
            items.append(Done(id=abandonment_id, result="refused", outcome=None, words="Needs the right emails:write."))
        else:
            try:
                items.append(await act(call, found))
            except CartbackError as error:
                items.append(Done(id=abandonment_id, result="refused", outcome=None, words=str(error)))
    await _ring(call, body.action)
    return ManyDone(items=items, done=sum(each.result == "done" for each in items))


async def _strict(call: Call, abandonment_id: int, act: Callable[[Call, Abandonment], Awaitable[Done]]) -> Done:
    found = await Abandonment.get_or_none(id=abandonment_id)
    if found is None or not call.who.sees(found.store_id):
        raise not_found("cart")
    done = await act(call, found)
    await _ring(call, next(name for name, each in _ACTIONS.items() if each is act))
    return done


async def _ring(call: Call, action: Action) -> None:
    """Have the worker look at once."""
    if action == "send":
        await call.runtime.doorbell.ring("email")
    elif action == "rescore":
        await call.runtime.doorbell.ring("score")


async def _send(call: Call, found: Abandonment) -> Done:
    store = await registry.in_force(await call.store(found.store_id))
    async with db.in_transaction():
        outcome = await campaigns_by_hand.send_now(store, found.id, call.now)
        await _note(call, "cart.send_now", found, {"outcome": outcome})
    if outcome == "queued":
        return Done(id=found.id, result="done", outcome=outcome, words="Its mail is in the queue.")
    decision = await Decision.filter(abandonment_id=found.id).order_by("-at", "-id").first()
    words = explained(decision.reason, decision.checks, store.zone) if decision and decision.reason else outcome
    return Done(id=found.id, result="held_back", outcome=outcome, words=words)


async def _rescore(call: Call, found: Abandonment) -> Done:
    async with db.in_transaction():
        await campaigns_by_hand.rescore(found.id)
        await _note(call, "cart.rescored", found, {"status": "detected"})
    return Done(id=found.id, result="done", outcome=None, words="The next run of scoring judges it anew.")


async def _dismiss(call: Call, found: Abandonment) -> Done:
    async with db.in_transaction():
        await campaigns_by_hand.dismiss(found.id, call.now)
        await _note(call, "cart.dismissed", found, {"status": "dismissed"})
    return Done(id=found.id, result="done", outcome=None, words="It was dismissed.")


_ACTIONS: dict[Action, Callable[[Call, Abandonment], Awaitable[Done]]] = {
    "send": _send,
    "rescore": _rescore,
    "dismiss": _dismiss,
}


async def _note(call: Call, action: str, found: Abandonment, after: dict[str, str]) -> None:
    before = {"status": found.status, "score": found.score}
    await call.note(action, f"cart {found.id}", store_id=found.store_id, before=before, after=after)
