"""The commands `cartback conversations`: what was said, who answered, what it cost, and why a model did not answer."""

import asyncio
from typing import Annotated, Any

import typer

from admin import talks
from recovery import console
from recovery.runtime import Runtime, with_runtime

conversations_app = typer.Typer(help="What the assistant was asked and said.", no_args_is_help=True)

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@conversations_app.command("list")
def list_conversations(
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="At most so many.")] = 20,
    as_document: JsonOption = False,
) -> None:
    """The newest conversations; FAILED counts the answers that a model did not give, PERSON is since when one is asked
    for.
    """

    async def work(_: Runtime) -> None:
        rows = await talks.latest(limit)
        if as_document:
            console.data([row | _written(row) for row in rows])
        elif rows:
            console.table(
                [
                    (
                        row["id"], f"{row['created_at']:%Y-%m-%d %H:%M}", row["store"], row["customer"] or "–",
                        str(row["turns"]), str(row["failed"]), _number(row["tokens"]), _number(row["cost"]),
                        f"{row['waiting_since']:%Y-%m-%d %H:%M}" if row["waiting_since"] else "–",
                    )
                    for row in rows
                ],
                ("CONVERSATION", "BEGUN (UTC)", "STORE", "CUSTOMER", "TURNS", "FAILED", "TOKENS", "COST", "PERSON"),
            )  # fmt: skip
        else:
            console.note("Nobody has asked the assistant yet.")

    asyncio.run(with_runtime(work))


@conversations_app.command("show")
def show_conversation(
    conversation: Annotated[str, typer.Argument(help="Its id, as the list shows it.")], as_document: JsonOption = False
) -> None:
    """One conversation: texts, who answered, tokens, time, why a model failed, and what was held back."""

    async def work(_: Runtime) -> None:
        told = await talks.one(conversation)
        if as_document:
            turns = [turn | {"asked_at": turn["asked_at"].isoformat()} for turn in told["turns"]]
            console.data(told | _written(told) | {"turns": turns})
            return
        console.line(f"Conversation of {told['customer'] or 'a guest'} with {told['store']}, {told['status']}")
        if told["waiting_since"]:
            answer_to = f"; answer to {told['waiting_address']}" if told["waiting_address"] else ""
            console.line(f"Asked for a person at {told['waiting_since']:%Y-%m-%d %H:%M} UTC{answer_to}")
        for turn in told["turns"]:
            _print(turn)

    asyncio.run(with_runtime(work))


def _written(talk: dict[str, Any]) -> dict[str, Any]:
    """The times of a conversation as JSON holds them."""
    return {name: talk[name].isoformat() if talk[name] else None for name in ("created_at", "waiting_since")}


def _print(turn: dict[str, Any]) -> None:
    console.line(f"\n{turn['asked_at']:%Y-%m-%d %H:%M:%S}  {turn['question']}")
    console.line(f"  {turn['answer'] or '(no answer)'}")
    facts = [str(turn["answered_by"] or "nobody"), str(turn["finish"])]
    if turn["input_tokens"] is not None:
        facts.append(f"{turn['input_tokens']} + {turn['output_tokens']} tokens")
    if turn["cost"] is not None:
        facts.append(f"costs about {turn['cost']}")
    if turn["first_text_ms"] is not None:
        facts.append(f"first text after {turn['first_text_ms']} ms, all after {turn['total_ms']} ms")
    console.line(f"  [{' · '.join(facts)}]")
    if turn["model_failed"]:
        detail = f" ({turn['detail']})" if turn["detail"] else ""
        console.line(f"  ! {turn['model'] or 'The model'} did not answer: {turn['model_failed']}{detail}")
        console.line(f"    → {turn['advice']}")
    for held in turn["withheld"]:
        console.line(f"  ! not shown ({held['kind']}): {held['sentence']}")


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
