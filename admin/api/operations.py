"""How an operation of the API is declared: one function, whose signature says what it takes and answers.

``call`` is the first parameter; ``query`` and ``body`` are pydantic models; every other parameter is a part of the
path; the return annotation is the model of the answer (None: no content). The same declaration makes the route
(``dispatch``) and its description (``openapi``).
"""

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import BaseModel, TypeAdapter

from admin.access.scopes import Scope

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
Handler = Callable[..., Awaitable[Any]]
UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})


@dataclass(frozen=True)
class Operation:
    """One method of one path. ``scope`` None and not ``open`` means: anybody who is signed in.

    ``media`` is set where the answer is no JSON; the handler then returns a response. ``secret`` means: what is
    answered is told once and never kept.
    """

    method: Method
    path: str
    tag: str
    scope: Scope | None
    open: bool
    status: int
    media: str | None
    secret: bool
    handler: Handler
    query: type[BaseModel] | None
    body: type[BaseModel] | None
    answer: Any
    path_types: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Its name in the description, the same for ever."""
        return self.handler.__name__

    @property
    def unsafe(self) -> bool:
        """Whether it changes something."""
        return self.method in UNSAFE

    @property
    def repeatable(self) -> bool:
        """Whether an ``Idempotency-Key`` makes it happen once."""
        return self.method == "POST" and not self.open and not self.secret

    def path_values(self, told: dict[str, str]) -> dict[str, Any]:
        """The parts of the path as what the handler takes.

        Raises:
            ValidationError: one is not of its kind.
        """
        return {name: TypeAdapter(kind).validate_python(told[name]) for name, kind in self.path_types.items()}


class Operations:
    """The operations of one part of the API, in the order in which they are declared."""

    def __init__(self, tag: str) -> None:
        self.tag = tag
        self.declared: list[Operation] = []

    def add(
        self,
        method: Method,
        path: str,
        *,
        scope: Scope | None = None,
        open: bool = False,
        status: int | None = None,
        media: str | None = None,
        secret: bool = False,
    ) -> Callable[[Handler], Handler]:
        """Declare the function below as an operation; its docstring becomes its description."""

        def declare(handler: Handler) -> Handler:
            parameters = dict(inspect.signature(handler).parameters)
            parameters.pop("call")
            query, body = parameters.pop("query", None), parameters.pop("body", None)
            answer = inspect.signature(handler).return_annotation
            self.declared.append(
                Operation(
                    method=method,
                    path=path,
                    tag=self.tag,
                    scope=scope,
                    open=open,
                    status=status or (204 if answer is None else 200),
                    media=media,
                    secret=secret,
                    handler=handler,
                    query=query.annotation if query else None,
                    body=body.annotation if body else None,
                    answer=answer,
                    path_types={name: each.annotation for name, each in parameters.items()},
                )
            )
            return handler

        return declare
