"""What a shop assistant may tell a customer who asks about a mail: why it came and how to stop them, in their words."""

from datetime import datetime

from babel.dates import format_date

from recovery.language import Texts
from recovery.models import Cart, Email
from recovery.money import babel_locale
from recovery.persons import suppression_in_force
from recovery.stores.registry import StoreInForce
from recovery.text import one_line


async def to_customer(store: StoreInForce, cart: Cart) -> str:
    """The answer for the customer of a cart, whose ``items`` are loaded; it names no score, rule or reason."""
    texts = Texts(store.row.language, formal=store.settings.form_of_address == "formal")
    values = {"shop": one_line(store.row.name), "products": texts.count("products", len(cart.items))}
    mail = await Email.filter(abandonment__cart_id=cart.id, status="sent").order_by("-sent_at").first()
    if mail is not None and mail.sent_at is not None:
        agreed = store.settings.effective_consent_policy == "require"
        told = [
            texts.get(
                "to_customer", "mailed" if agreed else "mailed_customer", **values, date=_day(store, mail.sent_at)
            )
        ]
    else:
        told = [texts.get("to_customer", "not_mailed", **values)]
    stopped = await suppression_in_force(store.row.connection_id, store.row.id, cart.email_hash or "")
    if stopped is not None:
        told.append(texts.get("to_customer", "stopped", **values, date=_day(store, stopped.at)))
    else:
        told.append(texts.get("to_customer", "how_to_stop", unsubscribe=texts.get("labels", "unsubscribe")))
    return " ".join(told)


def _day(store: StoreInForce, moment: datetime) -> str:
    return format_date(moment.astimezone(store.zone), "d MMMM y", locale=babel_locale(store.row.language))
