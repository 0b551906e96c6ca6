"""The commands, run as a merchant runs them: in a process of their own, the keys on standard input."""

import asyncio
import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from recovery.models import Cart, Connection, Store
from recovery.stores import registry
from tests.magento.fake import CARTS, NEEDED, TOKEN, FakeMagento
from tests.magento.fake_coupons import FOR_COUPONS
from tests.shop import SECRET_KEY


@pytest.fixture
def environment(database_url: str, redis_url: str, tmp_path: Path) -> dict[str, str]:
    """What the command line finds around it."""
    told = {"DATABASE_URL": database_url, "REDIS_URL": redis_url, "CARTBACK_SECRET_KEY": SECRET_KEY}
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CARTBACK_")}
    return kept | told | {"CARTBACK_STATE_DIR": str(tmp_path)}


async def cartback(environment: dict[str, str], *words: str, keys: str = "") -> tuple[int, str, str]:
    """Run one command; its exit code, output and notes."""
    root = str(Path(__file__).parents[2])
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", "from recovery.cli import main; main()", *words, env=environment | {"PYTHONPATH": root},
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, notes = await process.communicate(keys.encode())
    return process.returncode or 0, out.decode(), notes.decode()


async def test_connect_test_and_read(db: None, environment: dict[str, str], magento: FakeMagento) -> None:
    magento.switches.granted = NEEDED - {CARTS}
    connect = ("stores", "connect", "magento", "--url", magento.url, "--connection", "mag", "--allow-private")
    code, _, notes = await cartback(environment, *connect, keys=f"{TOKEN}\n")
    assert code == 1
    assert f"FAIL  {CARTS}" in notes
    assert "tick Carts > Manage carts" in notes
    assert not await Connection.exists()

    magento.switches.granted = NEEDED
    code, out, _ = await cartback(environment, *connect, keys=f"{TOKEN}\n")
    assert code == 0
    assert "mag/pl" in out
    stores = [(s.code, s.language, s.currency, s.timezone, s.mode) for s in await Store.all().order_by("id")]
    assert stores == [
        ("default", "en", "EUR", "Europe/Warsaw", "observing"), ("pl", "pl", "PLN", "Europe/Warsaw", "observing"),
    ]  # fmt: skip
    connection = await Connection.get()
    assert connection.credentials is not None
    assert TOKEN not in connection.credentials
    assert TOKEN not in out

    code, out, _ = await cartback(environment, "stores", "connect", "test", "mag", "--json")
    assert code == 0
    told = [(answer["needed"], answer["error"] is None) for answer in json.loads(out)]
    assert told == [(True, True)] * 4 + [(False, False)] * 4
    # What a store relies on is needed, and named with where to click.
    code, _, notes = await cartback(environment, *connect, "--coupons", keys=f"{TOKEN}\n")
    assert code == 1
    assert "tick Marketing > Promotions > Cart Price Rules" in notes
    magento.switches.granted = NEEDED | FOR_COUPONS
    code, _, _ = await cartback(environment, *connect, "--coupons", keys=f"{TOKEN}\n")
    assert code == 0
    in_force = await registry.all_in_force()
    assert [store.settings.coupon_in_magento for store in in_force] == [True, True]
    magento.switches.granted = NEEDED
    code, _, notes = await cartback(environment, "stores", "connect", "test", "mag")
    assert code == 1
    assert "tick Customers > Customer Groups" in notes

    # A command's clock is the real one, and so is the shop's here.
    magento.state.now = lambda: datetime.now(UTC)
    cart = magento.state.new_cart(2)
    magento.state.add(cart, "BP-30")
    magento.state.pay(cart, "anna@example.com")
    code, out, _ = await cartback(environment, "sync", "--connection", "mag", "--json")
    assert code == 0
    counts = json.loads(out)["counts"]
    assert (counts["carts_read"], counts["carts"]) == (1, 1)
    assert (await Cart.get()).total == 20000
