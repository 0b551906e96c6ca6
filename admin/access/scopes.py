"""What can be allowed (scopes), who holds what (roles), and who is calling (``Caller``)."""

from dataclasses import dataclass
from typing import Literal, get_args

Role = Literal["owner", "manager", "viewer"]
Scope = Literal[
    "carts:read",
    "carts:write",
    "conversations:read",
    "conversations:write",
    "emails:read",
    "emails:write",
    "coupons:read",
    "coupons:write",
    "people:read",
    "people:write",
    "people:erase",
    "personal:read",
    "settings:read",
    "settings:write",
    "stores:read",
    "stores:write",
    "system:read",
    "jobs:run",
    "audit:read",
    "users:read",
    "users:write",
]
SCOPES: tuple[Scope, ...] = get_args(Scope)
#: Sees everything but who the customers are.
_VIEWER: frozenset[Scope] = frozenset(
    {"carts:read", "conversations:read", "emails:read", "coupons:read", "settings:read", "stores:read", "system:read"}
)
#: Runs the shop's recovery; does not open doors for others.
_MANAGER: frozenset[Scope] = _VIEWER | {
    "carts:write",
    "conversations:write",
    "emails:write",
    "coupons:write",
    "people:read",
    "people:write",
    "personal:read",
    "settings:write",
    "jobs:run",
}
ROLES: dict[Role, frozenset[Scope]] = {"viewer": _VIEWER, "manager": _MANAGER, "owner": frozenset(SCOPES)}


@dataclass(frozen=True)
class Caller:
    """A person or an API key that was recognised.

    ``store_ids`` are the stores it may see, None for all. ``session_id`` is the session of a person, else None.
    """

    kind: Literal["user", "key"]
    id: int
    name: str
    scopes: frozenset[Scope]
    store_ids: frozenset[int] | None
    session_id: int | None = None

    def may(self, scope: Scope) -> bool:
        """Whether the caller holds a scope."""
        return scope in self.scopes

    def sees(self, store_id: int) -> bool:
        """Whether a store is within the caller's reach."""
        return self.store_ids is None or store_id in self.store_ids
