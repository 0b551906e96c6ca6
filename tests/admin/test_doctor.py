"""The doctor finds what is planted, says what to do, and keeps going when servers are away."""

from dataclasses import dataclass
from pathlib import Path

import pytest
import redis
from pydantic import SecretStr

from admin import doctor_servers
from admin.doctor import TOPICS, Finding, examine
from recovery import db
from recovery.clock import ShiftedClock
from recovery.models import Heartbeat, Installation
from recovery.settings import Settings
from tests.servers import database, execute, run_apart
from tests.shop import READY, SECRET_KEY, open_shop, settings_for
from tests.smtp_sink import SmtpSink


@dataclass
class Place:
    """An installation that nobody is connected to."""

    settings: Settings

    async def examine(self, topic: str = "", **changes: object) -> list[Finding]:
        return await examine(self.settings.model_copy(update=changes), topic)

    async def wrong(self, topic: str = "", **changes: object) -> dict[str, Finding]:
        found = await self.examine(topic, **changes)
        assert all(finding.fix for finding in found if finding.state == "wrong")
        # Whether the pages are built is for the front-end build, not for these tests.
        return {each.subject: each for each in found if each.state == "wrong" and each.subject != "Pages"}


@pytest.fixture
async def place(database_url: str, redis_url: str, smtp_sink: SmtpSink, tmp_path: Path) -> Place:
    """A healthy installation with a live store and a worker that has just given a sign of life."""
    settings = settings_for(database_url, redis_url, smtp_sink, state_dir=tmp_path)
    async with open_shop(settings) as shop:
        await shop.set(**READY)
        await shop.go("live")
        await shop.cart()
        rows = await db.client().execute_query_dict("SELECT now() AS at")
        await Heartbeat.create(name="worker", at=rows[0]["at"], worker="w")
    return Place(settings)


def one(found: list[Finding], subject: str) -> Finding:
    (finding,) = [each for each in found if each.subject == subject]
    return finding


async def test_a_healthy_installation_has_nothing_wrong(place: Place) -> None:
    found = await place.examine()
    assert await place.wrong() == {}
    subjects = {each.subject for each in found}
    expected = "Database Schema Redis Worker Model Clock Store~demo/en Hooks~of~demo Stored~secrets Secret~key"
    assert {name.replace("~", " ") for name in expected.split()} | {"Mail relay", "Public address", "Pages"} <= subjects
    assert one(found, "Worker").state == one(found, "Hooks of demo").state == one(found, "Database").state == "good"


async def test_with_the_database_away_the_rest_is_still_checked(place: Place) -> None:
    gone = "postgres://postgres@127.0.0.1:1/none"
    found = await place.examine(database_url=gone)
    assert one(found, "Database").state == "wrong"
    assert one(found, "Redis").state != "wrong"
    assert one(found, "Mail relay").state == "good"
    for subject in ("Worker", "Stores", "Hooks", "Clock", "Stored secrets"):
        assert one(found, subject).words.startswith("not checked")
    for topic in TOPICS:
        assert [each.subject for each in await place.examine(topic, database_url=gone)] == ["Database", topic]


@pytest.mark.parametrize("url", [None, "mysql://x@127.0.0.1/x", "postgres://x@127.0.0.1:port/x", "nonsense"])
async def test_an_unusable_database_address_is_told(place: Place, url: str | None) -> None:
    assert "Database" in await place.wrong(database_url=url)


async def test_a_wrong_password_and_a_missing_database_are_told(place: Place) -> None:
    url = place.settings.database_url or ""
    password = url.rpartition("@")[0].rpartition(":")[2]
    for broken in (url.replace(password, "guess"), database(url, "missing")):
        finding = (await place.wrong(database_url=broken))["Database"]
        assert password not in finding.words


async def test_a_schema_that_is_empty_behind_or_ahead_is_told(place: Place) -> None:
    url = place.settings.database_url or ""
    run_apart(execute(url, "DELETE FROM tortoise_migrations WHERE name = '0002_partial_indexes'"))
    behind = (await place.wrong())["Schema"]
    assert "0002_partial_indexes" in behind.words
    assert "cartback migrate" in behind.fix
    run_apart(execute(url, "DROP TABLE tortoise_migrations"))
    assert "cartback migrate" in (await place.wrong())["Schema"].fix


async def test_a_newer_schema_is_told(place: Place) -> None:
    insert = "INSERT INTO tortoise_migrations (app, name, applied_at) VALUES ('models', '9999_future', now())"
    run_apart(execute(place.settings.database_url or "", insert))
    assert "9999_future" in (await place.wrong())["Schema"].words


async def test_redis_away_or_nonsense_is_told(place: Place) -> None:
    for url in ("redis://127.0.0.1:1/0", "nonsense", None):
        assert "Redis" in await place.wrong(redis_url=url)


async def test_a_redis_that_drops_keys_is_noted(place: Place) -> None:
    with redis.Redis.from_url(place.settings.redis_url or "") as client:
        client.config_set("maxmemory-policy", "allkeys-lru")
        try:
            finding = one(await place.examine(), "Redis")
        finally:
            client.config_set("maxmemory-policy", "noeviction")
    assert finding.state == "note"
    assert "allkeys-lru" in finding.words
    assert "noeviction" in finding.fix


async def test_a_mail_relay_that_is_away_is_told(place: Place) -> None:
    finding = (await place.wrong(smtp_host="127.0.0.1", smtp_port=1))["Mail relay"]
    assert "127.0.0.1:1" in finding.words
    assert "CARTBACK_SMTP_HOST" in finding.fix


@pytest.mark.parametrize(
    ("url", "state"),
    [
        ("https://cartback.example.com", "good"),
        ("http://cartback.example.com", "wrong"),
        ("http://10.0.0.5:8000", "wrong"),
        ("http://127.0.0.1:8000", "note"),
        ("http://localhost:8000", "note"),
        ("https://", "wrong"),
    ],
)
def test_the_public_address_must_be_safe_for_customers(url: str, state: str) -> None:
    settings = settings_for("", "").model_copy(update={"public_url": url})
    assert doctor_servers.public_url(settings).state == state


async def test_secrets_of_another_key_are_told(place: Place) -> None:
    other = SecretStr("another-key-of-more-than-32-characters")
    finding = (await place.wrong(secret_key=other))["Stored secrets"]
    assert "connection demo's" in finding.words
    assert await place.wrong(secret_key=other, previous_secret_keys=[SecretStr(SECRET_KEY)]) == {}


async def test_a_key_file_that_others_can_read_or_that_is_short_is_told(place: Place) -> None:
    path = place.settings.state_dir / "secret.key"
    path.write_text(SECRET_KEY)
    path.chmod(0o644)
    assert "chmod 600" in (await place.wrong(secret_key=None))["Secret key"].fix
    path.chmod(0o600)
    assert await place.wrong(secret_key=None) == {}
    path.write_text("short")
    assert "5 characters" in (await place.wrong(secret_key=None))["Secret key"].words
    path.unlink()
    assert "openssl" in (await place.wrong(secret_key=None))["Secret key"].fix


async def test_a_database_that_was_only_migrated_is_a_fresh_start(
    database_url: str, redis_url: str, smtp_sink: SmtpSink, tmp_path: Path
) -> None:
    place = Place(settings_for(database_url, redis_url, smtp_sink, state_dir=tmp_path))
    assert set(await place.wrong()) == {"Stores", "Worker"}
    assert one(await place.examine(), "Stored secrets").state == "note"
    for topic in TOPICS:
        assert "failed" not in str(await place.examine(topic))
    async with db.connect(database_url):
        assert not await Installation.all().exists()


async def test_a_silent_worker_is_told(place: Place) -> None:
    url = place.settings.database_url or ""
    run_apart(execute(url, "UPDATE heartbeat SET at = now() - interval '3 hours'"))
    assert "silent for 3 h" in (await place.wrong())["Worker"].words
    run_apart(execute(url, "DELETE FROM heartbeat"))
    assert "no worker has ever run" in (await place.wrong())["Worker"].words


async def test_stores_that_can_not_send_are_told(place: Place) -> None:
    url = place.settings.database_url or ""
    run_apart(execute(url, "UPDATE store SET settings = '{}'"))
    assert "sender_address and postal_address" in (await place.wrong())["Store demo/en"].words
    found = await place.examine()
    assert any("consent policy" in each.words for each in found)
    run_apart(execute(url, "UPDATE store SET mode = 'observing', settings = '{\"enabled\": false}'"))
    words = [each.words for each in await place.examine() if each.subject == "Store demo/en"]
    assert any("sends nothing" in each for each in words)
    assert any("switched off" in each for each in words)


async def test_no_store_and_no_hook_are_told(place: Place) -> None:
    url = place.settings.database_url or ""
    run_apart(execute(url, "DELETE FROM hook_delivery"))
    assert "/hooks/v1/demo" in one(await place.examine(), "Hooks of demo").fix
    run_apart(execute(url, "DELETE FROM cart"))
    run_apart(execute(url, "DELETE FROM store"))
    assert "cartback stores add" in (await place.wrong())["Stores"].fix
    assert "Stores" in await place.wrong("carts")


async def test_refused_hooks_are_counted(place: Place) -> None:
    refuse = (
        "INSERT INTO rejected_delivery (connection_id, status, path, code, at) "
        "SELECT id, 422, 'data', 'missing', now() FROM connection"
    )
    url = place.settings.database_url or ""
    run_apart(execute(url, f"{refuse}, generate_series(1, 3)"))
    finding = (await place.wrong())["Hooks of demo"]
    assert "3 of the last 4" in finding.words


async def test_a_moved_demo_clock_is_noted(place: Place, tmp_path: Path) -> None:
    ShiftedClock(tmp_path / "clock").advance(90)
    found = await place.examine(clock_file=tmp_path / "clock")
    assert "1 h 30 min" in one(found, "Demo time").words
    assert one(found, "Public address").state == "good"


def test_pages_that_are_not_built_are_told(tmp_path: Path) -> None:
    missing = tmp_path / "assistant.js"
    assert doctor_servers.front_end(missing).state == "wrong"
    missing.touch()
    assert doctor_servers.front_end(missing).state == "good"


async def test_a_table_that_breaks_in_between_stops_only_its_own_check(place: Place) -> None:
    run_apart(execute(place.settings.database_url or "", "ALTER TABLE heartbeat RENAME TO lost"))
    found = await place.examine()
    assert "the database failed" in one(found, "Worker").words
    assert one(found, "Store demo/en").state == "good"
