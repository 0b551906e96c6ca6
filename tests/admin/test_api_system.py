"""The system over the API: what runs, what the doctor finds, and running a job now."""

from admin.models import AuditEntry
from tests.admin.api import key_holder, make_user, sign_in
from tests.shop import Shop


async def test_it_tells_what_runs(shop: Shop) -> None:
    await make_user()
    visitor = await sign_in(shop)
    told = await visitor.get("/system")
    assert (told["database"], told["redis"], told["worker"], told["last_runs"]) == ("ok", "ok", "never seen", [])
    await shop.cart()
    shop.clock.advance(minutes=31)
    assert (await visitor.send("POST", "/jobs/detect", {"dry_run": True}))["counts"] == {"detected": 1}
    assert await shop.episodes() == []
    assert await AuditEntry.all().count() == 0
    assert (await visitor.send("POST", "/jobs/detect", {"store": shop.store.id}))["counts"] == {"detected": 1}
    assert len(await shop.episodes()) == 1
    assert [run["job"] for run in (await visitor.get("/system/runs"))["items"]] == ["detect"]
    assert await AuditEntry.filter(action="job.run").count() == 1
    await visitor.send("POST", "/jobs/nonsense", {}, 404)


async def test_the_doctor_speaks_here_too(shop: Shop) -> None:
    await make_user()
    found = (await (await sign_in(shop)).get("/system/doctor"))["items"]
    states = {each["subject"]: each["state"] for each in found}
    assert states["Database"] == "good"
    assert states["Worker"] == "wrong"
    assert all(each["fix"] for each in found if each["state"] == "wrong")


async def test_who_sees_some_stores_runs_jobs_for_these(shop: Shop) -> None:
    async with key_holder(shop, ["jobs:run"], [shop.store.id]) as program:
        await program.send("POST", "/jobs/detect", {}, 422)
        await program.send("POST", "/jobs/detect", {"store": shop.store.id + 1}, 404)
        await program.send("POST", "/jobs/detect", {"store": shop.store.id})
