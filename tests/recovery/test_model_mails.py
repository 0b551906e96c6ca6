"""Mails written by a store's model: checked, written once, ready-made whatever befalls the model; seen at the sink."""

import asyncio
import json
from typing import Any

import pytest

from recovery import budgets, db, delivery
from recovery.explain import explain
from recovery.llm import Deadlines
from recovery.llm_batch import AT_ONCE, Window
from recovery.models import Email, LlmBudget
from recovery.outbox import LostClaim
from tests.chatbot.conftest import wait_until
from tests.llm_server import HTML, LlmServer, Reply, refuses, says
from tests.recovery.mail_drafts import BROKEN, HONEST
from tests.recovery.mail_shop import cart_of, choose_writer, honest, sells, writes
from tests.shop import ADDRESS, Shop, item
from tests.smtp_sink import SmtpSink

READY_MADE = "you left 2 products in your cart at Tatra. We have kept everything for you"


@pytest.fixture
async def writer(live: Shop, llm_server: LlmServer) -> Shop:
    """A live English shop with a model for its mails."""
    await choose_writer(live, llm_server)
    await sells(live, "jacket")
    await sells(live, "socks")
    return live


async def queue(shop: Shop, *quote_ids: str, language: str = "en", **told: Any) -> None:
    """Bring carts to queued mails, each of a person of its own."""
    for quote_id in quote_ids:
        customer = {"email": f"a{quote_id}@example.com", "first_name": "Anna"}
        await shop.cart(quote_id, **cart_of(language, customer=customer, **told))
    await shop.abandon()
    await shop.plan()


async def mailed(shop: Shop, sink: SmtpSink, quote_id: str = "1") -> tuple[Email, str, str]:
    """The row of one cart's mail, its subject and its text as the sink received it."""
    row = await Email.get(abandonment__cart__quote_id=quote_id)
    (received,) = sink.to(f"a{quote_id}@example.com")
    return row, str(received.message["Subject"]), received.text()


async def test_a_models_words_go_out_in_every_part(writer: Shop, llm_server: LlmServer, smtp_sink: SmtpSink) -> None:
    await queue(writer, "1")
    assert (await writer.deliver()).counts == {"sent": 1}
    row, subject, text = await mailed(writer, smtp_sink)
    draft = honest()
    assert subject == draft["subject"]
    html = smtp_sink.to("a1@example.com")[0].text("html")
    for words in (draft["intro"], *draft["bullets"], draft["closing"]):
        assert words in text
        assert words in html
    assert draft["preheader"] in html
    # What is ours stays: greeting, lines with prices, why one gets it.
    for ours in ("Hello,\n", "€239.00", "Long Street 1", "You get this mail because"):
        assert ours in text
    assert (row.written_by, row.words_model, row.words_cause) == ("model", "model-a", None)
    assert {(budget.used, budget.reserved) for budget in await LlmBudget.all()} == {(row.words_tokens, 0)}
    (told,) = await explain(writer.runtime, "1", writer.now)
    assert "Its words are by model-a." in " ".join(told.sentences)


async def test_words_are_written_once(writer: Shop, llm_server: LlmServer, smtp_sink: SmtpSink) -> None:
    smtp_sink.answer("a1@example.com", at="data", code=451, times=1)
    await queue(writer, "1")
    assert (await writer.deliver()).counts == {"retry": 1}
    await writer.set(ai_emails=False)
    writer.clock.advance(minutes=10)
    assert (await writer.deliver()).counts == {"sent": 1}
    assert len(llm_server.asked) == 1
    assert (await mailed(writer, smtp_sink))[1] == honest()["subject"]


UNUSABLE = {
    "prose": (says("Dear customer"), "broken"),
    "html": (HTML, "broken"),
    "a part is missing": (writes({"subject": "Your cart"}), "broken"),
    "cut": (writes(honest(), fault="cut"), "broken"),
    "cut at the limit": (writes(honest(), finish="length"), "broken"),
    "filtered": (writes(honest(), finish="content_filter"), "filtered"),
    "the key": (refuses(401), "key_refused"),
    "no credit": (refuses(402), "no_credit"),
    "its server fails": (refuses(500, retry_after="60"), "server_fails"),
    "a link": (writes(honest(closing="See https://evil.example now.")), "refused_words"),
    "a price": (writes(honest(intro=f"{honest()['intro']} All for €5.00.")), "refused_words"),
    "a broken rule": (writes(honest(subject=BROKEN["en"]["watching"][0])), "refused_words"),
}


async def test_whatever_fails_the_ready_made_words_go(writer: Shop, llm_server: LlmServer, smtp_sink: SmtpSink) -> None:
    for number, (name, (reply, cause)) in enumerate(UNUSABLE.items()):
        llm_server.script(reply)
        await queue(writer, str(number))
        assert (await writer.deliver()).counts == {"sent": 1}, name
        row, subject, text = await mailed(writer, smtp_sink, str(number))
        assert (row.written_by, row.words_cause, row.words_model) == ("ready_made", cause, "model-a"), name
        assert READY_MADE in text, name
        assert subject == "Pick up where you left off at Tatra", name
        await queue(writer, f"{number}b")  # else its breaker opens
        await writer.deliver()
        assert (await Email.get(abandonment__cart__quote_id=f"{number}b")).written_by == "model"
    (told,) = await explain(writer.runtime, "10", writer.now)
    assert (
        "Its words are ready-made, because model-a did not write them: what it wrote may not be sent "
        "(intro: unbacked claim of price (5.00))." in " ".join(told.sentences)
    )


async def test_what_is_never_asked(writer: Shop, llm_server: LlmServer, smtp_sink: SmtpSink) -> None:
    await queue(writer, "1", payment_failed=True)
    await writer.deliver()
    row, _, text = await mailed(writer, smtp_sink)
    assert (row.words_cause, "did not go through" in text) == ("payment_failed", True)
    await writer.set(ai_emails=False)
    await queue(writer, "2")
    await writer.deliver()
    row, _, _ = await mailed(writer, smtp_sink, "2")
    assert (row.written_by, row.words_cause) == ("ready_made", None)
    await choose_writer(writer, llm_server, language="de-AT")
    await writer.set(ai_emails=True)
    await queue(writer, "3")
    await writer.deliver()
    assert (await mailed(writer, smtp_sink, "3"))[0].words_cause == "language"
    assert llm_server.asked == []


async def test_a_used_up_budget_sends_the_ready_made_words(
    writer: Shop, llm_server: LlmServer, smtp_sink: SmtpSink
) -> None:
    budget = budgets.of_batch(writer.store.id, writer.now)
    await LlmBudget.create(key=budget.key, cap=budget.cap, used=budget.cap - 100, reserved=0, changed_at=writer.now)
    await queue(writer, "1")
    await writer.deliver()
    assert (await mailed(writer, smtp_sink))[0].words_cause == "budget"
    assert llm_server.asked == []


async def test_a_dead_model_holds_up_no_mail(writer: Shop, llm_server: LlmServer, smtp_sink: SmtpSink) -> None:
    llm_server.behaviour = lambda asked: Reply(fault="hang")
    await queue(writer, *map(str, range(12)))
    store = await writer.in_force()
    run = delivery.EmailSweep(writer.runtime, store, 100)
    run.window = Window(writer.runtime, store, 60, Deadlines(connect=1, first=0.5, between=0.5, total=0.5))
    await run.run()
    assert run.counts == {"sent": 12}
    rows = await Email.all()
    assert {row.words_cause for row in rows} == {"too_slow", "resting"}
    before = len(llm_server.asked)
    assert before <= 5 + AT_ONCE
    await queue(writer, "a", "b")
    assert (await writer.deliver()).counts == {"sent": 2}
    assert len(llm_server.asked) == before


async def test_an_order_while_the_model_writes_takes_the_mail_back(
    writer: Shop, llm_server: LlmServer, smtp_sink: SmtpSink
) -> None:
    """No transaction waits for the model, so the order is taken at once, and the mail does not go."""
    await queue(writer, "1")
    llm_server.script(Reply(fault="hang"))
    store = await writer.in_force()
    run = delivery.EmailSweep(writer.runtime, store, 100)
    run.window = Window(writer.runtime, store, 60, Deadlines(connect=1, first=1.5, between=1.5, total=1.5))
    sending = asyncio.create_task(run.run())
    async with asyncio.timeout(10):
        await wait_until(lambda: bool(llm_server.asked))
    open_ones = await db.client().execute_query_dict(
        "SELECT count(*)::int AS n FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'"
        " AND datname = current_database()"
    )
    assert open_ones == [{"n": 0}]
    await writer.order(customer={"email": "a1@example.com"})
    await sending
    assert (run.counts, smtp_sink.messages) == ({"lost": 1}, [])
    assert (await Email.get()).status == "cancelled"


async def test_whoever_lost_the_mail_does_not_ask_for_its_words(writer: Shop, llm_server: LlmServer) -> None:
    await queue(writer, "1")
    run = delivery.EmailSweep(writer.runtime, await writer.in_force(), 100)
    claim = await run._claim()
    assert claim is not None
    await db.client().execute_query("UPDATE email SET lease_until = now() - interval '1 second'")
    with pytest.raises(LostClaim):
        await run.compose(claim)
    assert llm_server.asked == []


CANARIES = ("Zofia", "a1@example.com", "zofia.canary@example.com", "601 234 567", "Canary Street 7", "C-4711", ADDRESS)


async def test_the_prompt_holds_nobody(writer: Shop, llm_server: LlmServer) -> None:
    await writer.set(email_prompt="Write as people of {shop} speak.")
    typed = [{"name": "Engraving", "value": "Zofia, Canary Street 7"}]
    called = "Mug for zofia.canary@example.com, tel. +48 601 234 567"
    items = [item("mug", 25800, name=called, options=typed)]
    customer = {"email": "a1@example.com", "first_name": "Zofia", "id": "C-4711", "phone": "+48 601 234 567"}
    await writer.cart("1", **cart_of("en", items=items) | {"customer": customer})
    await writer.abandon()
    await writer.plan()
    await writer.deliver()
    (asked,) = llm_server.asked
    body = json.dumps(asked.body, ensure_ascii=False)
    assert "Mug for [e-mail]" in body
    assert "Write as people of Tatra speak." in body
    assert [canary for canary in CANARIES if canary in body] == []
    # The likely reason goes along as a theme, and no score does.
    for untold in ("checkout_friction", "0.5", 'score"'):
        assert untold not in asked.texts[1]


@pytest.mark.parametrize("kind", ["pl", "pl_formal"])
async def test_polish_mails_keep_the_manners(live: Shop, llm_server: LlmServer, smtp_sink: SmtpSink, kind: str) -> None:
    formal = kind == "pl_formal"
    await choose_writer(live, llm_server, "pl", form_of_address="formal" if formal else "informal")
    await sells(live, "jacket", "pl")
    await sells(live, "socks", "pl")
    texts = [sentences[0] for sentences in BROKEN[kind].values()]
    drafts = [HONEST[kind][0], *(HONEST[kind][0] | {"closing": text} for text in texts)]
    llm_server.script(*map(writes, drafts))
    for number in range(len(drafts)):
        await queue(live, str(number), language="pl")
        await live.deliver()
    good, *others = [await mailed(live, smtp_sink, str(number)) for number in range(len(drafts))]
    assert (good[0].written_by, good[1]) == ("model", HONEST[kind][0]["subject"])
    assert ("Dzień dobry,\n" if formal else "Cześć,\n") in good[2]
    for (row, _, mail), text in zip(others, texts, strict=True):
        assert (row.written_by, row.words_cause) == ("ready_made", "refused_words"), text
        assert text not in mail


async def test_the_sweep_goes_on_where_a_run_ended(writer: Shop, llm_server: LlmServer, smtp_sink: SmtpSink) -> None:
    """A window that is over costs the rest of the run its model, not its mails."""
    await queue(writer, *map(str, range(4)))
    store = await writer.in_force()
    run = delivery.EmailSweep(writer.runtime, store, 100)
    run.window = Window(writer.runtime, store, 0)
    await run.run()
    assert run.counts == {"sent": 4}
    assert {row.words_cause for row in await Email.all()} == {"deadline"}
    writer.clock.advance(minutes=60)
    await queue(writer, "next")
    await writer.deliver()
    assert (await mailed(writer, smtp_sink, "next"))[0].written_by == "model"
