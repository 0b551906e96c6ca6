"""Drives two customers through the demo shop by its public interfaces only, step by step, each with its evidence."""

import asyncio
import hashlib
import html
import json
import re
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import httpx2
from websockets.asyncio.client import connect
from websockets.typing import Origin, Subprotocol

PATIENCE_SECONDS = 15.0

Explain = Callable[[str], Awaitable[list[dict[str, Any]]]]


class StepFailed(Exception):
    """A step did not hold; the message says what was seen instead."""


@dataclass(frozen=True)
class Shopper:
    """Who shops where, for what, and what he asks."""

    name: str
    store: str
    products: tuple[tuple[str, str], ...]
    question: str
    stage: str
    email: str
    customer: str | None = None
    mails: int = 1


@dataclass
class Step:
    """One step of the story: what was done, whether it held, and what was seen."""

    shopper: str
    title: str
    evidence: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0
    held: bool = True


GUEST = Shopper(
    name="guest",
    store="en",
    products=(("hala", "hala-moss-m"), ("socks", "socks-39-41")),
    question="Is the jacket waterproof, and which size do I need?",
    stage="contact",
    email="nina@example.com",
    mails=2,
)
REGISTERED = Shopper(
    name="registered customer",
    store="pl",
    products=(("borowik", "borowik-moss-m"),),
    question="Ile kosztuje dostawa i czy mogę zwrócić towar?",
    stage="payment",
    email="magda.zielinska@example.com",
    customer="c-201",
)


class Journey:
    """One shopper's way: shop, leave, mail, restore, assistant, order."""

    def __init__(self, base_url: str, explain: Explain, shopper: Shopper) -> None:
        self._base_url = base_url
        self._ask_why = explain
        self._shopper = shopper
        self._mail: dict[str, Any] = {}
        self._client = httpx2.AsyncClient(base_url=base_url, follow_redirects=True, timeout=10)

    async def steps(self) -> AsyncIterator[Step]:
        """Each step as it is done; the first that fails is the last."""
        actions: list[tuple[str, Callable[[], Awaitable[dict[str, Any]]]]] = [
            ("fills a cart and starts the checkout", self._shop),
            ("leaves; 31 minutes pass", self._leave),
            ("gets one mail", self._read_mail),
            ("was scored, and the decision is on record", self._explain_sent),
            ("follows the restore link", self._restore),
            ("asks the assistant", self._ask),
            ("orders", self._order),
            ("counts as recovered", self._explain_recovered),
            ("gets no further mail in three days", self._no_more_mail),
        ]
        if self._shopper.mails > 1:
            actions.insert(4, ("gets a second mail an hour later, with a coupon", self._read_coupon))
        async with self._client:
            for title, action in actions:
                step = Step(self._shopper.name, title)
                started = time.monotonic()
                try:
                    step.evidence = await action()
                except (StepFailed, httpx2.HTTPError, TimeoutError, KeyError, OSError) as error:
                    step.held, step.evidence = False, {"problem": f"{type(error).__name__}: {error}"}
                step.seconds = round(time.monotonic() - started, 2)
                yield step
                if not step.held:
                    return

    async def _shop(self) -> dict[str, Any]:
        if self._shopper.customer:
            await self._post("login", customer=self._shopper.customer, next="account")
        for product, variant in self._shopper.products:
            await self._post("cart/add", product=product, variant=variant, quantity="1")
        await self._post("checkout/contact", email=self._shopper.email, newsletter="yes")
        if self._shopper.stage == "payment":
            await self._post("checkout/shipping", method="courier")
            await self._post("checkout/payment", method="declined")
        page = await self._get(f"/shop/{self._shopper.store}/cart")
        return {"stage": self._shopper.stage, "store": self._shopper.store, "cart": _amounts(page)}

    async def _leave(self) -> dict[str, Any]:
        await self._hooks_delivered()
        response = await self._client.post("/demo/clock", data={"minutes": "31"})
        _expect(response.status_code == 200, f"the clock answered {response.status_code}")
        return {"minutes": 31}

    async def _hooks_delivered(self) -> None:
        """Wait until the shop has told everything, as a shop does by itself."""
        await _until(self._nothing_waits, "the shop's hooks are delivered")

    async def _nothing_waits(self) -> bool:
        return 'data-waiting="0"' in await self._get("/shop/hooks")

    async def _read_mail(self) -> dict[str, Any]:
        await _until(self._find_mail, f"a mail to {self._shopper.email} arrives")
        mails = await self._mails()
        _expect(len(mails) == 1, f"{len(mails)} mails arrived instead of one")
        self._mail = mails[0]
        return {"to": self._shopper.email, "subject": self._mail["subject"], "links": len(self._mail["links"])}

    async def _read_coupon(self) -> dict[str, Any]:
        response = await self._client.post("/demo/clock", data={"minutes": "61"})
        _expect(response.status_code == 200, f"the clock answered {response.status_code}")

        async def arrived() -> bool:
            return len(await self._mails()) == self._shopper.mails

        await _until(arrived, f"a second mail to {self._shopper.email} arrives")
        self._mail = (await self._mails())[0]
        text = await self._get(f"/inbox/{self._mail['id']}/html")
        code = re.search(r"BACK(-[A-Z2-9]{4,5}){3}", text)
        _expect(code is not None, "the second mail names no coupon")
        return {"code": code[0] if code else "", "subject": self._mail["subject"]}

    async def _find_mail(self) -> bool:
        return bool(await self._mails())

    async def _mails(self) -> list[dict[str, Any]]:
        response = await self._client.get("/inbox/messages.json")
        return [mail for mail in response.json() if self._shopper.email in mail["to"]]

    async def _explain(self) -> dict[str, Any]:
        """The newest cart's newest episode, as ``cartback explain`` tells it."""
        episodes = (await self._ask_why(self._shopper.email))[0]["episodes"]
        _expect(bool(episodes), "the cart was not detected")
        newest: dict[str, Any] = episodes[-1]
        return newest

    async def _explain_sent(self) -> dict[str, Any]:
        episode = await self._explain()
        decision = episode["decisions"][-1]
        email = episode["emails"][0]
        _expect(decision["outcome"] == "sent", f"the decision is {decision['outcome']}")
        _expect((email["status"], email["smtp_code"]) == ("sent", 250), f"the mail is {email['status']}")
        added = round(sum(part["points"] for part in episode["contributions"]), 4)
        _expect(added == episode["score"], f"the contributions add up to {added}, not {episode['score']}")
        return {
            "score": episode["score"],
            "reason": episode["reason_code"],
            "made of": ", ".join(f"{part['signal']} {part['points']:+.2f}" for part in episode["contributions"]),
            "decision": decision["outcome"],
        }

    async def _restore(self) -> dict[str, Any]:
        async with self._other_device() as phone:
            response = await phone.get(self._link("/r/"))
            _expect(response.status_code == 200, f"the restore link answered {response.status_code}")
            _expect("/restored" in str(response.url), f"the restore link led to {response.url.path}")
            cart = (await phone.get(f"/shop/{self._shopper.store}/cart")).text
            missing = [variant for _, variant in self._shopper.products if f'value="{variant}"' not in cart]
            _expect(not missing, f"not in the restored cart: {missing}")
        await self._hooks_delivered()
        return {"led to": response.url.path, "lines back": len(self._shopper.products)}

    async def _ask(self) -> dict[str, Any]:
        async with self._other_device() as phone:
            link = self._link("/a/")
            page = await phone.get(link)
            _expect(page.status_code == 200, f"the assistant link answered {page.status_code}")
            session = await phone.post("/api/assistant/session", json={"token": link.rpartition("/")[2]})
            _expect(session.status_code == 200, f"the session answered {session.status_code}")
            return await self._converse(session.json())

    async def _converse(self, session: dict[str, Any]) -> dict[str, Any]:
        address = self._base_url.replace("http", "ws", 1) + "/ws"
        asked = time.monotonic()
        text, pieces, cards, first = "", 0, 0, 0.0
        async with (
            asyncio.timeout(PATIENCE_SECONDS),
            connect(address, subprotocols=[Subprotocol("cartback.v1")], origin=Origin(self._base_url)) as socket,
        ):
            await _send(socket, t="hello", session=session["session"], conv=session["conv"], last_seq=0)
            await _send(socket, t="msg", id=str(uuid.uuid4()), text=self._shopper.question)
            async for frame in socket:
                event = json.loads(frame)
                if event["t"] == "d":
                    first = first or time.monotonic() - asked
                    pieces += 1
                    text = text[: event["off"]] + event["x"]
                elif event["t"] == "cards":
                    cards = len(event["items"])
                elif event["t"] == "done":
                    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
                    _expect(digest == event["sha"], "the text differs from its hash")
                    _expect(event["finish"] == "stop", f"the answer ended as {event['finish']}")
                    break
        return {
            "question": self._shopper.question,
            "answer": text,
            "cards": cards,
            "pieces": pieces,
            "first text after": f"{first * 1000:.0f} ms",
        }

    async def _order(self) -> dict[str, Any]:
        await self._post("checkout/shipping", method="courier")
        await self._post("checkout/payment", method="card")
        page = await self._post("order")
        await self._hooks_delivered()
        return {"order": page.rpartition("/")[2]}

    async def _explain_recovered(self) -> dict[str, Any]:
        episode = await self._explain()
        _expect(episode["status"] == "recovered", f"the episode is {episode['status']}")
        revenue = f"{episode['recovered_revenue'] / 100:.2f} {episode['recovered_currency']}"
        used = [coupon["status"] for coupon in episode["coupons"]]
        _expect(used in ([], ["redeemed"]), f"the coupon is {used}")
        return {"recovered revenue": revenue, "at": episode["recovered_at"], "coupons used": len(used)}

    async def _no_more_mail(self) -> dict[str, Any]:
        await self._client.post("/demo/clock", data={"minutes": str(3 * 1440)})
        await asyncio.sleep(1.6)  # the demo sweeps every second
        mails = len(await self._mails())
        _expect(mails == self._shopper.mails, f"{mails} mails arrived in all")
        return {"mails in all": mails}

    def _other_device(self) -> httpx2.AsyncClient:
        """A browser without this shopper's cookies, such as the phone the mail is read on."""
        return httpx2.AsyncClient(base_url=self._base_url, follow_redirects=True, timeout=10)

    def _link(self, path: str) -> str:
        links: list[str] = [link for link in self._mail["links"] if path in link]
        _expect(bool(links), f"the mail has no {path} link")
        return links[0]

    async def _get(self, path: str) -> str:
        response = await self._client.get(path)
        _expect(response.status_code == 200, f"{path} answered {response.status_code}")
        return response.text

    async def _post(self, page: str, **form: str) -> str:
        response = await self._client.post(f"/shop/{self._shopper.store}/{page}", data=form)
        _expect(response.status_code == 200, f"{page} answered {response.status_code}")
        return str(response.url.path)


async def tell(base_url: str, explain: Explain) -> AsyncIterator[Step]:
    """The guest's story, then the registered customer's; ``explain`` is the command of that name."""
    for shopper in (GUEST, REGISTERED):
        async for step in Journey(base_url, explain, shopper).steps():
            yield step


async def _send(socket: Any, **frame: Any) -> None:
    await socket.send(json.dumps(frame))


async def _until(holds: Callable[[], Awaitable[bool]], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not await holds():
        if time.monotonic() > deadline:
            raise StepFailed(f"{what}: not within {PATIENCE_SECONDS:.0f} s")
        await asyncio.sleep(0.1)


def _expect(holds: bool, otherwise: str) -> None:
    if not holds:
        raise StepFailed(otherwise)


def _amounts(page: str) -> str:
    """The last amount of money on a page, which on the cart is its total."""
    plain = html.unescape(re.sub(r"<[^>]+>", " ", page))
    found: list[str] = re.findall(r"€\d[\d.,]*|\d[\d\s.,]*\szł", plain)
    return found[-1] if found else ""
