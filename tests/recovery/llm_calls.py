"""What the tests of the language model port ask, and what must never be seen in an error or a log."""

import traceback

from pydantic import BaseModel, Field

from recovery.llm import ChatStream, Deadlines, Llm, Message, ModelProfile, Request, Tool

QUICK = Deadlines(connect=1, first=0.6, between=0.4, total=2)
#: How much longer than its deadline a fault may take to show, on a busy machine.
SLACK = 1.0
CANARY = "canary-prompt-5d1c"


def ask(text: str = CANARY, *tools: Tool) -> Request:
    return Request((Message("system", "You sell boots."), Message("user", text)), tools, max_tokens=100)


class Search(BaseModel):
    query: str = Field(min_length=2, description="What is looked for.")


SEARCH = Tool("search_products", "Find products.", Search)


async def read_into(pieces: list[object], stream: ChatStream) -> None:
    async for piece in stream:
        pieces.append(piece)


def anything_said(error: BaseException) -> str:
    """Every way in which an error may end up in a log, but the words meant for the admin's own terminal."""
    return "".join(traceback.format_exception(error)) + repr(error) + str(error)


async def collect(llm: Llm, profile: ModelProfile, request: Request | None = None) -> tuple[ChatStream, list[object]]:
    pieces: list[object] = []
    async with llm.stream_chat(profile, request or ask(), QUICK) as stream:
        await read_into(pieces, stream)
    return stream, pieces
