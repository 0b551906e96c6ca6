"""The servers of the tests are real, separate per test, and the sink tells the truth."""

import smtplib

import aiosmtplib
import pytest
import redis
from tortoise.connection import get_connection

from tests.servers import execute, run_apart
from tests.smtp_sink import EVERYBODY, SmtpSink, Stage

MAIL = b"From: shop@example.org\r\nSubject: =?utf-8?q?Za=C5=BC=C3=B3=C5=82=C4=87?=\r\n\r\nHi.\r\n.\r\n..\r\n"


async def send(sink: SmtpSink, recipient: str = "ann@example.org", patience: float = 5) -> None:
    client = aiosmtplib.SMTP(hostname=sink.host, port=sink.port, timeout=patience, start_tls=False)
    try:
        await client.connect()
        await client.sendmail("shop@example.org", [recipient], MAIL)
    finally:
        client.close()


@pytest.mark.parametrize("turn", [1, 2])
async def test_each_test_has_a_migrated_database_of_its_own(db: None, database_url: str, turn: int) -> None:
    client = get_connection("default")
    await client.execute_query("CREATE TABLE mine (n int)")
    rows = await client.execute_query_dict("SELECT count(*) AS tables FROM pg_tables WHERE tablename = 'cart'")
    assert rows == [{"tables": 1}]


@pytest.mark.parametrize("turn", [1, 2])
def test_each_test_has_an_empty_valkey(redis_url: str, turn: int) -> None:
    with redis.Redis.from_url(redis_url) as client:
        assert client.dbsize() == 0
        client.set("mine", turn)


def test_a_database_in_use_is_dropped_all_the_same(database_url: str) -> None:
    run_apart(execute(database_url, "CREATE TABLE mine (n int)"))


async def test_the_sink_records_what_it_accepted(smtp_sink: SmtpSink) -> None:
    await send(smtp_sink)
    (received,) = await smtp_sink.wait_for(1)
    assert (received.sender, received.recipients) == ("shop@example.org", ("ann@example.org",))
    assert received.message["Subject"] == "Zażółć"
    assert received.text() == "Hi.\n.\n..\n"
    assert smtp_sink.to("ANN@example.org") == [received]


def test_the_sink_answers_a_caller_that_blocks(smtp_sink: SmtpSink) -> None:
    with smtplib.SMTP(smtp_sink.host, smtp_sink.port, timeout=5) as client:
        client.sendmail("shop@example.org", ["ann@example.org"], MAIL)
    assert len(smtp_sink.messages) == 1


@pytest.mark.parametrize("stage", ["rcpt", "data", "after_dot"])
async def test_a_refusal_is_for_one_recipient_and_is_not_recorded(smtp_sink: SmtpSink, stage: Stage) -> None:
    smtp_sink.answer("ann@example.org", at=stage, code=550, text="no such person")
    with pytest.raises(aiosmtplib.SMTPException, match="no such person"):
        await send(smtp_sink)
    await send(smtp_sink, "bob@example.org")
    assert [each.recipients for each in smtp_sink.messages] == [("bob@example.org",)]
    assert smtp_sink.refusals == [(stage, "ann@example.org")]


@pytest.mark.parametrize("stage", ["connect", "mail"])
async def test_a_refusal_before_the_recipient_is_for_everybody_and_may_end(smtp_sink: SmtpSink, stage: Stage) -> None:
    smtp_sink.answer(EVERYBODY, at=stage, code=421, text="not now", times=1)
    with pytest.raises(aiosmtplib.SMTPException, match="not now"):
        await send(smtp_sink)
    await send(smtp_sink)
    assert (len(smtp_sink.messages), smtp_sink.refusals) == (1, [(stage, EVERYBODY)])
    assert smtp_sink.connections == 2


@pytest.mark.parametrize("accept", [True, False])
async def test_a_connection_lost_after_the_dot_hides_whether_it_was_accepted(smtp_sink: SmtpSink, accept: bool) -> None:
    smtp_sink.answer("ann@example.org", at="drop_after_dot", accept=accept)
    smtp_sink.answer("bob@example.org", at="hang_after_dot", accept=accept)
    with pytest.raises(aiosmtplib.SMTPServerDisconnected):
        await send(smtp_sink)
    with pytest.raises(aiosmtplib.SMTPReadTimeoutError):
        await send(smtp_sink, "bob@example.org", patience=0.2)
    assert len(smtp_sink.messages) == (2 if accept else 0)
