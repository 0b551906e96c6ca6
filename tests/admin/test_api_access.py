"""Every operation of the API is closed: to strangers, to whoever lacks the right, and for stores out of reach."""

import re
from typing import Any

import pytest

from admin.access.scopes import ROLES, SCOPES
from admin.api.operations import Operation
from admin.api.routes import OPERATIONS
from recovery.models import Connection, Store
from recovery.stores import registry
from tests.admin.api import key_holder, make_user, stranger
from tests.shop import Shop

#: What may be asked by anybody: how one gets in.
OPEN = {"sign_in", "forgot_password", "look_at_link", "use_link"}


def names(operation: Operation) -> str:
    return operation.name


def path_of(operation: Operation, **values: Any) -> str:
    return re.sub(r"\{(\w+)\}", lambda found: str(values.get(found[1], 1)), operation.path)


@pytest.fixture
async def two_shops(shop: Shop) -> tuple[Shop, Connection, Store]:
    """The shop, and another connection with a store of its own."""
    other, _ = await registry.add_connection(shop.runtime.keys, "other", "Other", "https://other.example", shop.now)
    store = await registry.add_store(other, "en", "Other", language="en", currency="EUR", timezone="UTC")
    return shop, other, store


def test_only_the_way_in_is_open() -> None:
    assert {operation.name for operation in OPERATIONS if operation.open} == OPEN


def test_a_scope_is_of_use_and_some_role_holds_it() -> None:
    held = set().union(*ROLES.values())
    assert held == set(SCOPES)
    assert ROLES["viewer"] < ROLES["manager"] < ROLES["owner"]
    assert all(scope.endswith(":read") for scope in ROLES["viewer"])


def test_names_and_ways_are_told_once() -> None:
    ways = [(operation.method, operation.path) for operation in OPERATIONS]
    assert len(set(ways)) == len(ways)
    assert len({operation.name for operation in OPERATIONS}) == len(OPERATIONS)
    assert all(operation.handler.__doc__ for operation in OPERATIONS)


async def test_a_stranger_gets_nowhere(shop: Shop) -> None:
    visitor = stranger(shop)
    visitor.client.cookies.set("cartback", "x" * 43, domain="127.0.0.1", path="/")
    for operation in OPERATIONS:
        if operation.open:
            continue
        response = await visitor.call(operation.method, path_of(operation, id=shop.store.id), {})
        assert response.status_code == 401, operation.name
        problem = response.json()
        assert (problem["status"], problem["type"]) == (401, "urn:cartback:problem:sign-in")
        assert response.headers["content-type"] == "application/problem+json"
        assert response.headers["cache-control"] == "no-store"


async def test_without_the_right_nothing_happens(shop: Shop) -> None:
    for operation in OPERATIONS:
        if operation.scope is None:
            continue
        everything_else = [scope for scope in SCOPES if scope != operation.scope]
        async with key_holder(shop, everything_else) as program:
            response = await program.call(operation.method, path_of(operation, id=shop.store.id), {})
        assert response.status_code == 403, operation.name
        assert operation.scope in response.json()["detail"]


async def test_stores_out_of_reach_do_not_exist(two_shops: tuple[Shop, Connection, Store]) -> None:
    shop, other, store = two_shops
    async with key_holder(shop, list(SCOPES), [shop.store.id]) as program:
        for operation in OPERATIONS:
            if operation.path.startswith("/stores/{id}") or operation.path.startswith("/connections/{id}"):
                path = path_of(operation, id=other.id if "connections" in operation.path else store.id)
                body: Any = BODIES.get(operation.name, {})
                response = await program.call(operation.method, path, body, if_match='"1.1"')
                assert response.status_code == 404, operation.name
            if operation.query is not None and "store" in operation.query.model_fields:
                response = await program.call(operation.method, f"{path_of(operation)}?store={store.id}")
                assert response.status_code == 404, operation.name
        assert [row["key"] for row in (await program.get("/connections"))["items"]] == ["demo"]
        assert [row["id"] for row in (await program.get("/session"))["stores"]] == [shop.store.id]


#: Bodies that are right, so that only the store stands in the way.
BODIES: dict[str, dict[str, Any]] = {
    "set_mode": {"mode": "live"},
    "add_store": {"code": "x", "name": "X", "currency": "EUR"},
    "allow_host": {"host": "x.example"},
}


async def test_wrong_ways_have_the_same_shape(shop: Shop) -> None:
    await make_user()
    visitor = stranger(shop)
    for method, path, status in [("GET", "/nothing", 404), ("TRACE", "/session", 405), ("PUT", "/session", 405)]:
        response = await visitor.call(method, path)
        assert (response.status_code, response.json()["status"]) == (status, status)


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"{", "application/json", 400),
        (b"\xff", "application/json", 400),
        (b"email=x", "application/x-www-form-urlencoded", 415),
        (b'{"email": 5, "password": "x"}', "application/json", 422),
        (b"[]", "application/json", 422),
        (b'{"email": "x", "password": "' + b"x" * 300_000 + b'"}', "application/json", 413),
    ],
)
async def test_bad_bodies(shop: Shop, content: bytes, kind: str, status: int) -> None:
    visitor = stranger(shop)
    response = await visitor.client.post("/api/v1/session", content=content, headers={"content-type": kind})
    assert response.status_code == status
