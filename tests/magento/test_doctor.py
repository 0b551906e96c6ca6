"""What the doctor says of a shop that is read."""

import pytest

from admin import doctor_installation, doctor_shops
from recovery.stores.magento_errors import MagentoError
from tests.magento.desk import Desk
from tests.shop import SECRET_KEY


async def test_a_shop_is_told_as_read_failing_or_long_unread(desk: Desk) -> None:
    assert [finding.words for finding in await doctor_shops.examine(desk.clock.now())] == ["not read yet"]
    desk.guest(1, "BP-30")
    desk.guest(1, "BP-30", email=None)
    await desk.sync()
    desk.clock.advance(minutes=5)
    (read,) = await doctor_shops.examine(desk.clock.now())
    assert (read.state, read.words) == ("good", "all its carts were read 5 min ago: 2 active, 1 with an address")
    assert await doctor_installation.hooks(desk.clock.now()) == []
    (unread,) = await doctor_shops.examine(desk.clock.advance(hours=2))
    assert (unread.state, "2 h 5 min ago" in unread.words) == ("wrong", True)
    desk.magento.switches.bearer = False
    with pytest.raises(MagentoError):
        await desk.sync()
    (failing,) = await doctor_shops.examine(desk.clock.now())
    assert (failing.state, "access refused" in failing.words) == ("wrong", True)
    assert "cartback stores connect test mag" in str(failing.fix)


async def test_stored_keys_of_a_shop_are_checked_too(desk: Desk) -> None:
    (found,) = await doctor_installation.stored_secrets([SECRET_KEY])
    assert found.state == "good"
    desk.connection.credentials = "sealed with another key"
    await desk.connection.save()
    (found,) = await doctor_installation.stored_secrets([SECRET_KEY])
    assert (found.state, "connection mag's" in found.words) == ("wrong", True)
