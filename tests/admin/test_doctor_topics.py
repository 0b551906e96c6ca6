"""The classic questions are answered with numbers from the rows, and a report gives no address and no secret away."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from admin.doctor import TOPICS, Finding, examine, report_text
from recovery import jobs
from recovery.clock import SystemClock
from recovery.models import Abandonment, JobRun, LinkToken, RejectedDelivery
from recovery.settings import Settings
from tests.admin.test_pages import talk
from tests.chatbot.model_shop import choose
from tests.llm_server import LlmServer, refuses
from tests.recovery.mail_shop import cart_of, choose_writer, honest, sells, writes
from tests.shop import ADDRESS, READY, SECRET_KEY, Shop, open_shop, settings_for
from tests.smtp_sink import EVERYBODY, SmtpSink

CANARY = "very.secret.canary"


@pytest.fixture
def settings(database_url: str, redis_url: str, smtp_sink: SmtpSink, tmp_path: Path) -> Settings:
    return settings_for(database_url, redis_url, smtp_sink, state_dir=tmp_path)


@asynccontextmanager
async def live_shop(settings: Settings) -> AsyncIterator[Shop]:
    """A live shop an hour before the doctor comes."""
    async with open_shop(settings) as shop:
        shop.clock.moment = SystemClock().now() - timedelta(hours=1)
        await shop.set(**READY)
        await shop.go("live")
        yield shop


async def told(settings: Settings, topic: str, subject: str) -> str:
    """The lines of one subject as one text."""
    found = await examine(settings, topic)
    assert all(each.fix for each in found if each.state == "wrong")
    return lines(found, subject)


def lines(found: list[Finding], subject: str) -> str:
    return "\n".join(f"{each.state}: {each.words}" for each in found if each.subject.startswith(subject))


async def test_why_carts_are_not_detected_is_counted(settings: Settings) -> None:
    async with live_shop(settings) as shop:
        await shop.set(look_back_hours=2)
        await shop.cart("old", at=shop.now - timedelta(hours=5))
        await shop.cart("empty", items=[])
        await shop.cart("nameless", customer={})
        await shop.cart("nameless2", customer={})
        await shop.cart("gone", active=False)
        await shop.cart("bought")
        await shop.order(quote_id="bought")
        await shop.cart("left")
        shop.clock.advance(minutes=31)
        await shop.detect()
        await shop.cart("missed", at=shop.now - timedelta(minutes=10), customer={"email": "bo@example.com"})
        shop.clock.advance(minutes=20)
        await shop.cart("fresh", customer={"email": "cy@example.com"})
    words = await told(settings, "carts", "Carts of demo/en")
    for line in (
        "good: 1 cart detected",
        "note: 1 cart due",
        "note: 1 cart not left for long enough yet: 30 min",
        "note: 2 carts without an e-mail address",
        "note: 1 cart without items",
        "note: 1 cart left more than 2 h ago",
        "good: 1 cart deleted, merged or no longer for sale",
        "good: 1 cart ordered",
    ):
        assert line in words, (line, words)
    assert "no worker has ever run" in await told(settings, "carts", "Worker")
    assert "never run" in await told(settings, "carts", "Job detect")


async def test_a_switched_off_or_paused_store_detects_nothing(settings: Settings) -> None:
    async with live_shop(settings) as shop:
        await shop.set(enabled=False)
        await shop.go("paused")
    words = await told(settings, "carts", "Carts of demo/en")
    assert "wrong: the module is switched off" in words
    assert "wrong: the store is paused" in words
    assert "note: the shop has never sent one" in words
    assert "wrong: is paused" in await told(settings, "emails", "Store demo/en")


async def test_why_mails_do_not_go_is_counted(settings: Settings, smtp_sink: SmtpSink) -> None:
    async with live_shop(settings) as shop:
        await shop.set(min_intent_score=0.45, consent_policy="require")
        await shop.cart("low", checkout_stage="cart", customer={"email": "low@example.com"})
        await shop.cart("high", customer={"email": "high@example.com"})
        await shop.abandon()
        await shop.plan()
    words = await told(settings, "emails", "Decisions of demo/en")
    assert "note: 1 message waiting: There is no consent" in words
    assert "note: 1 message not sent: The intent score is below" in words
    assert "1 of the last 2 scored carts reach 0.45" in await told(settings, "emails", "Minimum score of demo/en")


async def test_a_minimum_that_lets_hardly_anything_through_is_noted(settings: Settings) -> None:
    async with live_shop(settings) as shop:
        await shop.cart()
        await shop.abandon()
        await shop.set(min_intent_score=0.9)
    (finding,) = [each for each in await examine(settings, "emails") if each.subject.startswith("Minimum score")]
    assert finding.state == "note"
    assert "min_intent_score 0.80" in finding.fix


async def test_refused_mails_show_the_relays_words(settings: Settings, smtp_sink: SmtpSink) -> None:
    smtp_sink.answer(EVERYBODY, "rcpt", 550, "5.1.1 no such mailbox", times=1)
    async with live_shop(settings) as shop:
        await shop.queue()
        await shop.deliver()
        await shop.queue("2", customer={"email": "bo@example.com"})
        await shop.deliver()
    words = await told(settings, "emails", "Mails of demo/en")
    assert "wrong: 1 mail failed; the relay's last refusal: 550 5.1.1 no such mailbox" in words
    assert "good: 1 mail sent" in words


async def test_an_observing_store_sends_nothing(settings: Settings) -> None:
    async with live_shop(settings) as shop:
        await shop.go("observing")
        await shop.cart()
        await shop.abandon()
        await shop.plan()
    assert "wrong: is observing" in await told(settings, "emails", "Store demo/en")
    assert "would have been sent" in await told(settings, "emails", "Decisions of demo/en")


async def test_a_relay_that_is_away_is_in_the_last_run(settings: Settings) -> None:
    away = settings.model_copy(update={"smtp_port": 1})
    async with live_shop(away) as shop:
        await shop.queue()
        await jobs.email(shop.runtime)
    assert "the mail relay can't be used" in await told(away, "emails", "Job email")


async def test_without_carts_there_are_no_scores(settings: Settings) -> None:
    async with live_shop(settings):
        pass
    assert "no cart was detected" in await told(settings, "ai-score", "Scores")


async def test_scores_tell_who_made_them(settings: Settings) -> None:
    async with live_shop(settings) as shop:
        await shop.cart()
        await shop.abandon()
        await shop.cart("2", customer={"email": "bo@example.com"})
        shop.clock.advance(minutes=31)
        await shop.detect()
        value = (await Abandonment.get(scored_at__isnull=False)).score
    words = await told(settings, "ai-score", "Scor")
    assert "what is built in scores every cart" in words
    assert f"1 cart of the last 30 days scored by heuristic: from {value:.2f} to {value:.2f}" in words
    assert "1 cart of the last 30 days not scored yet" in words


async def test_a_model_that_does_not_score_is_told(settings: Settings, llm_server: LlmServer) -> None:
    async with live_shop(settings) as shop:
        await choose(shop.runtime, "demo/en", llm_server)
        llm_server.script(refuses(401))
        await shop.cart()
        await shop.abandon()
    words = await told(settings, "ai-score", "Scor")
    assert "model-a is asked, and its score counts" in words
    assert "model-a did not score 1 cart of the last 24 hours: key refused" in words


async def test_whose_words_mails_have_is_told(settings: Settings, llm_server: LlmServer) -> None:
    async with live_shop(settings) as shop:
        await choose_writer(shop, llm_server)
        await sells(shop, "jacket")
        llm_server.script(writes(honest()), writes(honest(closing="Use code FREE100.")))
        for number in range(2):
            await shop.cart(str(number), **cart_of("en", customer={"email": f"a{number}@example.com"}))
            await shop.abandon()
            await shop.plan()
            await shop.deliver()
    words = await told(settings, "emails", "Words")
    assert "1 mail of the last 24 hours in the words of model-a" in words
    assert "model-a did not write 1 mail of the last 24 hours: what it wrote may not be sent; last: closing: " in words


async def test_an_assistant_without_knowledge_is_told(settings: Settings) -> None:
    async with live_shop(settings) as shop:
        await shop.queue()
        await shop.deliver()
    words = await told(settings, "assistant", "Assistant of demo/en")
    assert "wrong: it knows no product" in words
    assert "wrong: it knows no policy" in words
    assert "1 link sent in 30 days, 0 opened, 0 expired" in words
    assert "no question asked" in words


async def test_what_the_assistant_did_is_counted(settings: Settings) -> None:
    product = {"product_id": "K-12", "name": "Jacket", "price": 45999, "currency": "EUR", "in_stock": True}
    policy = {"key": "returns", "kind": "returns", "locale": "en", "title": "Returns", "text": "Within 30 days."}
    async with live_shop(settings) as shop:
        await shop.tell("product.updated", {"products": [product, product | {"product_id": "K-13"}]})
        await shop.tell("policy.updated", {"policies": [policy]})
        await shop.queue()
        await shop.deliver()
        await talk((await shop.episode()).cart_id, shop)
        await LinkToken.filter(kind="assistant").update(uses=1, expires_at=shop.now)
    words = await told(settings, "assistant", "Assistant of demo/en")
    assert "note: it knows 2 products, 2 of them without a description" in words
    assert "good: it knows 1 policy" in words
    assert "note: 1 link sent in 30 days, 1 opened, 1 expired" in words
    assert "good: 1 conversation in 30 days; answers: 1 by built-in (stop)" in words


async def test_an_assistant_link_that_is_switched_off_is_told(settings: Settings) -> None:
    async with live_shop(settings) as shop:
        await shop.set(assistant_link=False)
    assert "switched off" in await told(settings, "assistant", "Assistant of demo/en")


async def test_a_report_gives_no_address_and_no_secret_away(settings: Settings, smtp_sink: SmtpSink) -> None:
    address = f"{CANARY}@example.com"
    smtp_sink.answer(address, "rcpt", 550, f"<{address}> no such mailbox")
    secrets = {"smtp_password": SecretStr("the-smtp-password"), "smtp_username": "the-smtp-user"}
    async with live_shop(settings) as shop:
        hook_secret = shop.secret
        await shop.queue(customer={"email": address})
        await shop.deliver()
        at = shop.now
        await JobRun.create(job="email", started_at=at, finished_at=at, counts={"sent": 3}, error=f"en: to {address}")
        await RejectedDelivery.create(
            connection_id=shop.connection.id, status=422, path=f"data.{CANARY}%40example.com", code="missing", at=at
        )
    text = await report_text(settings.model_copy(update=secrets))
    assert CANARY not in text
    assert "v***@example.com" in text
    assert ADDRESS not in text
    password = (settings.database_url or "").rpartition("@")[0].rpartition(":")[2]
    for secret in (SECRET_KEY, "the-smtp-password", "the-smtp-user", password, hook_secret):
        assert secret not in text
    for part in ("Python 3", "starlette 1.", "PostgreSQL 1", "Valkey", "== Settings", "sweep_seconds = 30", "422",
                 "{'sent': 3}", "no such mailbox", *(f"== {topic}" for topic in TOPICS)):  # fmt: skip
        assert part in text, part


async def test_a_report_can_be_made_with_everything_away(tmp_path: Path) -> None:
    gone = settings_for(
        "postgres://u:a-password@127.0.0.1:1/x", "redis://:b-password@127.0.0.1:1/0", smtp_port=1, state_dir=tmp_path
    )
    text = await report_text(gone)
    assert "FAIL  Database" in text
    assert "a-password" not in text
    assert "b-password" not in text
