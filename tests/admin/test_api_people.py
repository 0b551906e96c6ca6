"""Owners invite people and make keys; nobody gives away more than they hold, and somebody stays the owner."""

from typing import Any

import pytest

from admin.models import ApiKey, AuditEntry, IdempotentAnswer, UserLink
from recovery import jobs
from recovery.clock import SystemClock
from recovery.stores import registry
from tests.admin.api import PASSWORD, key_holder, make_user, sign_in, stranger
from tests.shop import Shop
from tests.smtp_sink import SmtpSink

EVA = {"email": "Eva@Example.com", "name": "Eva", "role": "manager"}


async def audit_of(action: str) -> list[dict[str, Any]]:
    return [dict(row) for row in await AuditEntry.filter(action=action).order_by("id").values()]


async def test_an_invited_person_chooses_a_password_and_comes_in(shop: Shop, smtp_sink: SmtpSink) -> None:
    await make_user()
    owner = await sign_in(shop)
    invited = await owner.send("POST", "/users", EVA | {"language": "pl"}, 201)
    assert (invited["user"]["email"], invited["user"]["state"], invited["mailed"]) == (
        "eva@example.com", "invited", True,
    )  # fmt: skip
    await jobs.notice(shop.runtime)
    (mail,) = smtp_sink.messages
    assert mail.message["Subject"] == "Zaproszenie do Cartback"
    assert invited["link"] in mail.text()
    token = invited["link"].partition("#")[2]
    eva = stranger(shop)
    assert (await eva.get(f"/links/{token}"))["email"] == "eva@example.com"
    await eva.send("POST", f"/links/{token}", {"password": PASSWORD})
    assert (await eva.get("/session"))["role"] == "manager"
    (entry,) = await audit_of("user.invited")
    assert (entry["actor_name"], entry["after"]["role"]) == ("Olga", "manager")


async def test_without_a_sender_the_link_is_handed_over(shop: Shop) -> None:
    await shop.set(sender_address=None)
    await make_user()
    owner = await sign_in(shop)
    invited = await owner.send("POST", "/users", EVA, 201)
    assert invited["mailed"] is False
    renewed = await owner.send("POST", f"/users/{invited['user']['id']}/link", {}, 201)
    assert renewed["link"] != invited["link"]
    assert await UserLink.all().count() == 1


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"email": "not an address"}, None),
        ({"role": "god"}, "role"),
        ({"stores": [999]}, "stores"),
        ({"name": ""}, "name"),
        ({"password": "x"}, "password"),
    ],
)
async def test_an_unfit_invitation_names_what_is_wrong(shop: Shop, change: dict[str, Any], field: str | None) -> None:
    await make_user()
    problem = await (await sign_in(shop)).send("POST", "/users", EVA | change, 422)
    assert [error["field"] for error in problem["errors"]] == ([field] if field else [])
    assert problem["request_id"]


async def test_an_address_has_one_account(shop: Shop) -> None:
    await make_user("eva@example.com", "viewer")
    await make_user()
    problem = await (await sign_in(shop)).send("POST", "/users", EVA, 422)
    assert "account already" in problem["detail"]


async def test_whoever_may_less_is_signed_out(shop: Shop) -> None:
    await make_user()
    eva = await make_user("eva@example.com", "manager")
    owner, browser = await sign_in(shop), await sign_in(shop, "eva@example.com")
    await owner.send("PATCH", f"/users/{eva.id}", {"role": "viewer", "stores": [shop.store.id]})
    await browser.get("/session", 401)
    browser = await sign_in(shop, "eva@example.com")
    assert (await browser.get("/session"))["role"] == "viewer"
    row = await owner.send("PATCH", f"/users/{eva.id}", {"disabled": True})
    assert row["state"] == "disabled"
    await browser.get("/session", 401)
    assert [entry["before"]["role"] for entry in await audit_of("user.changed")] == ["manager", "viewer"]


@pytest.mark.parametrize("change", [{"role": "manager"}, {"disabled": True}])
async def test_somebody_stays_the_owner(shop: Shop, change: dict[str, Any]) -> None:
    me = await make_user()
    owner = await sign_in(shop)
    assert (await owner.send("PATCH", f"/users/{me.id}", change, 409))["type"].endswith("last-owner")
    await make_user("second@example.com")
    await owner.send("PATCH", f"/users/{me.id}", change)


async def test_a_key_opens_what_it_was_made_for(shop: Shop) -> None:
    await make_user()
    owner = await sign_in(shop)
    made = await owner.send("POST", "/api-keys", {"name": "sync", "scopes": ["stores:read"]}, 201)
    program = stranger(shop, authorization=f"Bearer {made['key']}")
    del program.client.headers["x-cartback"], program.client.headers["origin"]
    assert (await program.get("/session"))["kind"] == "key"
    await program.get("/connections")
    await program.get("/audit", 403)
    assert made["key"] not in str(await ApiKey.all().values())
    await owner.send("DELETE", f"/api-keys/{made['row']['id']}", status=204)
    await program.get("/connections", 401)


async def test_a_key_ends(shop: Shop) -> None:
    await make_user()
    owner = await sign_in(shop)
    body = {"name": "sync", "scopes": ["stores:read"], "days": 1}
    made = await owner.send("POST", "/api-keys", body, 201)
    await ApiKey.all().update(expires_at=SystemClock().now())
    await stranger(shop, authorization=f"Bearer {made['key']}").get("/connections", 401)


async def test_nobody_gives_away_more_than_they_hold(shop: Shop) -> None:
    other = await registry.add_store(
        shop.connection, "pl", "Tatra", language="pl", currency="PLN", timezone="Europe/Warsaw"
    )
    async with key_holder(shop, ["users:write", "stores:read"], [shop.store.id]) as program:
        await program.send("POST", "/api-keys", {"name": "x", "scopes": ["people:erase"]}, 403)
        body = {"name": "x", "scopes": ["stores:read"]}
        await program.send("POST", "/api-keys", body, 403)
        await program.send("POST", "/api-keys", body | {"stores": [other.id]}, 403)
        await program.send("POST", "/api-keys", body | {"stores": [shop.store.id]}, 201)


async def test_what_is_told_once_is_kept_nowhere(shop: Shop) -> None:
    await make_user()
    owner = await sign_in(shop)
    body = {"name": "sync", "scopes": ["stores:read"]}
    await owner.send("POST", "/api-keys", body, 201, idempotency_key="k")
    assert await IdempotentAnswer.all().count() == 0


async def test_the_same_idempotency_key_acts_once(shop: Shop) -> None:
    await make_user()
    owner = await sign_in(shop)
    path = f"/connections/{shop.connection.id}/stores"
    body = {"code": "de", "name": "Tatra", "currency": "EUR", "language": "de"}
    first = await owner.send("POST", path, body, 201, idempotency_key="k-1")
    assert await owner.send("POST", path, body, 201, idempotency_key="k-1") == first
    await owner.send("POST", path, body | {"code": "at"}, 422, idempotency_key="k-1")
    # What failed may be tried again with the same key.
    await owner.send("POST", path, body, 409, idempotency_key="k-2")
    await owner.send("POST", path, body | {"code": "at"}, 201, idempotency_key="k-2")


async def test_an_action_that_still_runs_is_not_begun_again(shop: Shop) -> None:
    await make_user()
    owner = await sign_in(shop)
    path = f"/connections/{shop.connection.id}/stores"
    body = {"code": "de", "name": "Tatra", "currency": "EUR"}
    await owner.send("POST", path, body, 201, idempotency_key="k")
    await IdempotentAnswer.all().update(status=None)
    response = await owner.call("POST", path, body, idempotency_key="k")
    assert (response.status_code, response.headers["retry-after"]) == (409, "2")
