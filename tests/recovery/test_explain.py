"""Every cart is explained: why it was not detected, why it was or was not mailed, and what became of it."""

from datetime import timedelta
from typing import Any

import pytest

from recovery.detection import arm, expire
from recovery.errors import NotFound
from recovery.explain import Explanation, explain
from tests.chatbot.model_shop import choose
from tests.llm_server import LlmServer, Reply, refuses
from tests.shop import ADDRESS, HOST, READY, Shop
from tests.smtp_sink import SmtpSink


async def told(shop: Shop, query: str = "1") -> Explanation:
    """The one explanation of a cart, now."""
    (explanation,) = await explain(shop.runtime, query, shop.now)
    assert ADDRESS not in str(explanation)
    return explanation


async def sentence(shop: Shop, start: str, query: str = "1") -> str:
    """The one sentence that begins so."""
    (found,) = [each for each in (await told(shop, query)).sentences if each.startswith(start)]
    return found


async def why_not(shop: Shop) -> str:
    return await sentence(shop, "Not detected as left behind: ")


async def test_a_cart_is_introduced_without_its_address(shop: Shop) -> None:
    await shop.cart()
    shop.clock.advance(minutes=5)
    explanation = await told(shop)
    assert (explanation.quote_id, explanation.store) == ("1", "en")
    assert (explanation.customer, explanation.total) == ("a***@example.com", "€459.99")
    assert explanation.sentences[0] == "Last changed 5 min ago with 1 item(s), stage contact, status active."


async def test_an_unknown_cart_and_an_unknown_address_say_where_to_look(shop: Shop) -> None:
    with pytest.raises(NotFound, match="quote id 'nothing'.*cartback doctor carts"):
        await explain(shop.runtime, "nothing", shop.now)
    with pytest.raises(NotFound, match="address 'bo@example.com'"):
        await explain(shop.runtime, "bo@example.com", shop.now)


async def test_a_module_that_is_off(shop: Shop) -> None:
    await shop.cart()
    await shop.set(enabled=False)
    shop.clock.advance(minutes=31)
    assert "the module is switched off for this store" in await why_not(shop)


async def test_a_paused_store(shop: Shop) -> None:
    await shop.cart()
    await shop.go("paused")
    shop.clock.advance(minutes=31)
    assert "the store is paused" in await why_not(shop)


async def test_an_ordered_cart(shop: Shop) -> None:
    await shop.cart()
    await shop.order()
    shop.clock.advance(minutes=31)
    assert "it has been ordered" in await why_not(shop)


async def test_a_cart_that_is_not_active(shop: Shop) -> None:
    await shop.cart(active=False)
    shop.clock.advance(minutes=31)
    assert "its status is inactive, not active" in await why_not(shop)


async def test_an_empty_cart(shop: Shop) -> None:
    await shop.cart(items=[])
    shop.clock.advance(minutes=31)
    assert await why_not(shop) == "Not detected as left behind: it has no items."


async def test_a_cart_without_an_address(shop: Shop) -> None:
    await shop.cart(customer={})
    shop.clock.advance(minutes=31)
    assert await why_not(shop) == ("Not detected as left behind: the shop has not told an e-mail address for it yet.")
    assert (await told(shop)).customer == "no e-mail address"


async def test_a_cart_that_is_not_idle_yet(shop: Shop) -> None:
    await shop.cart()
    shop.clock.advance(minutes=20)
    assert await why_not(shop) == "Not detected as left behind: it counts as left in 11 min."


async def test_a_cart_left_too_long_ago(shop: Shop) -> None:
    await shop.cart(at=shop.now - timedelta(hours=30))
    assert "more than 24 h ago, which is history (setting look_back_hours)" in await why_not(shop)
    assert await shop.detect() == 0


async def test_several_causes_are_told_together(shop: Shop) -> None:
    await shop.cart(items=[], customer={})
    assert (await why_not(shop)).count(";") == 2


async def test_a_cart_that_is_due(shop: Shop) -> None:
    await shop.cart()
    shop.clock.advance(minutes=31)
    assert await sentence(shop, "It is due") == "It is due: the next run of detection takes it."
    assert await shop.detect() == 1
    assert await sentence(shop, "Not scored yet")


async def test_explanation_and_detection_agree_to_the_minute(shop: Shop) -> None:
    await shop.cart()
    for _ in range(40):
        shop.clock.advance(minutes=1)
        is_due = any(each.startswith("It is due") for each in (await told(shop)).sentences)
        detected = await shop.detect()
        assert is_due == bool(detected)
        if detected:
            return
    raise AssertionError("it never became due")


async def test_a_mailed_cart_tells_its_score_its_mail_and_its_end(live: Shop, smtp_sink: SmtpSink) -> None:
    await live.queue()
    await live.deliver()
    assert len(smtp_sink.to(ADDRESS)) == 1
    text = " ".join((await told(live)).sentences)
    assert "Detected as left behind on 2026-11-23 11:31." in text  # Warsaw
    assert "Intent score 0.50 (heuristic), reason checkout_friction; it reaches the minimum of 0.00." in text
    assert "a cart with a known address +0.40, how far the checkout went +0.10." in text
    assert "Message 1, 2026-11-23 11:31: every check held and the mail went to the relay" in text
    assert "Its mail was accepted by the mail relay on 2026-11-23 11:31 (250" in text
    assert "Not detected" not in text

    live.clock.advance(minutes=30)
    await live.order()
    assert await sentence(live, "Recovered: an order of €469.99 was placed on 2026-11-23 12:01.")
    live.clock.advance(minutes=1)
    await live.order(state="cancelled", event="order.cancelled")
    assert "so it no longer counts" in await sentence(live, "Recovered")


async def test_a_held_out_person_is_told_as_such(live: Shop) -> None:
    await live.set(holdout_percent=50)
    hashes = {f"p{n}@example.com": live.runtime.keys.email_hash(f"p{n}@example.com") for n in range(30)}
    held_out = next(a for a, h in hashes.items() if arm(live.runtime.keys, live.connection.id, h, 50) == "holdout")
    await live.cart(customer={"email": held_out})
    await live.abandon()
    await live.plan()
    assert "hold-out group" in await sentence(live, "Message 1")
    assert held_out not in str(await told(live))
    assert await live.emails() == []


@pytest.mark.parametrize(
    ("changes", "cart", "words"),
    [
        ({"min_intent_score": 0.9}, {}, "no mail: The intent score is below the store's minimum."),
        ({"consent_policy": "require"}, {}, "nothing is sent for now: There is no consent"),
        ({}, {"is_bot": True}, "no mail: The cart was filled by a crawler"),
        ({}, {"customer": {"email": "info@example.com"}}, "no mail: The address belongs to a role"),
    ],
)
async def test_a_cart_that_is_not_mailed_tells_the_reason(
    live: Shop, changes: dict[str, Any], cart: dict[str, Any], words: str
) -> None:
    await live.set(**READY | changes)
    await live.cart(**cart)
    await live.abandon()
    await live.plan()
    assert words in await sentence(live, "Message 1")


async def test_an_observing_store_would_have_sent(shop: Shop) -> None:
    await shop.set(**READY)
    await shop.cart()
    await shop.abandon()
    await shop.plan()
    assert "would have been sent; the store only observes" in await sentence(shop, "Message 1")


async def test_a_refused_mail_tells_the_relays_answer(live: Shop, smtp_sink: SmtpSink) -> None:
    smtp_sink.answer(ADDRESS, "rcpt", 550, "no such mailbox")
    await live.queue()
    await live.deliver()
    assert "could not be delivered (550 no such mailbox)" in await sentence(live, "Its mail")


async def test_a_changed_cart_tells_both_episodes(live: Shop) -> None:
    await live.cart()
    await live.abandon()
    live.clock.advance(minutes=1)
    await live.cart(checkout_stage="payment")
    assert await sentence(live, "The customer changed the cart again")
    assert "it counts as left in 31 min" in await why_not(live)
    await live.abandon()
    sentences = (await told(live)).sentences
    assert sum(each.startswith("Detected as left behind") for each in sentences) == 2
    assert len((await told(live)).episodes) == 2


async def test_an_expired_episode_is_told(shop: Shop) -> None:
    await shop.cart()
    await shop.abandon()
    shop.clock.advance(days=15)
    assert await sentence(shop, "Intent score")
    assert await expire(await shop.in_force(), shop.now) == 1
    assert await sentence(shop, "Nobody came back within 14 days.")


async def test_an_address_finds_every_cart_of_a_person_the_newest_first(shop: Shop) -> None:
    for number in range(12):
        await shop.cart(f"q{number}")
        shop.clock.advance(minutes=1)
    await shop.cart("other", customer={"email": f"bo@{HOST}"})
    found = await explain(shop.runtime, f" {ADDRESS} ", shop.now)
    assert [each.quote_id for each in found] == [f"q{number}" for number in range(11, 1, -1)]


async def test_a_hold_tells_its_figures_and_when_it_ends(live: Shop) -> None:
    await live.set(min_intent_score=0.9)
    await live.cart()
    await live.abandon()
    await live.plan()
    assert "It is 0.5, the minimum 0.9." in await sentence(live, "Message 1")
    await live.set(min_intent_score=0.0, quiet_hours="10:00-15:30")
    await live.cart("2", customer={"email": f"bo@{HOST}"})
    await live.abandon()
    await live.plan()
    said = await sentence(live, "Message 1", "2")
    assert "nothing is sent for now: It is quiet time at the store. Quiet is 10:00-15:30 Europe/Warsaw;" in said
    assert "the mail goes on 2026-11-23 15:30 at the earliest." in said
    (episode,) = (await told(live, "2")).episodes
    (decision,) = episode["decisions"]
    assert decision["checks"][-1]["values"] == {"hours": "10:00-15:30", "zone": "Europe/Warsaw"}
    assert decision["settings_version"] == (await live.in_force()).version


@pytest.mark.parametrize(
    ("end", "words"),
    [
        ("order", "Its mail was taken back, because: the customer has ordered."),
        ("change", "Its mail was taken back, because: the customer changed the cart."),
        ("bounce", "Its mail was held back, because: the address does not take mail."),
        ("refuse", "Its mail could not be delivered (450 greylisted), because: the relay refused it as often as "),
    ],
)
async def test_how_a_mail_ended_is_told_in_words(live: Shop, smtp_sink: SmtpSink, end: str, words: str) -> None:
    await live.set(max_email_attempts=1)
    await live.queue()
    if end == "order":
        await live.order()
    elif end == "change":
        await live.cart(checkout_stage="payment")
    elif end == "bounce":
        await live.tell("email.bounced", {"email": ADDRESS, "at": live.now.isoformat()})
    else:
        smtp_sink.answer(ADDRESS, "rcpt", 450, "greylisted")
        await live.deliver()
    assert (await sentence(live, "Its mail")).startswith(words)


async def test_a_customer_who_asks_is_told_why_and_how_to_stop_it(live: Shop) -> None:
    await live.cart()
    assert (await told(live)).to_customer == (
        "We have not written to you about this cart at Tatra. If you do not want such messages, the link “Don't write "
        "to me about carts again” at the foot of each one stops them at once. Messages about your orders still arrive."
    )
    await live.abandon()
    await live.plan()
    await live.deliver()
    said = (await told(live)).to_customer
    assert said.startswith("On 23 November 2026 we wrote to you because a cart had been left at Tatra (1 product). If ")
    await live.set(consent_policy="require")
    assert "(1 product) and you had agreed to be written to." in (await told(live)).to_customer
    await live.tell("email.complained", {"email": ADDRESS, "at": live.now.isoformat()})
    said = (await told(live)).to_customer
    assert said.endswith("Since 23 November 2026 Tatra does not write to you about carts any more.")
    assert "link" not in said


async def test_a_customer_is_answered_in_the_stores_language_and_told_no_rule(live: Shop) -> None:
    live.store.language = "pl"
    await live.store.save(update_fields=["language"])
    await live.set(min_intent_score=0.9)
    await live.cart()
    await live.abandon()
    await live.plan()
    said = (await told(live)).to_customer
    assert said.startswith("W sprawie tego koszyka w sklepie Tatra nie wysłaliśmy żadnej wiadomości.")
    assert "link „Nie chcę więcej wiadomości o koszykach” na dole każdej z nich" in said
    assert "wynik" not in said


async def test_both_scores_and_the_models_words_are_told(live: Shop, llm_server: LlmServer) -> None:
    await choose(live.runtime, "demo/en", llm_server)
    judged = '{"rationale": "One jacket, contact given.", "reason": "comparison", "score": 0.62}'
    llm_server.script(Reply((judged,)), refuses(401))
    await live.cart()
    await live.abandon()
    await live.cart("2", customer={"email": "bo@example.com"})
    await live.abandon()
    (one,), (two,) = [await explain(live.runtime, quote_id, live.now) for quote_id in ("1", "2")]
    first, second = " ".join(one.sentences), " ".join(two.sentences)
    assert "Intent score 0.62 (model-a), reason comparison" in first
    assert "The model's words: One jacket, contact given." in first
    assert "The built-in score is 0.50, reason checkout_friction, made of: a cart with a known address +0.40" in first
    assert "Intent score 0.50 (heuristic)" in second
    assert "model-a did not score it: key refused (HTTP 401 error)." in second
