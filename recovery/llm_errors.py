"""What can go wrong with a language model: the tree of its errors, and the cause of each in words for the admin.

LlmError
├── LlmUnavailable        no usable answer began; ``cause`` in words
├── LlmCut                an answer began or ended improperly; ``partial`` is what came of it
└── LlmRefusedBudget      the tokens of a conversation, store or job are used up; nothing was asked
"""

import re
from enum import StrEnum
from typing import Any

import orjson

from recovery.errors import CartbackError

_CODE = re.compile(r"[\w.:-]{1,60}")
_NO_CREDIT = re.compile(
    r"insufficient[_ ](quota|balance|credit|funds)|credit balance|exceeded your current quota|billing|payment required",
    re.I,
)
_NO_MODEL = re.compile(
    r"model_not_found|(invalid|unknown|unsupported|no such) model\b|"
    r"\bmodel\b[^.]{0,80}(not exist|not found|unknown|not supported|not available|no access)",
    re.I,
)
_NOT_HERE = re.compile(r"unsupported_country|country, region|not available in your (country|region)", re.I)


class Cause(StrEnum):
    """Why a model does not answer, in the words an admin reads."""

    KEY_REFUSED = "key refused"
    NO_CREDIT = "no credit"
    MODEL_UNKNOWN = "model unknown"
    NOT_REACHABLE = "not reachable from here"
    TOO_SLOW = "too slow"
    TOO_MANY = "too many requests"
    SERVER_FAILS = "its server fails"
    REQUEST_REFUSED = "request refused"
    BROKEN = "broken answer"
    FILTERED = "stopped by its content filter"
    RESTING = "left alone for a while after failures"

    @property
    def advice(self) -> str:
        """What the admin can do about it."""
        return _ADVICE[self]


#: Nobody has been paid for a call that ended so.
UNPAID = frozenset(
    {
        Cause.RESTING, Cause.NOT_REACHABLE, Cause.KEY_REFUSED, Cause.NO_CREDIT, Cause.MODEL_UNKNOWN, Cause.TOO_MANY,
        Cause.REQUEST_REFUSED,
    }
)  # fmt: skip
_ADVICE = {
    Cause.KEY_REFUSED: "Set the key anew: `cartback settings set ai_api_key -`.",
    Cause.NO_CREDIT: "Add credit to the account at the model's provider, or raise its limit there.",
    Cause.MODEL_UNKNOWN: "Set ai_model to a model that this key may use, spelled as the provider spells it.",
    Cause.NOT_REACHABLE: "Check ai_base_url (most end in /v1), and that this machine may connect to it.",
    Cause.TOO_SLOW: "Try again; if it stays slow, set ai_model to a faster model.",
    Cause.TOO_MANY: "Wait, or ask the provider for a higher rate limit.",
    Cause.SERVER_FAILS: "Wait; the provider's status page may know more.",
    Cause.REQUEST_REFUSED: "The model does not take what Cartback sends; try another ai_model.",
    Cause.BROKEN: "Check that ai_base_url is an OpenAI-compatible interface and not a web page or proxy.",
    Cause.FILTERED: "Nothing to do: the provider refused this one answer.",
    Cause.RESTING: "Nothing to do: it is tried again by itself.",
}


#: Why a model was not asked, or what it wrote not used, beside what befalls a call: code → words and advice.
BUDGET = "budget"
_OTHER_CAUSES = {
    BUDGET: (
        "token budget used up",
        "Nothing to do: a conversation's budget is for its life, a store's begins anew each day (UTC).",
    ),
    "deadline": (
        "no time left for models in this run",
        "Nothing to do if it is rare; else set ai_model to a faster model, or batch_size to less.",
    ),
    "refused_words": (
        "what it wrote may not be sent",
        "Nothing to do: the detail says which rule stopped it. An email_prompt that asks for it may be the cause.",
    ),
    "language": (
        "nobody here can check what it writes in the store's language",
        "Mails by a model are checked in English and Polish; in other languages they are ready-made.",
    ),
    "payment_failed": ("a failed payment is always told in the ready-made words", "Nothing to do."),
}


class LlmError(CartbackError):
    """Base of everything that keeps a model's answer from being used."""


class _WithCause(LlmError):
    """An error with a cause.

    ``detail`` is ours and safe to log. ``told`` is what the server said, without the key; it may quote the prompt, so
    it is for the terminal of the admin who asked and never for a log.
    """

    def __init__(self, cause: Cause, detail: str = "", told: str = "", retry_after: float | None = None) -> None:
        super().__init__(f"{cause}: {detail}" if detail else str(cause))
        self.cause = cause
        self.detail = detail
        self.told = told
        self.retry_after = retry_after


class LlmUnavailable(_WithCause):
    """The model gave no usable answer, and nothing of one."""


class LlmCut(_WithCause):
    """The answer broke off or ended improperly; ``partial`` is the text until then and never logged."""

    partial: str = ""


class LlmRefusedBudget(LlmError):
    """A token budget has too little left; ``scope`` is its key."""

    def __init__(self, scope: str) -> None:
        super().__init__(f"The token budget {scope} is used up.")
        self.scope = scope


def cause_of(error: LlmUnavailable | LlmCut | LlmRefusedBudget) -> tuple[str, str]:
    """Why there is no answer, as a code to keep and a detail that is safe to keep."""
    if isinstance(error, LlmRefusedBudget):
        return BUDGET, error.scope.partition(":")[0]
    return error.cause.name.lower(), error.detail


def cause_words(code: str) -> str:
    """Why a model did not answer, as an admin reads it."""
    if code in _OTHER_CAUSES:
        return _OTHER_CAUSES[code][0]
    return str(Cause[code.upper()]) if code.upper() in Cause.__members__ else code.replace("_", " ")


def cause_advice(code: str) -> str:
    """What the admin can do about it."""
    if code in _OTHER_CAUSES:
        return _OTHER_CAUSES[code][1]
    return Cause[code.upper()].advice if code.upper() in Cause.__members__ else ""


def refusal(status: int, body: object, retry_after: str | None = None) -> LlmUnavailable:
    """An error answer of a model's server, or an error event in its stream, read as one of ours."""
    if isinstance(body, bytes):
        body = _parsed(body)
    code, told = _code_and_words(body)
    detail = " ".join(filter(None, [f"HTTP {status}" if status else "an error in the stream", code]))
    return LlmUnavailable(_cause(status, f"{code} {told}"), detail, told, _seconds(retry_after))


def _cause(status: int, said: str) -> Cause:
    if _NO_CREDIT.search(said) and status not in {401, 404}:
        return Cause.NO_CREDIT
    if _NOT_HERE.search(said):
        return Cause.NOT_REACHABLE
    if _NO_MODEL.search(said) and status not in {401, 429} and status < 500:
        return Cause.MODEL_UNKNOWN
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if 400 <= status < 500:
        return Cause.REQUEST_REFUSED
    return Cause.SERVER_FAILS if status == 0 or status >= 500 else Cause.NOT_REACHABLE


_BY_STATUS = {
    401: Cause.KEY_REFUSED,
    402: Cause.NO_CREDIT,
    403: Cause.KEY_REFUSED,
    404: Cause.NOT_REACHABLE,
    405: Cause.NOT_REACHABLE,
    407: Cause.NOT_REACHABLE,
    408: Cause.TOO_SLOW,
    429: Cause.TOO_MANY,
    504: Cause.TOO_SLOW,
}


def _parsed(body: bytes) -> object:
    try:
        return orjson.loads(body)
    except ValueError:
        return body.decode(errors="replace") if not body.lstrip().startswith(b"<") else ""


def _code_and_words(body: object) -> tuple[str, str]:
    """The machine-readable code (safe to log: a short word) and the server's own words."""
    if not isinstance(body, dict):
        return "", body if isinstance(body, str) else ""
    inner = body.get("error")
    error: dict[str, Any] = inner if isinstance(inner, dict) else body
    codes = [str(error.get(name) or "") for name in ("code", "type")]
    words = error.get("message") or error.get("detail") or (inner if isinstance(inner, str) else "")
    return next((code for code in codes if _CODE.fullmatch(code)), ""), str(words)


def _seconds(header: str | None) -> float | None:
    try:
        return max(0.0, float(header)) if header else None
    except ValueError:  # a date: nobody waits that long here
        return None
