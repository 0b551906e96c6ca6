"""A mail to look at leaves no trace; a test mail goes to one address, marked, and says what the relay answered."""

import asyncio
import os
import re
import subprocess
import sys
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest

from recovery import db
from recovery.emails_preview import TestMailRefused, preview, send_test
from recovery.errors import NotFound
from recovery.stores import registry
from tests.shop import ADDRESS, HOST, SECRET_KEY, Shop, item
from tests.smtp_sink import EVERYBODY, SmtpSink

ROOT = Path(__file__).parents[2]
PICTURE = f"https://{HOST}/jacket.jpg"


async def rows() -> dict[str, int]:
    """How many rows each table has."""
    names = await db.client().execute_query_dict("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    counts = {}
    for each in names:
        (row,) = await db.client().execute_query_dict(f'SELECT count(*) AS n FROM "{each["tablename"]}"')
        counts[each["tablename"]] = row["n"]
    return counts


async def test_a_preview_of_a_cart_is_its_next_mail_and_leaves_no_trace(live: Shop, smtp_sink: SmtpSink) -> None:
    await live.queue(items=[item(image_url=PICTURE)], checkout_stage="cart")
    before = await rows()
    made = await preview(live.runtime, quote_id="1")
    assert (made.store, made.message) == ("en", 1)
    message = message_from_bytes(made.eml, policy=policy.SMTP)
    assert message["Subject"] == made.subject
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    for part in (made.html, made.text):
        assert "Jacket K-12" in part
        assert "€459.99" in part
        assert "/r/preview" in part
    assert PICTURE in made.html
    assert ADDRESS.encode() not in made.eml
    assert await rows() == before
    assert smtp_sink.connections == 0
    await live.deliver()
    (sent,) = smtp_sink.messages
    assert sent.message["Subject"] == made.subject
    links = re.compile(r"https?://\S+")
    assert links.sub("", sent.text()) == links.sub("", made.text)


async def test_what_was_written_is_shown_as_it_was_written(live: Shop, smtp_sink: SmtpSink) -> None:
    email = await live.queue()
    await live.deliver()
    await email.refresh_from_db()
    email.words = (email.words or {}) | {"subject": "Written once", "coupon": None}
    await email.save()
    made = await preview(live.runtime, quote_id="1", message=1)
    assert made.subject == "Written once"
    assert "The words are those that were written for this cart." in made.notes


async def test_without_a_cart_there_is_an_example_of_the_stores_own_products(live: Shop) -> None:
    before = await rows()
    made = await preview(live.runtime)
    assert "Example product" in made.text
    assert "The cart is an example." in made.notes
    assert await rows() == before
    product = {
        "product_id": "B-1", "name": "Felt boots", "price": 12900, "currency": "EUR", "in_stock": True,
        "image_url": PICTURE,
    }  # fmt: skip
    await live.tell("product.updated", {"products": [product]})
    made = await preview(live.runtime)
    assert "Felt boots" in made.text
    assert "€129.00" in made.text


async def test_an_example_carries_a_coupon_where_its_message_may(live: Shop) -> None:
    await live.set(steps="recommended")
    assert "5% off your cart" in (await preview(live.runtime, message=3)).text
    assert "% off" not in (await preview(live.runtime, message=1)).text
    await live.set(dynamic_coupons=False)
    assert "% off" not in (await preview(live.runtime, message=3)).text


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"quote_id": "7"}, "No cart '7' to show: No store has told of one"),
        ({"message": 9}, "no message 9"),
        ({"store": "nowhere"}, "No store is called 'nowhere'"),
    ],
)
async def test_a_preview_of_nothing_says_so(live: Shop, asked: dict[str, Any], said: str) -> None:
    with pytest.raises(NotFound, match=said):
        await preview(live.runtime, **asked)


async def test_several_stores_must_be_told_apart(live: Shop) -> None:
    await registry.add_store(live.connection, "pl", "Tatra", language="pl", currency="PLN", timezone="Europe/Warsaw")
    with pytest.raises(NotFound, match="Say which store is meant with --store. Stores: en, pl."):
        await preview(live.runtime)
    assert "Wróć do koszyka" in (await preview(live.runtime, store="pl")).text


async def test_a_test_mail_goes_through_the_relay_and_is_marked(live: Shop, smtp_sink: SmtpSink) -> None:
    before = await rows()
    assert await send_test(live.runtime, "Owner@Example.com") == "250 OK"
    (received,) = smtp_sink.messages
    assert (received.sender, received.recipients) == ("shop@example.com", ("Owner@example.com",))
    assert received.message["Subject"].startswith("[Cartback test] ")
    assert "Test mail: the cart is an example" in received.text()
    assert received.message["List-Unsubscribe"].startswith(f"<{live.runtime.settings.public_url}/u/")
    assert await rows() == before


async def test_a_test_mail_that_cannot_go_says_why(live: Shop, smtp_sink: SmtpSink) -> None:
    with pytest.raises(TestMailRefused, match="'nobody' is not an e-mail address"):
        await send_test(live.runtime, "nobody")
    faults: list[tuple[Any, int, bool, str]] = [
        ("rcpt", 550, True, r"refused the mail: 550 no such n\*\*\*@example.com"),
        ("data", 451, True, "refused the mail: 451"),
        ("mail", 530, True, "can't be used: The relay refuses the sender: 530"),
        ("drop_after_dot", 0, True, "it may or may not arrive"),
    ]
    for stage, code, accept, said in faults:
        smtp_sink.answer(EVERYBODY, stage, code, "no such nobody@example.com", accept=accept, times=1)
        with pytest.raises(TestMailRefused, match=said):
            await send_test(live.runtime, ADDRESS)
    await live.set(sender_address=None)
    with pytest.raises(TestMailRefused, match="no sender address. Set one with: cartback settings set --store en"):
        await send_test(live.runtime, ADDRESS)


async def command(shop: Shop, folder: Path, *words: str) -> tuple[int, str, str]:
    """A command of the installation's own, as a person runs it: its exit code and what it said."""
    told = shop.runtime.settings
    environment = {
        "DATABASE_URL": told.database_url or "", "REDIS_URL": told.redis_url or "", "CARTBACK_SECRET_KEY": SECRET_KEY,
        "CARTBACK_SMTP_HOST": told.smtp_host, "CARTBACK_SMTP_PORT": str(told.smtp_port), "PYTHONPATH": str(ROOT),
    }  # fmt: skip
    run = [sys.executable, "-m", "recovery.cli", *words]
    done = await asyncio.to_thread(
        subprocess.run, run, cwd=folder, env=os.environ | environment, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout, done.stderr


async def test_the_commands_write_files_and_tell_the_answer(live: Shop, smtp_sink: SmtpSink, tmp_path: Path) -> None:
    code, _, said = await command(live, tmp_path, "preview", "--out", "seen")
    assert code == 0, said
    assert sorted(path.name for path in (tmp_path / "seen").iterdir()) == [
        "en-example-1.eml", "en-example-1.html", "en-example-1.txt",
    ]  # fmt: skip
    code, answer, said = await command(live, tmp_path, "test-email", "owner@example.com")
    assert (code, answer) == (0, "250 OK\n"), said
    assert [mail.recipients for mail in smtp_sink.messages] == [("owner@example.com",)]
    code, _, said = await command(live, tmp_path, "preview", "nothing")
    assert (code, "No cart 'nothing' to show" in said) == (1, True)
