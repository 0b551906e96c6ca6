"""Only somebody at this machine with a fresh link gets in, once per link."""

from datetime import timedelta

import httpx2
import pytest
from starlette.requests import Request
from starlette.responses import Response

from admin.models import AdminSession
from admin.signin import LINK_LIFE, SESSION_LIFE, make_admin_link, open_link, signed_in
from chatbot.app import create_app
from recovery import db
from recovery.clock import SystemClock
from recovery.doorbell import Doorbell
from recovery.runtime import Runtime
from recovery.secrets import Keys, Vault
from tests.shop import SECRET_KEY, Shop, settings_for

PATHS = ["/admin", "/admin/carts/1", "/admin/conversations", "/admin/hooks", "/admin/open/x", "/admin/static/admin.css"]
PAGE = {"accept": "text/html"}


def from_address(shop: Shop, host: str) -> httpx2.AsyncClient:
    app = create_app({"runtime": shop.runtime, "chat": None}, ())

    async def with_state(scope, receive, send):  # type: ignore[no-untyped-def]
        scope["state"] = {"runtime": shop.runtime, "chat": None}
        await app(scope, receive, send)

    transport = httpx2.ASGITransport(with_state, client=(host, 50000))
    return httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000", cookies=dict(shop.client.cookies))


async def test_a_link_opens_the_page_once(shop: Shop) -> None:
    link = await make_admin_link(SystemClock().now())
    opened = await shop.client.get(link)
    assert (opened.status_code, opened.headers["location"]) == (303, "/admin")
    cookie = opened.headers["set-cookie"]
    for part in ("HttpOnly", "SameSite=strict", "Path=/admin", f"Max-Age={int(SESSION_LIFE.total_seconds())}"):
        assert part in cookie
    assert "Secure" not in cookie
    assert (await shop.client.get("/admin")).status_code == 200

    again = await shop.client.get(link)
    assert again.status_code == 403
    assert "cartback admin-link" in again.text


async def test_without_a_session_every_page_tells_how_to_get_one(shop: Shop) -> None:
    for path in ("/admin", "/admin/carts/1", "/admin/conversations", "/admin/hooks"):
        response = await shop.client.get(path)
        assert response.status_code == 403
        assert "cartback admin-link" in response.text
        assert "start page" not in response.text


async def test_the_demo_points_to_its_start_page(shop: Shop, tmp_path: object) -> None:
    settings = shop.runtime.settings.model_copy(update={"clock_file": tmp_path})
    shop.runtime = Runtime(settings, shop.runtime.clock, shop.runtime.keys, shop.runtime.doorbell)
    async with from_address(shop, "127.0.0.1") as visitor:
        assert 'href="/"' in (await visitor.get("/admin")).text


async def test_links_and_sessions_end(shop: Shop) -> None:
    late = await make_admin_link(SystemClock().now() - LINK_LIFE - timedelta(seconds=1))
    assert (await shop.client.get(late)).status_code == 403

    await shop.client.get(await make_admin_link(SystemClock().now()))
    assert (await shop.client.get("/admin")).status_code == 200
    await AdminSession.all().update(expires_at=SystemClock().now())
    assert (await shop.client.get("/admin")).status_code == 403


async def test_only_hashes_are_kept_and_old_rows_go(shop: Shop) -> None:
    link = await make_admin_link(SystemClock().now() - LINK_LIFE * 2)
    (row,) = await AdminSession.all().values()
    assert link.rpartition("/")[2] not in str(row)
    await shop.client.get(await make_admin_link(SystemClock().now()))
    (row,) = await AdminSession.all().values()
    assert shop.client.cookies["cartback_admin"] not in str(row)


async def test_moving_the_demo_time_ends_no_session(admin: httpx2.AsyncClient, shop: Shop) -> None:
    await make_admin_link(shop.clock.advance(days=30))
    assert (await admin.get("/admin")).status_code == 200


@pytest.mark.parametrize("host", ["203.0.113.7", "10.0.0.1", "2001:db8::1", "unix", ""])
async def test_a_stranger_sees_nothing_at_all(admin: httpx2.AsyncClient, shop: Shop, host: str) -> None:
    async with from_address(shop, host) as stranger:
        for path in PATHS:
            assert (await stranger.get(path, headers=PAGE)).status_code == 404, path


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.10", "::1", "::ffff:127.0.0.1"])
async def test_this_machine_has_many_names(admin: httpx2.AsyncClient, shop: Shop, host: str) -> None:
    async with from_address(shop, host) as visitor:
        assert (await visitor.get("/admin")).status_code == 200


@pytest.mark.parametrize(
    "header",
    [
        {"x-forwarded-for": "127.0.0.1"},
        {"forwarded": "for=127.0.0.1"},
        {"x-forwarded-host": "cartback.example.com"},
        {"x-real-ip": "127.0.0.1"},
        {"via": "1.1 proxy"},
    ],
)
async def test_nobody_comes_through_a_proxy(admin: httpx2.AsyncClient, header: dict[str, str]) -> None:
    for path in PATHS:
        assert (await admin.get(path, headers=header)).status_code == 404, path


async def test_a_stranger_does_not_use_up_a_link(shop: Shop) -> None:
    link = await make_admin_link(SystemClock().now())
    async with from_address(shop, "203.0.113.7") as stranger:
        assert (await stranger.get(link)).status_code == 404
    assert (await shop.client.get(link)).status_code == 303


async def test_behind_https_the_cookie_is_secure(shop: Shop) -> None:
    link = await make_admin_link(SystemClock().now())
    async with from_address(shop, "127.0.0.1") as visitor:
        cookie = (await visitor.get(f"https://127.0.0.1:8000{link}")).headers["set-cookie"]
    assert cookie.startswith("__Secure-cartback_admin=")
    assert "; Secure" in cookie


async def test_with_the_database_away_a_page_says_so() -> None:
    url = "postgres://nobody@127.0.0.1:1/none"
    settings = settings_for(url, "redis://127.0.0.1:1/0")
    keys = Keys((SECRET_KEY,), Vault([SECRET_KEY]), b"", b"")
    runtime = Runtime(settings, SystemClock(), keys, Doorbell("redis://127.0.0.1:1/0"))

    async def never(request: Request) -> Response:
        raise AssertionError("nobody is signed in")

    scope = {
        "type": "http", "method": "GET", "path": "/admin", "query_string": b"", "client": ("127.0.0.1", 1),
        "headers": [(b"cookie", b"cartback_admin=x")], "path_params": {"token": "x"}, "state": {"runtime": runtime},
    }  # fmt: skip
    async with db.connect(url):
        for endpoint in (signed_in(never), open_link):
            response = await endpoint(Request(scope))
            assert response.status_code == 503
            assert b"cartback doctor" in response.body
