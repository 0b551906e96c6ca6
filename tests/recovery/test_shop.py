"""The tests' own shop goes the whole way, so that every other test may lean on it."""

from recovery import jobs
from tests.shop import ADDRESS, Shop
from tests.smtp_sink import SmtpSink


async def test_a_cart_goes_the_whole_way(live: Shop, smtp_sink: SmtpSink) -> None:
    assert await live.cart() == "applied"
    live.clock.advance(minutes=31)
    assert (await jobs.detect(live.runtime)).counts == {"detected": 1}
    assert (await jobs.score(live.runtime)).counts == {"scored": 1}
    assert (await jobs.email(live.runtime)).counts == {"queued": 1, "sent": 1}
    (mail,) = smtp_sink.to(ADDRESS)
    assert "Tatra" in mail.message["Subject"]

    live.clock.advance(minutes=5)
    assert await live.order() == "applied"
    episode = await live.episode()
    assert (episode.status, episode.recovered_revenue, episode.recovered_currency) == ("recovered", 46999, "EUR")
