"""Settings over the API: shown with where they come from, changed without losing an update, secrets never shown."""

from typing import Any

import pytest

from admin.models import AuditEntry
from recovery.store_settings import StoreSettings
from recovery.stores import registry
from tests.admin.api import make_user, sign_in
from tests.shop import Shop


async def test_every_setting_is_described(shop: Shop) -> None:
    await make_user()
    fields = (await (await sign_in(shop)).get("/settings/fields"))["items"]
    assert {field["name"] for field in fields} == set(StoreSettings.model_fields)
    (threshold,) = [field for field in fields if field["name"] == "min_intent_score"]
    assert (threshold["default"], threshold["value_schema"]["maximum"], threshold["group"]) == (0.45, 1, "campaign")
    assert [field["name"] for field in fields if field["secret"]] == ["ai_api_key"]
    assert "$ref" not in str(fields)


async def test_a_change_counts_at_once_and_is_written_down(shop: Shop) -> None:
    await make_user()
    owner = await sign_in(shop)
    path = f"/stores/{shop.store.id}/settings"
    seen = await owner.get(path)
    changed = await owner.send("PATCH", path, {"inactivity_minutes": 45}, if_match=f'"{seen["version"]}"')
    assert changed["values"]["inactivity_minutes"] == 45
    assert "inactivity_minutes" in changed["own"]
    assert (await shop.in_force()).settings.inactivity_minutes == 45
    (entry,) = await AuditEntry.filter(action="settings.changed")
    assert (entry.before, entry.after, entry.store_id) == (
        {"inactivity_minutes": 30}, {"inactivity_minutes": 45}, shop.store.id,
    )  # fmt: skip
    back = await owner.send("PATCH", path, {"inactivity_minutes": None}, if_match=f'"{changed["version"]}"')
    assert back["values"]["inactivity_minutes"] == 30
    assert "inactivity_minutes" not in back["own"]


async def test_two_who_change_at_once_lose_nothing(shop: Shop) -> None:
    await make_user()
    owner = await sign_in(shop)
    path = f"/stores/{shop.store.id}/settings"
    version = f'"{(await owner.get(path))["version"]}"'
    await owner.send("PATCH", path, {"inactivity_minutes": 45}, 428)
    await owner.send("PATCH", path, {"inactivity_minutes": 45}, if_match=version)
    problem = await owner.send("PATCH", path, {"inactivity_minutes": 50}, 412, if_match=version)
    assert "look at them again" in problem["detail"]
    assert (await owner.get(path))["values"]["inactivity_minutes"] == 45


@pytest.mark.parametrize("changes", [{"inactivity_minutes": 0}, {"no_such": 1}, {"steps": [{"delay_minutes": "1"}]}])
async def test_an_unfit_value_changes_nothing(shop: Shop, changes: dict[str, Any]) -> None:
    await make_user()
    owner = await sign_in(shop)
    path = f"/stores/{shop.store.id}/settings"
    seen = await owner.get(path)
    problem = await owner.send("PATCH", path, changes, 422, if_match=f'"{seen["version"]}"')
    assert next(iter(changes)) in problem["detail"]
    assert await owner.get(path) == seen


async def test_a_secret_is_never_shown_again(shop: Shop) -> None:
    await make_user()
    owner = await sign_in(shop)
    path = f"/stores/{shop.store.id}/settings"
    version = f'"{(await owner.get(path))["version"]}"'
    secret = "sk-canary-0123456789-abcd"
    changed = await owner.send("PATCH", path, {"ai_api_key": secret}, if_match=version)
    assert changed["values"]["ai_api_key"] == "set, ends in …abcd"
    assert secret not in str(changed)
    assert secret not in str(await AuditEntry.all().values())


async def test_what_stores_inherit_is_changed_by_who_sees_all(shop: Shop) -> None:
    await make_user()
    await make_user("eva@example.com", "manager", [shop.store.id])
    owner, eva = await sign_in(shop), await sign_in(shop, "eva@example.com")
    version = f'"{(await owner.get("/settings"))["version"]}"'
    await eva.send("PATCH", "/settings", {"expire_days": 7}, 403, if_match=version)
    await owner.send("PATCH", "/settings", {"expire_days": 7}, if_match=version)
    told = await eva.get(f"/stores/{shop.store.id}/settings")
    assert (told["values"]["expire_days"], "expire_days" in told["own"]) == (7, False)


async def test_stores_are_made_and_set_live(shop: Shop) -> None:
    await make_user()
    owner = await sign_in(shop)
    made = await owner.send(
        "POST", "/connections", {"key": "second", "name": "Second", "base_url": "https://second.example.com"}, 201
    )
    assert made["secret"].startswith("whsec_")
    path = f"/connections/{made['connection']}"
    body = {"code": "en", "name": "Second", "currency": "EUR", "timezone": "Europe/Berlin"}
    store = await owner.send("POST", f"{path}/stores", body, 201)
    assert store["mode"] == "observing"
    live = await owner.send("PUT", f"/stores/{store['id']}/mode", {"mode": "live"})
    assert (live["mode"], live["live_since"] is not None) == ("live", True)
    rotated = await owner.send("POST", f"{path}/secret", {"grace_hours": 1})
    assert rotated["secret"] != made["secret"]
    hosts = (await owner.send("POST", f"{path}/hosts", {"host": "media.second.example.com"}))["hosts"]
    assert "media.second.example.com" in hosts
    keys = [row["key"] for row in (await owner.get("/connections"))["items"]]
    assert keys == ["demo", "second"]
    actions = [row["action"] for row in (await owner.get("/audit"))["items"]]
    assert actions == [
        "connection.host_allowed", "connection.secret_rotated", "store.mode", "store.added", "connection.added",
    ]  # fmt: skip
    for secret in (made["secret"], rotated["secret"]):
        assert secret not in str(await AuditEntry.all().values())


@pytest.mark.parametrize(
    "wrong", [{"currency": "XXY"}, {"timezone": "Mars/Base"}, {"code": "en"}, {"currency": "eur"}, {"code": "a b"}]
)
async def test_an_unfit_store_is_refused(shop: Shop, wrong: dict[str, str]) -> None:
    await make_user()
    owner = await sign_in(shop)
    body = {"code": "de", "name": "Tatra", "currency": "EUR"} | wrong
    response = await owner.call("POST", f"/connections/{shop.connection.id}/stores", body)
    assert response.status_code in {409, 422}
    assert len(await registry.all_in_force()) == 1


async def test_the_changes_come_in_pages(shop: Shop) -> None:
    await make_user()
    owner = await sign_in(shop)
    for mode in ("paused", "observing", "live") * 3:
        await owner.send("PUT", f"/stores/{shop.store.id}/mode", {"mode": mode})
    seen, after = [], ""
    while True:
        page = await owner.get(f"/audit?limit=4{after}")
        seen += [row["id"] for row in page["items"]]
        if page["next"] is None:
            break
        after = f"&after={page['next']}"
    assert len(seen) == len(set(seen)) == page["total"] == 9
    assert seen == sorted(seen, reverse=True)
    for bad in ("x", "WzFd", "bnVsbA", "%20"):
        if bad != "WzFd":
            await owner.get(f"/audit?after={bad}", 422)
    assert (await owner.get("/audit?after=WzFd"))["items"] == []
    await owner.get("/audit?limit=0", 422)
    await owner.get("/audit?no_such=1", 422)
