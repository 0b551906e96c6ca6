"""Signing in to the API: passwords, sessions, links; and that nobody else gets in."""

import asyncio
import re
import time
from datetime import timedelta
from typing import Any

import pytest

from admin.access import throttle
from admin.access.scopes import Role
from admin.models import SignInFailure, User, UserLink, UserSession
from recovery import jobs
from recovery.clock import SystemClock
from tests.admin.api import PASSWORD, make_user, sign_in, stranger
from tests.shop import Shop
from tests.smtp_sink import SmtpSink


async def test_a_person_signs_in_and_out(shop: Shop) -> None:
    await make_user()
    visitor = stranger(shop)
    assert (await visitor.get("/session", 401))["type"] == "urn:cartback:problem:sign-in"
    response = await visitor.call("POST", "/session", {"email": " Owner@Example.com ", "password": PASSWORD})
    cookie = response.headers["set-cookie"]
    for part in ("cartback=", "HttpOnly", "SameSite=strict", "Path=/"):
        assert part in cookie
    me = await visitor.get("/session")
    assert (me["email"], me["role"], [store["code"] for store in me["stores"]]) == (
        "owner@example.com", "owner", [shop.store.code],
    )  # fmt: skip
    assert "users:write" in me["scopes"]
    await visitor.send("DELETE", "/session", status=204)
    await visitor.get("/session", 401)
    assert await UserSession.all().count() == 0


async def test_behind_https_the_cookie_is_bound_to_the_host(shop: Shop) -> None:
    await make_user()
    settings = shop.runtime.settings.model_copy(update={"public_url": "https://cartback.example.com"})
    old = shop.runtime
    visitor = stranger(shop)
    object.__setattr__(old, "settings", settings)
    response = await visitor.call("POST", "/session", {"email": "owner@example.com", "password": PASSWORD})
    assert response.headers["set-cookie"].startswith("__Host-cartback=")
    assert "; Secure" in response.headers["set-cookie"]


@pytest.mark.parametrize("email", ["owner@example.com", "nobody@example.com", "", "x" * 254])
async def test_a_wrong_password_says_nothing_about_the_account(shop: Shop, email: str) -> None:
    await make_user()
    problem = await stranger(shop).send("POST", "/session", {"email": email, "password": "wrong"}, 401)
    assert problem["detail"] == "This address and this password do not belong together."


@pytest.mark.parametrize("spoil", ["disabled", "invited"])
async def test_some_accounts_can_not_come_in(shop: Shop, spoil: str) -> None:
    user = await make_user()
    change: dict[str, dict[str, Any]] = {
        "disabled": {"disabled_at": SystemClock().now()},
        "invited": {"password_hash": None},
    }
    await User.filter(id=user.id).update(**change[spoil])
    await stranger(shop).send("POST", "/session", {"email": user.email, "password": PASSWORD}, 401)


async def test_guessing_becomes_slow_and_ends_by_itself(shop: Shop) -> None:
    user = await make_user()
    visitor = stranger(shop)
    await visitor.send("POST", "/session", {"email": user.email, "password": "wrong"}, 401)
    for _ in range(throttle.FREE_FOR_ACCOUNT + 5):
        await throttle.note_failure(user.email, "203.0.113.9", SystemClock().now())
    response = await visitor.call("POST", "/session", {"email": user.email, "password": PASSWORD})
    assert response.status_code == 429
    assert int(response.headers["retry-after"]) >= 1
    # Ten thousand guesses are as many failures: the wait has an end.
    now = SystemClock().now()
    await SignInFailure.bulk_create([SignInFailure(key=throttle.account_key(user.email), at=now) for _ in range(1000)])
    assert await throttle.seconds_to_wait(user.email, "203.0.113.9", now) <= throttle.LONGEST_WAIT.total_seconds()
    later = now + throttle.WINDOW + timedelta(seconds=1)
    assert await throttle.seconds_to_wait(user.email, "203.0.113.9", later) == 0


async def test_one_address_can_not_try_many_accounts(shop: Shop) -> None:
    now = SystemClock().now()
    for number in range(throttle.FREE_FOR_ADDRESS):
        await throttle.note_failure(f"user{number}@example.com", "203.0.113.9", now)
    assert await throttle.seconds_to_wait("another@example.com", "203.0.113.9", now) > 0
    assert await throttle.seconds_to_wait("another@example.com", "203.0.113.10", now) == 0


async def test_hashing_does_not_hold_the_loop(shop: Shop) -> None:
    user = await make_user()
    visitor = stranger(shop)
    guesses = [visitor.call("POST", "/session", {"email": user.email, "password": "wrong"}) for _ in range(4)]
    longest, running = 0.0, asyncio.gather(*guesses)
    while not running.done():
        before = time.thread_time()
        await asyncio.sleep(0)
        longest = max(longest, time.thread_time() - before)
    # The loop's own CPU time: a hash would take tens of milliseconds of it at once.
    assert longest < 0.02


async def test_sessions_end(shop: Shop) -> None:
    await make_user()
    visitor = await sign_in(shop)
    await UserSession.all().update(seen_at=SystemClock().now() - timedelta(hours=25))
    await visitor.get("/session", 401)
    visitor = await sign_in(shop)
    await UserSession.all().update(expires_at=SystemClock().now())
    await visitor.get("/session", 401)


async def test_people_see_and_end_their_own_sessions_only(shop: Shop) -> None:
    await make_user()
    await make_user("eva@example.com", "viewer")
    here, there = await sign_in(shop), await sign_in(shop, **{"user-agent": "phone\r\n<b>"})
    eva = await sign_in(shop, "eva@example.com")
    rows = (await here.get("/sessions"))["items"]
    assert [row["current"] for row in rows].count(True) == 1
    (other,) = [row["id"] for row in rows if not row["current"]]
    await eva.send("DELETE", f"/sessions/{other}", status=404)
    await here.send("DELETE", f"/sessions/{other}", status=204)
    await there.get("/session", 401)
    await here.get("/session")


async def test_a_changed_password_ends_the_other_sessions(shop: Shop) -> None:
    await make_user()
    here, there = await sign_in(shop), await sign_in(shop)
    await here.send("PUT", "/password", {"old": "wrong", "new": "a longer password"}, 401)
    await here.send("PUT", "/password", {"old": PASSWORD, "new": "short"}, 422)
    await here.send("PUT", "/password", {"old": PASSWORD, "new": "a longer password"}, 204)
    await here.get("/session")
    await there.get("/session", 401)
    await stranger(shop).send("POST", "/session", {"email": "owner@example.com", "password": PASSWORD}, 401)


async def test_a_forgotten_password_is_set_by_a_mailed_link_once(shop: Shop, smtp_sink: SmtpSink) -> None:
    await make_user()
    signed_in, visitor = await sign_in(shop), stranger(shop)
    nobody = await visitor.call("POST", "/password-reset", {"email": "nobody@example.com"})
    somebody = await visitor.call("POST", "/password-reset", {"email": "owner@example.com"})
    assert (nobody.status_code, nobody.content) == (somebody.status_code, somebody.content) == (202, b"")
    await jobs.notice(shop.runtime)
    (mail,) = smtp_sink.messages
    found = re.search(r"/admin/password#(\S+)", mail.text())
    assert found is not None
    token = found[1]
    assert token not in str(await UserLink.all().values())
    assert (await visitor.get(f"/links/{token}"))["kind"] == "reset"
    await visitor.send("POST", f"/links/{token}", {"password": "a quite new one"})
    await signed_in.get("/session", 401)
    assert (await visitor.get("/session"))["email"] == "owner@example.com"
    await visitor.send("POST", f"/links/{token}", {"password": "another new one"}, 404)


async def test_a_link_ends(shop: Shop) -> None:
    user = await make_user()
    visitor = stranger(shop)
    for _ in range(throttle.FREE_FOR_ACCOUNT):
        await visitor.send("POST", "/password-reset", {"email": user.email}, 202)
    await visitor.send("POST", "/password-reset", {"email": user.email}, 429)
    await UserLink.all().update(expires_at=SystemClock().now())
    await visitor.get("/links/anything", 404)


async def test_another_site_changes_nothing(shop: Shop) -> None:
    await make_user()
    visitor = await sign_in(shop)
    for headers in ({"x-cartback": ""}, {"origin": "https://evil.example"}, {"origin": "null"}):
        request = visitor.client.build_request("DELETE", "/api/v1/session", headers=headers)
        if headers.get("x-cartback") == "":
            del request.headers["x-cartback"]
        response = await visitor.client.send(request)
        assert (response.status_code, response.json()["type"]) == (403, "urn:cartback:problem:other-site"), headers
    await visitor.get("/session")


async def test_signing_in_again_makes_a_new_session(shop: Shop) -> None:
    """A session that somebody else planted before is not the one that is used after."""
    await make_user()
    visitor = stranger(shop)
    visitor.client.cookies.set("cartback", "planted", domain="127.0.0.1", path="/")
    response = await visitor.call("POST", "/session", {"email": "owner@example.com", "password": PASSWORD})
    assert "planted" not in response.headers["set-cookie"]
    assert await UserSession.all().count() == 1


@pytest.mark.parametrize(("role", "sees"), [("owner", True), ("manager", True), ("viewer", False)])
async def test_roles(shop: Shop, role: Role, sees: bool) -> None:
    await make_user("them@example.com", role)
    me = await (await sign_in(shop, "them@example.com")).get("/session")
    assert ("personal:read" in me["scopes"]) is sees
    assert ("users:write" in me["scopes"]) is (role == "owner")
