"""Outgoing webhooks: told if and only if it is so, signed, tried again for days, and nobody else is kept waiting."""

import asyncio
import re
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest

from recovery import cli_webhooks, db, jobs, privacy, webhooks, webhooks_endpoints
from recovery.clock import SystemClock
from recovery.errors import CartbackError, NotFound
from recovery.models import WebhookEndpoint, WebhookMessage
from recovery.outgoing import AddressRefused
from recovery.persons import suppress
from recovery.webhooks_delivery import SCHEDULE, Answer, wait_after
from tests.docs.pages import page
from tests.shop import ADDRESS, Shop
from tests.smtp_sink import SmtpSink
from tests.webhook_receiver import Misbehaviour, Receiver, ReceiverThread


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with ReceiverThread() as receiver:
        yield receiver


@pytest.fixture
def hurried(live: Shop) -> Shop:
    """A shop that waits a second at most for an endpoint."""
    return impatient(live)


def impatient(shop: Shop, seconds: float = 1) -> Shop:
    settings = shop.runtime.settings.model_copy(update={"webhook_timeout": seconds})
    object.__setattr__(shop.runtime, "settings", settings)
    return shop


async def listen(shop: Shop, receiver: Receiver, *events: str, with_email: bool = False) -> WebhookEndpoint:
    endpoint, secret = await webhooks_endpoints.add(
        shop.runtime, shop.connection.key, receiver.url, events, with_email=with_email
    )
    receiver.secrets.append(secret)
    return endpoint


async def sweep(shop: Shop) -> dict[str, int]:
    report = await jobs.tell(shop.runtime)
    assert not report.errors
    return report.counts


async def heard(receiver: Receiver) -> None:
    """Wait until something has come."""
    async with asyncio.timeout(20):
        await asyncio.to_thread(receiver.first.wait)


async def happen(shop: Shop, number: int = 1) -> None:
    """Something that is told of: somebody stops mails."""
    async with db.in_transaction():
        await suppress(shop.connection.id, f"h1:{number}", "manual", shop.now)


# What is told


async def test_the_way_of_a_cart_is_told(live: Shop, smtp_sink: SmtpSink, receiver: Receiver) -> None:
    await listen(live, receiver)
    mail = await live.queue()
    await live.deliver()
    text = smtp_sink.messages[-1].text("plain")
    live.clock.advance(minutes=1)
    await live.order()
    unsubscribe = re.findall(r"http://127\.0\.0\.1:8000(/u/\S+)", text)[0]
    assert (await live.client.post(unsubscribe)).status_code == 200
    assert await sweep(live) == {"delivered": 3}
    detected, recovered, suppressed = sorted(receiver.calls, key=lambda call: call["type"])
    episode = await live.episode()
    person = live.runtime.keys.email_hash(ADDRESS)
    cart = {"abandonment": episode.id, "store": "en", "quote_id": "1", "person": person, "arm": "treatment"}
    money = {"currency": "EUR", "currency_digits": 2}
    assert detected["data"] == cart | money | {"total": 45999}
    assert recovered["data"] == cart | money | {"order_id": "o1", "revenue": 46999, "attribution": "none"}
    assert suppressed["data"] == {"person": person, "cause": "unsubscribe", "store": "en"}
    assert [call["type"] for call in (detected, recovered, suppressed)] == [
        "abandonment.detected",
        "abandonment.recovered",
        "suppression.created",
    ]
    assert detected["timestamp"] == mail.created_at.isoformat()
    assert receiver.forged == 0
    assert len(set(receiver.ids)) == 3
    everything = b"".join(call["body"] for call in receiver.calls)
    assert ADDRESS.encode() not in everything
    assert b"Anna" not in everything


async def test_the_address_is_told_where_it_is_asked_for(live: Shop, receiver: Receiver) -> None:
    await listen(live, receiver, "suppression.created", with_email=True)
    await listen(live, receiver, "suppression.created")
    await live.cart()
    await live.tell("email.complained", {"email": ADDRESS, "at": live.now.isoformat()})
    await happen(live)
    await sweep(live)
    emails = sorted(str(call["data"].get("email", "-")) for call in receiver.calls)
    assert emails == ["-", "-", "None", ADDRESS]
    # One fact is one message, however many endpoints hear of it.
    assert len(set(receiver.ids)) == 2


async def test_only_what_is_asked_for_by_whom(live: Shop, receiver: Receiver) -> None:
    await listen(live, receiver, "abandonment.recovered")
    await happen(live)
    await live.cart()
    await live.abandon()
    assert await WebhookMessage.all().count() == 0
    await live.order()
    await live.order(state="cancelled", event="order.cancelled", at=live.clock.advance(minutes=1))
    await live.order(event="order.updated", at=live.clock.advance(minutes=1))
    assert await sweep(live) == {"delivered": 1}
    assert receiver.types == ["abandonment.recovered"]


async def test_what_is_undone_is_not_told(live: Shop, receiver: Receiver) -> None:
    await listen(live, receiver)

    async def undone() -> None:
        async with db.in_transaction():
            await suppress(live.connection.id, "h1:1", "manual", live.now)
            raise ValueError

    with pytest.raises(ValueError, match="^$"):
        await undone()
    assert await sweep(live) == {}
    assert await WebhookMessage.all().count() == 0


async def test_the_same_fact_is_told_once(live: Shop, receiver: Receiver) -> None:
    await listen(live, receiver)
    fact = webhooks.Fact("suppression.created", "suppression:1", live.now, None, {})
    await webhooks.publish(live.connection.id, fact, fact)
    await webhooks.publish(live.connection.id, fact)
    assert await sweep(live) == {"delivered": 1}


# When it does not arrive


@pytest.mark.parametrize(
    ("how", "answer"),
    [
        (Misbehaviour(status=500), (500, None)),
        (Misbehaviour(status=404), (404, None)),
        (Misbehaviour(status=302, headers={"location": "http://127.0.0.1:1/elsewhere"}), (302, None)),
        (Misbehaviour(reset=True), (None, "no answer (ReadError)")),
        (Misbehaviour(hang=True), (None, "no answer in time")),
    ],
    ids=["500", "404", "redirect", "reset", "hang"],
)
async def test_a_failure_comes_again_under_the_same_id(
    hurried: Shop, receiver: Receiver, how: Misbehaviour, answer: tuple[int | None, str | None]
) -> None:
    await listen(hurried, receiver)
    await happen(hurried)
    receiver.script.append(how)
    assert await sweep(hurried) == {"put off": 1}
    row = await WebhookMessage.get()
    assert (row.last_status, row.last_error) == answer
    assert await sweep(hurried) == {}
    hurried.clock.advance(seconds=6)
    assert await sweep(hurried) == {"delivered": 1}
    assert len(receiver.calls) == 2
    assert len(set(receiver.ids)) == 1
    assert receiver.calls[0]["body"] == receiver.calls[1]["body"]
    await row.refresh_from_db()
    assert (row.status, row.attempts, row.last_status, row.closed_at) == ("delivered", 2, 200, hurried.now)


async def test_it_is_tried_for_three_days_and_then_given_up(live: Shop, receiver: Receiver) -> None:
    await listen(live, receiver)
    await happen(live)
    receiver.always = Misbehaviour(status=503)
    started, moments = live.now, []
    while (row := await WebhookMessage.get()).status == "pending":
        live.clock.moment = max(live.now, row.next_attempt_at)
        await sweep(live)
        moments.append((live.now - started).total_seconds() / 3600)
    # The example schedule of the specification, hours since the start, each pause up to a tenth longer.
    told = [0, 5 / 3600, 305 / 3600, 2105 / 3600, 2.585, 7.585, 17.585, 31.585, 51.585, 75.585]
    assert len(moments) == len(told)
    assert all(plan - 0.01 <= real <= plan * 1.1 + 0.01 for plan, real in zip(told, moments, strict=True))
    assert (row.status, row.attempts) == ("failed", 10)
    # Somebody mends the endpoint and asks for it again.
    receiver.always = Misbehaviour()
    await webhooks_endpoints.resend(row.id, live.now)
    assert await sweep(live) == {"delivered": 1}
    assert set(receiver.ids) == {row.webhook_id}


def test_the_receiver_may_ask_for_more_time_but_not_for_ever() -> None:
    assert wait_after(1, Answer(429, retry_after=timedelta(hours=1))) == timedelta(hours=1)
    assert wait_after(1, Answer(429, retry_after=timedelta(days=9))) == timedelta(hours=24)
    assert timedelta(hours=24) <= wait_after(9, Answer(503, retry_after=timedelta(1))) <= timedelta(hours=27)
    assert all(SCHEDULE[n] <= wait_after(n, Answer(500)) <= SCHEDULE[n] * 1.1 for n in range(1, 10))


async def test_retry_after_is_kept(live: Shop, receiver: Receiver) -> None:
    await listen(live, receiver)
    await happen(live)
    receiver.script.append(Misbehaviour(status=429, headers={"retry-after": "600"}))
    await sweep(live)
    assert (await WebhookMessage.get()).next_attempt_at == live.now + timedelta(seconds=600)


async def test_gone_switches_the_endpoint_off_until_it_is_enabled(live: Shop, receiver: Receiver) -> None:
    endpoint = await listen(live, receiver)
    for number in range(3):
        await happen(live, number)
    receiver.always = Misbehaviour(status=410)
    counts = await sweep(live)
    assert set(counts) == {"failed"}
    await endpoint.refresh_from_db()
    assert (endpoint.disabled_at, endpoint.disabled_reason) == (live.now, "it answered 410 Gone")
    heard = len(receiver.calls)
    await happen(live, 9)  # nobody listens
    live.clock.advance(days=1)
    assert await sweep(live) == {}
    assert len(receiver.calls) == heard
    assert await WebhookMessage.all().count() == 3
    receiver.always = Misbehaviour()
    await webhooks_endpoints.enable(endpoint)
    await happen(live, 10)
    assert (await sweep(live))["delivered"] >= 1


async def test_an_endpoint_that_hangs_keeps_nobody_else_waiting(live: Shop, receiver: Receiver) -> None:
    impatient(live, 2)
    with ReceiverThread() as hanging:
        hanging.always = Misbehaviour(hang=True)
        await listen(live, hanging)
        await listen(live, receiver)
        for number in range(40):
            await happen(live, number)
        started = time.monotonic()
        counts = await sweep(live)
        took = time.monotonic() - started
    assert counts["delivered"] == len(receiver.calls) == 40
    # Four attempts at once, and none is begun after three have failed, whatever is queued.
    assert counts["put off"] == len(hanging.calls) <= 6
    assert receiver.most_open <= 4
    assert took < 30
    # What was not tried has lost nothing by that.
    assert await WebhookMessage.filter(attempts=0).count() == 40 - len(hanging.calls)


async def test_two_workers_deliver_each_message_once(live: Shop, receiver: Receiver) -> None:
    await listen(live, receiver)
    for number in range(30):
        await happen(live, number)
    await asyncio.gather(sweep(live), sweep(live), sweep(live))
    assert len(receiver.calls) == len(set(receiver.ids)) == 30


async def test_a_worker_that_dies_before_it_hears_the_answer_delivers_again(live: Shop, receiver: Receiver) -> None:
    await listen(live, receiver)
    await happen(live)
    receiver.script.append(Misbehaviour(hang=True))
    dying = asyncio.create_task(sweep(live))
    await heard(receiver)
    dying.cancel()
    with pytest.raises(asyncio.CancelledError):
        await dying
    assert await sweep(live) == {}  # its lease still holds
    await db.client().execute_query("UPDATE webhook_message SET lease_until = now() - interval '1 second'")
    assert await sweep(live) == {"delivered": 1}
    assert len(receiver.calls) == 2
    assert len(set(receiver.ids)) == 1


async def test_who_lost_a_message_changes_nothing_any_more(hurried: Shop, receiver: Receiver) -> None:
    await listen(hurried, receiver)
    await happen(hurried)
    receiver.script.append(Misbehaviour(hang=True))
    slow = asyncio.create_task(sweep(hurried))
    await heard(receiver)
    row = await webhooks_endpoints.resend((await WebhookMessage.get()).id, hurried.now)
    await slow
    await row.refresh_from_db()
    # Its failure did not put off what was asked for meanwhile.
    assert (row.status, row.attempts, row.last_error) == ("delivered", 1, None)


# Secrets and addresses


async def test_both_secrets_sign_while_a_rotation_lasts(live: Shop, receiver: Receiver) -> None:
    endpoint = await listen(live, receiver)
    real = SystemClock().now()
    receiver.secrets.append(await webhooks_endpoints.rotate(live.runtime, endpoint, 24, real))
    await happen(live)
    await sweep(live)
    assert receiver.calls[-1]["fits"] == [True, True]
    await webhooks_endpoints.rotate(live.runtime, endpoint, 1, real - timedelta(hours=2))
    receiver.secrets.append(live.runtime.keys.vault.open(endpoint.secret))
    await happen(live, 2)
    await sweep(live)
    assert receiver.calls[-1]["fits"] == [False, False, True]
    stored = await WebhookEndpoint.get()
    assert all(secret not in (stored.secret, stored.previous_secret) for secret in receiver.secrets)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("ftp://shop.example.com/x", "must look like"),
        ("shop.example.com/x", "must look like"),
        ("http://shop.example.com/x", "https"),
        ("https://user:word@shop.example.com/x", "user name"),
        ("https://shop.example.com:port/x", "no web address"),
        ("https://169.254.169.254/latest/meta-data", "metadata"),
        ("https://10.0.0.7/hook", "CARTBACK_ALLOW_PRIVATE_HOSTS"),
        ("https://[::ffff:10.0.0.7]/hook", "CARTBACK_ALLOW_PRIVATE_HOSTS"),
    ],
)
async def test_where_nothing_may_be_sent_no_endpoint_is_made(shop: Shop, url: str, words: str) -> None:
    with pytest.raises((CartbackError, AddressRefused), match=words):
        await webhooks_endpoints.add(shop.runtime, "demo", url, (), with_email=False)
    with pytest.raises(CartbackError, match="no event 'x'"):
        await webhooks_endpoints.add(shop.runtime, "demo", "https://127.0.0.1/x", ("x",), with_email=False)
    with pytest.raises(NotFound):
        await webhooks_endpoints.add(shop.runtime, "none", "https://127.0.0.1/x", (), with_email=False)


async def test_an_address_that_leads_inside_by_now_is_not_asked(live: Shop, receiver: Receiver) -> None:
    endpoint = await listen(live, receiver)
    await WebhookEndpoint.filter(id=endpoint.id).update(url="https://169.254.169.254/latest")
    await happen(live)
    assert await sweep(live) == {"put off": 1}
    assert "refused" in str((await WebhookMessage.get()).last_error)


async def test_old_messages_are_forgotten(live: Shop, receiver: Receiver) -> None:
    await listen(live, receiver)
    await happen(live)
    assert (await privacy.retain(live.runtime.keys, live.now + timedelta(days=29)))["webhooks"] == 0
    await sweep(live)
    assert (await privacy.retain(live.runtime.keys, live.now + timedelta(days=29)))["webhooks"] == 0
    assert (await privacy.retain(live.runtime.keys, live.now + timedelta(days=31)))["webhooks"] == 1


async def test_the_lists_tell_what_the_page_says(
    live: Shop, receiver: Receiver, capsys: pytest.CaptureFixture[str]
) -> None:
    await listen(live, receiver, "suppression.created")
    for number in range(2):
        await happen(live, number)
    receiver.script.append(Misbehaviour(status=500))
    await sweep(live)
    endpoint = await cli_webhooks._told(await WebhookEndpoint.get().prefetch_related("connection"))
    assert (endpoint["connection"], endpoint["state"], endpoint["pending"], endpoint["failed"]) == (
        "demo",
        "enabled",
        1,
        0,
    )
    messages = [cli_webhooks._message(row) for row in await WebhookMessage.all()]
    assert sorted((each["status"], each["answer"]) for each in messages) == [("delivered", 200), ("pending", 500)]
    for name, told in (("list", endpoint), ("deliveries", messages[0])):
        shape = page("docs/cli.md").section(f"`cartback webhooks {name}`").rows()["--json"][0]
        assert set(told) == set(re.findall(r'"(\w+)"', shape))
    cli_webhooks._show([endpoint], False, "")
    assert re.search(
        r"^ID +CONNECTION +URL +EVENTS +WITH EMAIL +STATE +PENDING +FAILED$", capsys.readouterr().out, re.M
    )
