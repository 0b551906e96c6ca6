"""The one shape of every error of the API: problem details (RFC 9457) with field errors and the request's id."""

from collections.abc import Mapping, Sequence
from typing import Any

import structlog
from pydantic import BaseModel, Field, ValidationError
from starlette.responses import Response

TITLES = {
    400: "The request can't be read",
    401: "Sign in first",
    403: "Not allowed",
    404: "There is no such thing",
    405: "Not this way",
    409: "It can't be done now",
    412: "It was changed meanwhile",
    413: "Too much at once",
    415: "Send JSON",
    422: "Something is not right",
    428: "Say which version you saw",
    429: "Too often",
    500: "Something broke on our side; it is logged",
    503: "Not for a moment; try again",
}


class FieldError(BaseModel):
    """What is wrong with one field; ``field`` is its path, such as ``steps.0.delay_minutes``."""

    field: str
    message: str


class ProblemDetails(BaseModel):
    """Why a request was not done, and what to do about it."""

    type: str = Field(description="urn:cartback:problem: and a code that stays the same")
    title: str
    status: int
    detail: str = Field(description="A sentence for a person")
    errors: list[FieldError] = Field(default=[], description="What is wrong with which field")
    request_id: str | None = Field(description="The X-Request-ID of the answer, as the log has it")


class Problem(Exception):
    """A request that is not done; becomes a ``ProblemDetails``."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str = "",
        *,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail or code)
        self.status = status
        self.code = code
        self.detail = detail
        self.errors = list(errors)
        self.headers = dict(headers or {})


def not_found(what: str) -> Problem:
    """There is no such thing, or not for this caller: nobody learns which."""
    return Problem(404, "not-found", f"There is no such {what}.")


def invalid(error: ValidationError, where: str = "") -> Problem:
    """A body or query that does not fit its model, field by field."""
    errors = [FieldError(field=_path(each["loc"], where), message=_message(each)) for each in error.errors()]
    return Problem(422, "invalid", "Some fields are not right; see errors.", errors=errors)


def respond(problem: Problem) -> Response:
    """A problem as an HTTP answer."""
    told = ProblemDetails(
        type=f"urn:cartback:problem:{problem.code}",
        title=TITLES.get(problem.status, "It was not done"),
        status=problem.status,
        detail=problem.detail or TITLES.get(problem.status, ""),
        errors=problem.errors,
        request_id=structlog.contextvars.get_contextvars().get("request"),
    )
    return Response(
        told.model_dump_json(), problem.status, headers=problem.headers, media_type="application/problem+json"
    )


def _path(location: tuple[Any, ...], where: str) -> str:
    return ".".join([*([where] if where else []), *(str(part) for part in location)])


def _message(error: Any) -> str:
    if error["type"] == "extra_forbidden":
        return "There is no such field."
    return str(error["msg"]).removeprefix("Value error, ")
