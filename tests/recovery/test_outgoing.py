"""However an address is written, nothing is sent to metadata services, and to private networks only when allowed."""

import asyncio
import socket
from typing import Any

import httpx2
import pytest

from recovery.llm import Cause, Llm, LlmUnavailable, ModelProfile
from recovery.models import Connection, Coupon
from recovery.outgoing import AddressRefused, GuardedTransport, UnknownHost, check_address
from tests.coupon_shop import CouponShop
from tests.llm_server import KEY, MODEL, LlmServer, says
from tests.recovery.coupons import send, with_coupons
from tests.recovery.llm_calls import QUICK, ask, collect
from tests.shop import Shop

NEVER = [
    "169.254.169.254", "169.254.0.1", "2852039166", "0xa9fea9fe", "0xa9.0xfe.0xa9.0xfe",
    "0251.0376.0251.0376", "169.254.43518", "[::ffff:169.254.169.254]", "[::ffff:a9fe:a9fe]", "[::169.254.169.254]",
    "[64:ff9b::169.254.169.254]", "[64:ff9b::a9fe:a9fe]", "[64:ff9b:1::a9fe:a9fe]", "[2002:a9fe:a9fe::1]", "[fe80::1]",
    "[febf::1]", "[fd00:ec2::254]", "100.100.100.200", "192.0.0.192", "168.63.129.16", "0.0.0.0", "0", "[::]",
    "224.0.0.1", "[ff02::1]",
]  # fmt: skip
ONLY_WHEN_ALLOWED = [
    "10.0.0.1", "10.255.255.255", "172.16.0.1", "172.31.255.254", "192.168.0.1", "192.168.1.1:8080", "100.64.0.1",
    "167772161", "0x0a000001", "012.0.0.1", "10.1", "192.168.257", "[::ffff:10.0.0.1]", "[::ffff:c0a8:1]",
    "[64:ff9b::10.0.0.1]", "[2002:a00:1::]", "[fc00::1]", "[fdff::1]", "198.18.0.1",
]  # fmt: skip
ALWAYS = ["127.0.0.1", "127.8.8.8", "[::1]", "2130706433", "[::ffff:127.0.0.1]", "8.8.8.8", "[2606:4700::1111]"]


async def allowed(host: str, *, private: bool) -> bool:
    try:
        await check_address(f"http://{host}/v1", private=private)
    except AddressRefused:
        return False
    return True


def test_there_are_many_forms() -> None:
    assert len({*NEVER, *ONLY_WHEN_ALLOWED, *ALWAYS}) >= 40


@pytest.mark.parametrize("host", NEVER)
async def test_never(host: str) -> None:
    assert not await allowed(host, private=True)
    assert not await allowed(host, private=False)


@pytest.mark.parametrize("host", ONLY_WHEN_ALLOWED)
async def test_only_when_allowed(host: str) -> None:
    assert not await allowed(host, private=False)
    assert await allowed(host, private=True)


@pytest.mark.parametrize("host", ALWAYS)
async def test_always(host: str) -> None:
    assert await allowed(host, private=False)


async def test_a_model_there_is_not_asked_and_the_admin_is_told_why() -> None:
    llm = Llm()
    profile = ModelProfile("http://169.254.169.254/v1", "model-a")
    with pytest.raises(LlmUnavailable) as caught:
        async with llm.stream_chat(profile, ask(), QUICK):
            pass
    await llm.close()
    assert caught.value.cause is Cause.NOT_REACHABLE
    assert "never asked" in str(caught.value)


PUBLIC, METADATA, LOOPBACK = "93.184.215.14", "169.254.169.254", "127.0.0.1"


class Names:
    """A name server of the test's own, in the machine's place: each name's answers in turn, the last for ever."""

    def __init__(self, answers: dict[str, list[str]]) -> None:
        self.answers = answers
        self.asked: list[str] = []
        self._real = asyncio.get_running_loop().getaddrinfo

    async def look_up(self, host: Any, port: Any, **how: Any) -> Any:
        if host not in self.answers:
            return await self._real(host, port, **how)
        self.asked.append(host)
        turns = self.answers[host]
        address = turns.pop(0) if len(turns) > 1 else turns[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]


def names(monkeypatch: pytest.MonkeyPatch, **answers: list[str]) -> Names:
    """Answer for ``one.example`` as ``one=[...]`` says."""
    found = Names({f"{name}.example": turns for name, turns in answers.items()})
    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", found.look_up)
    return found


@pytest.fixture
def canary(llm_server: LlmServer) -> LlmServer:
    """A server on this machine that a request must or must not reach."""
    llm_server.key = None
    return llm_server


async def test_what_was_looked_at_is_what_is_connected_to(canary: LlmServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """One look-up a request, and the host is asked for by its name."""
    names_asked = names(monkeypatch, shop=[LOOPBACK, METADATA])
    async with httpx2.AsyncClient(transport=GuardedTransport(private=False)) as client:
        url = canary.base_url.replace(LOOPBACK, "shop.example")
        response = await client.get(f"{url}/models")
        assert response.status_code == 200
        assert canary.asked[0].headers["host"] == f"shop.example:{canary.port}"
        assert names_asked.asked == ["shop.example"]
        # The name leads elsewhere now, and a kept connection is no excuse.
        with pytest.raises(AddressRefused, match="never asked"):
            await client.get(f"{url}/models")
    assert len(canary.asked) == 1


async def test_two_hosts_at_one_address_share_no_connection(canary: LlmServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kept connection was made for one name: with TLS its certificate was checked for that one."""
    names(monkeypatch, one=[LOOPBACK], two=[LOOPBACK])
    async with httpx2.AsyncClient(transport=GuardedTransport(private=False)) as client:
        for host in ("one", "two", "one", "two"):
            await client.get(canary.base_url.replace(LOOPBACK, f"{host}.example") + "/models")
    assert canary.connections == 2


async def test_what_has_no_address_that_may_be_asked_is_not_asked(canary: LlmServer) -> None:
    async with httpx2.AsyncClient(transport=GuardedTransport(private=False)) as client:
        with pytest.raises(UnknownHost):
            await client.get("http://nowhere.invalid/")
        with pytest.raises(AddressRefused):
            await client.get(f"http://{METADATA}/latest/meta-data/")
    assert canary.asked == []


async def test_a_models_name_that_changes_after_the_check_leads_nowhere(
    canary: LlmServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    names(monkeypatch, model=[PUBLIC, METADATA])
    llm = Llm()
    profile = ModelProfile(f"http://model.example:{canary.port}/v1", MODEL, KEY)
    with pytest.raises(LlmUnavailable) as caught:
        await collect(llm, profile)
    await llm.close()
    assert caught.value.cause is Cause.NOT_REACHABLE
    assert "never asked" in str(caught.value)


async def test_a_model_is_asked_by_its_name(canary: LlmServer, monkeypatch: pytest.MonkeyPatch) -> None:
    names(monkeypatch, model=[LOOPBACK])
    canary.script(says("Yes."))
    llm = Llm()
    await collect(llm, ModelProfile(f"http://model.example:{canary.port}/v1", MODEL))
    await llm.close()
    assert canary.asked[0].headers["host"] == f"model.example:{canary.port}"


async def test_a_coupon_is_not_told_to_this_machine_under_another_name(
    live: Shop, till: CouponShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    await with_coupons(live, till, coupon_callback_url=till.url.replace("http://127.0.0.1", "https://till.example"))
    connection = await Connection.get(id=live.connection.id)
    connection.hosts = [*connection.hosts, "till.example"]
    await connection.save(update_fields=["hosts"])
    names(monkeypatch, till=[LOOPBACK])
    await live.queue()
    assert await send(live) == {"coupon_waits": 1}
    assert till.calls == []
    assert "not called: till.example is at 127.0.0.1" in ((await Coupon.get()).last_error or "")
