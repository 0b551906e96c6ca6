"""The one tree of errors: each carries a sentence that says what happened and, where it helps, what to do.

CartbackError
├── SetupError            a setting, a server or a file is missing or wrong; ``fix`` says the way out
│   └── EmbeddedError     the private PostgreSQL or Valkey could not be started
├── LlmError              a language model can't be used; its own tree is in llm_errors
├── NotFound              no such connection, store, cart or e-mail
└── LinkRefused           a link token that does not open anything (one public answer for every cause)
"""


class CartbackError(Exception):
    """Base of every error raised on purpose; ``str()`` is a sentence for a person."""


class SetupError(CartbackError):
    """The installation cannot work as it is.

    Args:
        problem: what is wrong, one sentence.
        fix: what to do about it, one sentence or command.
    """

    def __init__(self, problem: str, fix: str = "") -> None:
        super().__init__(f"{problem} {fix}".strip())
        self.problem = problem
        self.fix = fix


class EmbeddedError(SetupError):
    """A private server of the embedded mode could not be started or reached."""


class NotFound(CartbackError):
    """A thing that was asked for by name or id does not exist."""


class LinkRefused(CartbackError):
    """A link token is refused; ``cause`` is for the log only, people always see the same page."""

    def __init__(self, cause: str) -> None:
        super().__init__(cause)
        self.cause = cause
