"""However an address is written, nothing is sent to metadata services, and to private networks only when allowed."""

import pytest

from recovery.llm import Cause, Llm, LlmUnavailable, ModelProfile
from recovery.outgoing import AddressRefused, check_address
from tests.recovery.llm_calls import QUICK, ask

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
