"""Mail goes in over real SMTP and comes out on the inbox pages as its reader would see it."""

from collections.abc import AsyncIterator
from email.message import EmailMessage

import aiosmtplib
import pytest

from recovery.demo import sink as sink_module
from recovery.demo.mailbox import Mailbox
from recovery.demo.sink import Sink, open_sink
from tests.demo.conftest import Browser, DemoWorld, words

HTML = (
    '<!doctype html><html lang="pl"><head><style>.b{color:#24443a}</style></head><body style="margin:0">'
    '<p class="b">Zażółć gęślą jaźń</p><a href="http://shop.test/r/one">Koszyk</a>'
    '<a href="http://shop.test/a/two">Pytanie</a><a href="mailto:x@example.com">x</a>'
    "<script>document.title='gone'</script></body></html>"
)


@pytest.fixture
async def sink(world: DemoWorld) -> AsyncIterator[Sink]:
    async with open_sink(world.state_dir / "mail") as opened:
        yield opened


def letter(subject: str = "Twój koszyk czeka", html: str | None = HTML) -> EmailMessage:
    message = EmailMessage()
    message["From"] = "Hala <shop@hala.example>"
    message["To"] = "Anna <anna@example.com>"
    message["Subject"] = subject
    message.set_content("Koszyk: http://shop.test/r/one\n")
    if html:
        message.add_alternative(html, subtype="html")
    return message


async def post(sink: Sink, message: EmailMessage, *recipients: str) -> None:
    await aiosmtplib.send(
        message,
        hostname=sink.host,
        port=sink.port,
        sender="bounces@hala.example",
        recipients=list(recipients) or ["anna@example.com"],
        start_tls=False,
    )


async def test_an_empty_inbox_says_what_happens_next(browser: Browser) -> None:
    page = await browser.get("/inbox/")
    assert "No mail yet" in page.text
    assert "30 minutes later" in page.text
    assert (await browser.get("/inbox/messages.json")).json() == []


async def test_a_message_is_stored_whole_and_listed(sink: Sink, browser: Browser) -> None:
    await post(sink, letter())
    [entry] = (await browser.get("/inbox/messages.json")).json()
    assert entry["to"] == "Anna <anna@example.com>"
    assert entry["subject"] == "Twój koszyk czeka"
    assert entry["delivered_to"] == ["anna@example.com"]
    assert entry["links"] == ["http://shop.test/r/one", "http://shop.test/a/two"]
    listed = (await browser.get("/inbox/")).text
    assert "Twój koszyk czeka" in listed
    assert f'data-newest="{entry["id"]}"' in listed
    [stored] = list(sink.folder.glob("*.eml"))
    assert stored.read_bytes().startswith(b"Return-Path: <bounces@hala.example>\r\nDelivered-To: anna@example.com\r\n")


async def test_the_html_part_keeps_its_styles_and_cannot_run(sink: Sink, browser: Browser) -> None:
    await post(sink, letter())
    [entry] = (await browser.get("/inbox/messages.json")).json()
    page = await browser.get(f"/inbox/{entry['id']}")
    assert 'sandbox="allow-popups' in page.text
    assert "allow-scripts" not in page.text
    assert "allow-same-origin" not in page.text
    frame = await browser.get(f"/inbox/{entry['id']}/html")
    assert '<head><base target="_top"><style>.b{color:#24443a}</style>' in frame.text
    assert "Zażółć gęślą jaźń" in frame.text
    policy = frame.headers["content-security-policy"]
    for rule in ("default-src 'none'", "style-src 'unsafe-inline'", "frame-ancestors 'self'", "sandbox allow-popups"):
        assert rule in policy
    assert "script-src" not in policy


async def test_the_other_parts_are_there(sink: Sink, browser: Browser) -> None:
    await post(sink, letter())
    [entry] = (await browser.get("/inbox/messages.json")).json()
    assert "Koszyk: http://shop.test/r/one" in (await browser.get(f"/inbox/{entry['id']}?part=text")).text
    headers = words((await browser.get(f"/inbox/{entry['id']}?part=headers")).text)
    assert "Delivered-To anna@example.com" in headers


async def test_a_mail_without_html_shows_its_text(sink: Sink, browser: Browser) -> None:
    await post(sink, letter("Tylko <b>tekst</b>", html=None))
    [entry] = (await browser.get("/inbox/messages.json")).json()
    page = await browser.get(f"/inbox/{entry['id']}")
    assert "Koszyk: http://shop.test/r/one" in page.text
    assert "<iframe" not in page.text
    assert "<b>tekst</b>" not in page.text
    assert (await browser.get(f"/inbox/{entry['id']}/html")).status_code == 404


@pytest.mark.parametrize("mail_id", ["x", "..%2F..%2Fshop.json", "00000000000000000000-aaaaaa"])
async def test_a_mail_that_is_not_there(browser: Browser, mail_id: str) -> None:
    assert (await browser.get(f"/inbox/{mail_id}")).status_code == 404


async def test_newest_first_and_several_recipients(sink: Sink, browser: Browser) -> None:
    await post(sink, letter("one"))
    await post(sink, letter("two"), "anna@example.com", "copy@example.com")
    entries = (await browser.get("/inbox/messages.json")).json()
    assert [entry["subject"] for entry in entries] == ["two", "one"]
    assert entries[0]["delivered_to"] == ["anna@example.com", "copy@example.com"]


async def test_the_folder_is_bounded(world: DemoWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sink_module, "KEPT", 3)
    async with open_sink(world.state_dir / "mail") as sink:
        for number in range(5):
            await post(sink, letter(str(number)))
        assert [mail.subject for mail in Mailbox(sink.folder).mails()] == ["4", "3", "2"]


async def test_the_sink_frees_its_port(world: DemoWorld) -> None:
    async with open_sink(world.state_dir / "mail") as sink:
        port = sink.port
    async with open_sink(world.state_dir / "mail", port=port) as again:
        assert again.port == port
