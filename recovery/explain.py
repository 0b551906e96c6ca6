"""Says in plain words why a cart was or was not detected, scored and written to."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from recovery.coupons_rule import sentence
from recovery.eligibility import explained
from recovery.errors import NotFound
from recovery.explain_customer import to_customer
from recovery.llm_errors import cause_words
from recovery.models import Abandonment, Cart, Coupon, CouponDecision, Decision, Email, Order
from recovery.money import format_money
from recovery.persons import suppression_in_force
from recovery.runtime import Runtime
from recovery.stores.registry import StoreInForce, in_force
from recovery.text import duration, email_address, mask_address, mask_code

SIGNALS = {
    "base": "a cart with a known address",
    "checkout_stage": "how far the checkout went",
    "cart_value": "value against the store's usual cart",
    "products": "number of products",
    "registered": "registered customer",
    "past_orders": "earlier orders",
    "earlier_abandonments": "earlier carts left without an order",
    "hour": "time of day",
    "coupon_tried": "a coupon was tried",
    "out_of_stock": "products out of stock",
    "payment_failed": "a payment failed",
    "stated_reason": "the reason the store told",
    "bounds": "kept between 0 and 1",
}
_OUTCOMES = {
    "queued": "a mail was put in the queue",
    "waiting": "nothing is sent for now",
    "sent": "every check held and the mail went to the relay",
    "skipped": "no mail",
    "held_out": "no mail",
    "would_send": "a mail would have been sent; the store only observes",
}
COUPON_STATES = {
    "reserved": "is held, but the shop has not taken it yet",
    "issued": "is known to the shop and not used yet",
    "redeemed": "was used in an order",
    "withdrawing": "is over and being withdrawn from the shop",
    "released": "is over; its money went back to the budget",
}
_OF_A_DECISION = ("step", "at", "outcome", "reason", "checks", "settings_version")
_EMAILS = {
    "pending": "waits in the queue",
    "claimed": "is being prepared",
    "sending": "is on its way",
    "sent": "was accepted by the mail relay",
    "failed": "could not be delivered",
    "unknown": "was handed over, but the relay never answered; it is not sent again by itself",
    "cancelled": "was taken back",
    "suppressed": "was held back",
}


#: Why a mail ended that no check held back.
ENDS = {
    "refused": "the relay refused it for good",
    "attempts_used_up": "the relay refused it as often as max_email_attempts allows",
    "crash_loop": "it kept ending the process that was to send it",
    "no_answer": "the relay fell silent after it was handed over",
    "recovered": "the customer has ordered",
    "superseded": "the customer changed the cart",
    "expired": "nobody came back in time",
    "dismissed": "there was nothing left to win back",
    "erased": "the person was erased",
    "by_hand": "somebody took it back",
    "unsubscribe": "the person unsubscribed",
    "complaint": "the person complained of a mail",
    "bounce": "the address does not take mail",
    "objection": "the person objected",
    "manual": "the shop took the person out",
}
EMAIL_FACTS = (
    "step", "status", "subject", "written_by", "words_model", "words_cause", "attempts", "smtp_code", "sent_at",
)  # fmt: skip


@dataclass
class Explanation:
    """One cart in words: who and what, then one sentence per step it took or did not take; ``episodes`` for scripts.

    ``to_customer`` is what may be passed on to the customer who asks, in the store's language.
    """

    quote_id: str
    store: str
    customer: str
    total: str
    to_customer: str
    sentences: list[str] = field(default_factory=list)
    episodes: list[dict[str, Any]] = field(default_factory=list)


async def explain(runtime: Runtime, query: str, now: datetime) -> list[Explanation]:
    """Explain the cart with this quote id, or the ten newest carts of this e-mail address.

    Raises:
        NotFound: nothing is known under this id or address.
    """
    address = email_address(query)
    if address is not None:
        found = Cart.filter(email_hash=runtime.keys.email_hash(address))
    else:
        found = Cart.filter(quote_id=query.strip())
    carts = await found.order_by("-activity_at").limit(10).prefetch_related("store", "items")
    if not carts:
        what = "address" if address else "quote id"
        raise NotFound(
            f"No cart is known under the {what} {query!r}. Either the shop never sent it (see `cartback doctor carts`) "
            "or it was erased."
        )
    return [await explain_cart(cart, now) for cart in carts]


async def explain_cart(cart: Cart, now: datetime) -> Explanation:
    """Explain one cart, whose ``store`` and ``items`` are loaded."""
    store = await in_force(cart.store)
    told = Explanation(
        quote_id=cart.quote_id,
        store=cart.store.code,
        customer=mask_address(cart.email) if cart.email else "no e-mail address",
        total=format_money(cart.total, cart.currency, "en", cart.currency_digits),
        to_customer=await to_customer(store, cart),
    )
    told.sentences.append(
        f"Last changed {_ago(cart.activity_at, now)} with {len(cart.items)} item(s), stage {cart.checkout_stage}, "
        f"status {cart.status}."
    )
    episodes = await Abandonment.filter(cart_id=cart.id).order_by("detected_at").prefetch_related("recovered_order")
    for episode in episodes:
        told.sentences += await _episode(store, episode)
        told.episodes.append(await _facts(episode))
    if not any(episode.open_key for episode in episodes):
        told.sentences += await _why_not_detected(store, cart, episodes, now)
    return told


async def _why_not_detected(
    store: StoreInForce, cart: Cart, episodes: Sequence[Abandonment], now: datetime
) -> list[str]:
    """Why there is no open episode now; nothing to say when the last one covers the cart's last change or won it."""
    won = cart.status == "ordered" and any(episode.status == "recovered" for episode in episodes)
    if won or any(episode.detected_at >= cart.activity_at for episode in episodes):
        return []
    settings = store.settings
    idle = now - cart.activity_at
    ordered = (
        await Order.filter(connection_id=cart.connection_id, quote_id=cart.quote_id).exclude(state="cancelled").exists()
    )
    wait = timedelta(minutes=settings.inactivity_minutes) - idle
    facts = [
        (not settings.enabled, "the module is switched off for this store"),
        (store.row.mode == "paused", "the store is paused"),
        (ordered or cart.status == "ordered", "it has been ordered"),
        (cart.status != "active", f"its status is {cart.status}, not active"),
        (not cart.items, "it has no items"),
        (cart.email_hash is None, "the shop has not told an e-mail address for it yet"),
        (wait > timedelta(0), f"it counts as left in {duration(int(wait.total_seconds() // 60) + 1)}"),
        (
            idle > timedelta(hours=settings.look_back_hours),
            f"it fell idle more than {settings.look_back_hours} h ago, which is history (setting look_back_hours)",
        ),
    ]
    causes = [sentence for holds, sentence in facts if holds]
    if causes:
        return [f"Not detected as left behind: {'; '.join(causes)}."]
    return ["It is due: the next run of detection takes it."]


async def _episode(store: StoreInForce, episode: Abandonment) -> list[str]:
    sentences = [f"Detected as left behind on {_at(episode.detected_at, store)}."]
    sentences += _score(store, episode)
    for decision in await Decision.filter(abandonment_id=episode.id).order_by("at", "id"):
        reason = f": {await _reason(decision, episode, store)}" if decision.reason else "."
        sentences.append(
            f"Message {decision.step + 1}, {_at(decision.at, store)}: {_OUTCOMES[decision.outcome]}{reason}"
        )
    for email in await Email.filter(abandonment_id=episode.id).order_by("step"):
        sentences.append(_email(store, email))
    sentences += await _coupons(store, episode)
    return sentences + _end(store, episode)


async def _coupons(store: StoreInForce, episode: Abandonment) -> list[str]:
    """Why each message carried a coupon or not, and what became of the coupon."""
    told = []
    for verdict in await CouponDecision.filter(abandonment_id=episode.id).order_by("step"):
        what = f"a coupon of {verdict.percent} %" if verdict.percent else "no coupon"
        told.append(f"Message {verdict.step + 1} carries {what}: {sentence(verdict.reason, verdict.values)}")
    coupon = await Coupon.filter(abandonment_id=episode.id).first()
    if coupon is None:
        return told
    cost = format_money(coupon.amount, coupon.currency, "en")
    error = f" The shop's last answer: {coupon.last_error}." if coupon.last_error else ""
    return [
        *told,
        f"Its coupon {mask_code(coupon.code)} of {coupon.percent} % (at most {cost}, until "
        f"{_at(coupon.expires_at, store)}) {COUPON_STATES[coupon.status]}.{error}",
    ]


async def _reason(decision: Decision, episode: Abandonment, store: StoreInForce) -> str:
    told = explained(decision.reason or "", decision.checks, store.zone)
    if decision.reason == "suppressed":
        found = await suppression_in_force(episode.connection_id, episode.store_id, episode.email_hash or "")
        if found is not None:
            return f"{told} Cause: {found.cause}, since {found.at:%Y-%m-%d}."
    return told


def _score(store: StoreInForce, episode: Abandonment) -> list[str]:
    if episode.score is None:
        return ["Not scored yet: the next run of scoring takes it."]
    parts = ", ".join(
        f"{SIGNALS.get(part['signal'], part['signal'])} {part['points']:+.2f}" for part in episode.contributions
    )
    compared = "reaches" if episode.score >= store.settings.min_intent_score else "is below"
    by_model = episode.scored_by == "model"
    by = episode.score_model if by_model else episode.scored_by
    told = (
        f"Intent score {episode.score:.2f} ({by}), reason {episode.reason_code}; it {compared} the minimum of "
        f"{store.settings.min_intent_score:.2f}."
    )
    if not by_model:
        return [f"{told} Made of: {parts}.", *_models_score(episode)]
    built_in = (
        f"The built-in score is {episode.heuristic_score:.2f}, reason {episode.heuristic_reason}, made of: {parts}."
    )
    return [f"{told} The model's words: {episode.model_rationale}", built_in]


def _models_score(episode: Abandonment) -> list[str]:
    """What the model said where its score does not count, or why it said nothing."""
    if episode.model_score is not None:
        return [
            f"{episode.score_model} would have scored it {episode.model_score:.2f}, reason {episode.model_reason}: "
            f"{episode.model_rationale}"
        ]
    if episode.score_cause is None:
        return []
    return [f"{episode.score_model} did not score it: {_cause(episode.score_cause, episode.score_detail)}."]


def _cause(code: str, detail: str | None) -> str:
    return f"{cause_words(code)} ({detail})" if detail else cause_words(code)


def _email(store: StoreInForce, email: Email) -> str:
    answer = f" ({email.smtp_code} {email.smtp_text})" if email.smtp_code else ""
    ended = email.closed_reason
    reason = f", because: {ENDS.get(ended) or explained(ended, (), store.zone)}" if ended else ""
    when = f" on {_at(email.sent_at, store)}" if email.sent_at else ""
    if email.status == "pending" and email.next_attempt_at > email.created_at:
        when = f", to be looked at again on {_at(email.next_attempt_at, store)}"
    return f"Its mail {_EMAILS[email.status]}{when}{answer}{reason}".rstrip(".") + "." + _words(email)


def _words(email: Email) -> str:
    """Whose words a mail has, where a model was to write them."""
    if email.written_by == "model":
        return f" Its words are by {email.words_model}."
    if email.words_cause is None:
        return ""
    cause = _cause(email.words_cause, email.words_detail)
    return f" Its words are ready-made, because {email.words_model} did not write them: {cause}."


def _end(store: StoreInForce, episode: Abandonment) -> list[str]:
    if episode.recovered_at is None:
        ends = {
            "superseded": "The customer changed the cart again, which ended this episode.",
            "expired": f"Nobody came back within {store.settings.expire_days} days.",
            "dismissed": "It was dismissed.",
        }
        return [ends[episode.status]] if episode.status in ends else []
    revenue = format_money(
        episode.recovered_revenue or 0,
        episode.recovered_currency or store.row.currency,
        "en",
        episode.recovered_currency_digits,
    )
    told = f"Recovered: an order of {revenue} was placed on {_at(episode.recovered_at, store)}."
    if episode.recovery_reversed_at is not None:
        told += f" It was cancelled on {_at(episode.recovery_reversed_at, store)}, so it no longer counts."
    return [told]


async def _facts(episode: Abandonment) -> dict[str, Any]:
    names = (
        "status", "detected_at", "arm", "score", "scored_by", "reason_code", "contributions", "heuristic_score",
        "heuristic_reason", "model_score", "model_reason", "model_rationale", "score_model", "score_cause",
        "recovered_at", "recovered_revenue", "recovered_currency", "recovery_reversed_at",
    )  # fmt: skip
    decisions = await Decision.filter(abandonment_id=episode.id).order_by("at", "id")
    emails = await Email.filter(abandonment_id=episode.id).order_by("step")
    return {name: getattr(episode, name) for name in names} | {
        "decisions": [{name: getattr(d, name) for name in _OF_A_DECISION} for d in decisions],
        "coupon_decisions": [
            {name: getattr(d, name) for name in ("step", "percent", "reason", "values")}
            for d in await CouponDecision.filter(abandonment_id=episode.id).order_by("step")
        ],
        "coupons": [
            {name: getattr(c, name) for name in ("percent", "status", "expires_at", "redeemed_at")}
            for c in await Coupon.filter(abandonment_id=episode.id)
        ],
        "emails": [{name: getattr(e, name) for name in EMAIL_FACTS} for e in emails],
    }


def _at(moment: datetime, store: StoreInForce) -> str:
    return moment.astimezone(store.zone).strftime("%Y-%m-%d %H:%M")


def _ago(moment: datetime, now: datetime) -> str:
    return f"{duration(max(0, int((now - moment).total_seconds() // 60)))} ago"
