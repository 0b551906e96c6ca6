"""The commands about people, as a shop assistant types them."""

import asyncio
import json
import os
import re
import sys
from typing import Any

from recovery.models import Cart, Suppression
from tests.docs.pages import page
from tests.shop import ADDRESS, SECRET_KEY, Shop

CLI = page("docs/cli.md")


def keys_told(command: str) -> set[str]:
    return set(re.findall(r'"(\w+)"', CLI.section(f"`cartback {command}`").rows()["--json"][0]))


async def run(shop: Shop, *words: str) -> tuple[int, str, str]:
    """A command in a process of its own: its exit code, stdout and stderr."""
    environment = os.environ | {
        "DATABASE_URL": shop.runtime.settings.database_url or "", "REDIS_URL": shop.runtime.settings.redis_url or "",
        "CARTBACK_SECRET_KEY": SECRET_KEY,
    }  # fmt: skip
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "recovery.cli", *words,
        env=environment, stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await process.communicate()
    return process.returncode or 0, out.decode(), err.decode()


async def document(shop: Shop, *words: str) -> Any:
    code, out, err = await run(shop, *words, "--json")
    assert code == 0, err
    return json.loads(out)


async def test_somebody_is_not_written_to_until_taken_back_and_a_complaint_stays(live: Shop) -> None:
    mail = await live.queue()
    told = await document(live, "suppress", ADDRESS)
    assert told == [{"at": "demo", "in_force": ["manual"]}]
    assert set(told[0]) == keys_told("suppress")
    await mail.refresh_from_db()
    assert mail.status == "suppressed"
    (listed,) = await document(live, "suppressions", "list", "--cause", "manual")
    assert set(listed) == keys_told("suppressions list")
    assert (listed["person"], listed["store"]) == (live.runtime.keys.email_hash(ADDRESS), None)
    await live.tell("email.complained", {"email": ADDRESS, "at": live.now.isoformat()})
    code, out, err = await run(live, "suppress", ADDRESS, "--connection", "demo", "--remove")
    assert (code, out) == (0, "demo: still complaint\n")
    assert "double opt-in" in err
    assert [row.cause for row in await Suppression.filter(lifted_at=None)] == ["complaint"]


async def test_erasing_asks_first_counts_dry_and_forgets(live: Shop) -> None:
    await live.queue()
    (code, _, err), dry = await asyncio.gather(
        run(live, "erase", ADDRESS), document(live, "erase", ADDRESS, "--dry-run")
    )
    assert (code, "for good?" in err) == (1, True)
    assert await Cart.filter(email=ADDRESS).exists()
    done = await document(live, "erase", ADDRESS, "--yes")
    assert set(done) == keys_told("erase")
    assert (dry["counts"], dry["dry_run"], done["dry_run"]) == (done["counts"], True, False)
    assert not await Cart.filter(email=ADDRESS).exists()


async def test_the_export_is_whole_and_nobody_has_none(live: Shop) -> None:
    await live.queue()
    (code, out, _), nobody = await asyncio.gather(
        run(live, "export", ADDRESS), run(live, "export", "nobody@example.com")
    )
    told = json.loads(out)
    assert (code, told["address"]) == (0, ADDRESS)
    assert set(told["connections"]["demo"]["recovery"]) >= {"cart", "cart_item", "email", "hook_delivery"}
    assert nobody == (1, "", "Nothing is held about this address.\n")
