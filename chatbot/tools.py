"""What a model may look up during an answer: products, policies and the cart, from our database; it changes nothing.

The store and the cart are those of the conversation, never an argument. A product is named by its number in this turn.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Annotated, Any, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from chatbot import prompt
from chatbot.context import Item, Knowledge, PolicyText
from chatbot.shortening import fitting
from recovery.llm_wire import Tool, ToolCall

MOST_FOUND = 8
MOST_COMPARED = 4
#: Code points of one result, a safety net above what its parts are capped to.
LONGEST_RESULT = 20_000

Find = Callable[[str, int], Awaitable[Sequence[Item]]]


class Numbered(Protocol):
    """The products of this turn, each with its number."""

    def add(self, items: Iterable[Item]) -> None:
        """Take further products."""

    def place(self, item: Item) -> int:
        """The number of a product."""

    def placed(self, number: int) -> Item | None:
        """The product of a number."""


class _Arguments(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class SearchProducts(_Arguments):
    """What ``search_products`` takes."""

    query: str = Field(min_length=1, max_length=200, description="Words that name or describe the products.")


class GetProduct(_Arguments):
    """What ``get_product`` takes."""

    n: int = Field(description="The product's number n, from the data or a search.")


class CompareProducts(_Arguments):
    """What ``compare_products`` takes."""

    numbers: Annotated[list[int], Field(min_length=2, max_length=MOST_COMPARED)] = Field(
        description="The numbers n of two to four products."
    )


class GetPolicy(_Arguments):
    """What ``get_policy`` takes."""

    kind: Literal["shipping", "returns", "payment", "warranty", "contact", "faq", "size_guide", "other"] = Field(
        description="What the policy is about."
    )


class GetCart(_Arguments):
    """What ``get_cart`` takes: nothing."""


TOOLS = (
    Tool("search_products", "Find products of the shop by words, best first.", SearchProducts),
    Tool("get_product", "Everything the shop says about one product.", GetProduct),
    Tool("compare_products", "Two to four products side by side.", CompareProducts),
    Tool("get_policy", "The shop's own text on delivery, returns, payment, sizes or questions.", GetPolicy),
    Tool("get_cart", "The customer's cart as it stands now.", GetCart),
)
_BY_NAME = {tool.name: tool for tool in TOOLS}


class _Wrong(Exception):
    """The model asked for something that is not there; the words tell it what to do instead."""


class Toolbox:
    """The tools of one turn."""

    def __init__(self, known: Knowledge, products: Numbered, find: Find) -> None:
        self._known = known
        self._products = products
        self._find = find

    async def answer(self, call: ToolCall) -> str:
        """The result of a call as JSON; a wrong call is answered by what to do instead."""
        try:
            result = await self._result(call)
        except _Wrong as error:
            result = {"error": str(error)}
        return fitting(result, LONGEST_RESULT)

    async def _result(self, call: ToolCall) -> Any:
        tool = _BY_NAME.get(call.name)
        if tool is None:
            raise _Wrong(f"There is no such tool. There are: {', '.join(_BY_NAME)}.")
        try:
            arguments = tool.parameters.model_validate_json(call.arguments or "{}")
        except ValidationError as error:
            raise _Wrong(f"These arguments do not fit: {_told(error)}. Ask again, or answer without.") from None
        match arguments:
            case SearchProducts():
                return await self._search(arguments.query)
            case GetProduct():
                return self._long(arguments.n)
            case CompareProducts():
                return {"products": [self._long(n) for n in dict.fromkeys(arguments.numbers)]}
            case GetPolicy():
                return self._policy(arguments.kind)
            case _:
                return prompt.cart(self._known, self._products.place)

    async def _search(self, query: str) -> Any:
        found = (await self._find(query, MOST_FOUND))[:MOST_FOUND]
        if not found:
            return {"products": [], "note": "The shop sells nothing like that. Say so, or try other words."}
        self._products.add(found)
        return {"products": [prompt.product(item, self._known, self._products.place) for item in found]}

    def _long(self, number: int) -> dict[str, Any]:
        item = self._products.placed(number)
        if item is None:
            raise _Wrong(f"There is no product {number} here. Use a number n from the data, or search.")
        return prompt.product(item, self._known, self._products.place, long=True, variants=True)

    def _policy(self, kind: str) -> Any:
        found: list[PolicyText] = self._known.of_kind(kind)
        if not found:
            return {"policies": [], "note": "The shop says nothing about that. Say that the shop can help."}
        return {"policies": [prompt.policy(each, self._known) for each in found[: prompt.MOST_POLICIES]]}


def _told(error: ValidationError) -> str:
    """What is wrong, without what the model wrote."""
    return "; ".join(f"{'.'.join(map(str, e['loc'])) or 'arguments'}: {e['msg']}" for e in error.errors()[:3])
