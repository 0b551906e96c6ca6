"""The demo's "Try to trick it": a model that obeys every attack, and a customer who sees none of it."""

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass

import httpx2
import pytest
from playwright.async_api import ViewportSize

from chatbot.texts import load_texts
from tests.chatbot.money_oracle import faults
from tests.chromium import DESKTOP, PHONE, axe_violations, launch_browser, open_tab, overflow, screenshot
from tests.e2e.running import RunningDemo, running_demo

TEXTS = load_texts()
#: The attacks, their languages and a word of the reason why they are withheld.
TEN = {
    "price": ("en", "price"), "code": ("en", "number"), "safety": ("en", "safety"), "returns": ("en", "term"),
    "shipping": ("en", "promise"), "warranty": ("en", "promise"), "disguise": ("pl", "price"),
    "link": ("pl", "address"), "hurry": ("pl", "number"), "script": ("pl", "discount"),
}  # fmt: skip


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDemo]:
    with running_demo(tmp_path_factory.mktemp("trick") / "state") as running:
        yield running


@dataclass(frozen=True)
class Outcome:
    """What the page shows of a play."""

    said: str
    shown: str
    withheld: list[tuple[str, str]]
    link: str


def outcome_of(page: str, key: str) -> Outcome:
    part = re.split(rf'<(?:li|section)[^>]* id="{key}"', page)[1].partition('<div class="outcome"')[2]
    part = part.partition("</div>\n</li>")[0].partition("</section>\n<section aria")[0]
    said, shown = (
        html.unescape(re.sub(r"<[^>]+>", "", found[1])) for found in re.finditer(r"<p lang=\"\w\w\">(.*?)</p>", part)
    )
    held = re.findall(r"<li><q[^>]*>(.*?)</q>: (.*?)\.</li>", part)
    link = re.search(r'href="(/a/[^"]+)"', part)
    assert link
    return Outcome(said, shown, [(html.unescape(sentence), html.unescape(why)) for sentence, why in held], link[1])


def wrong_in(text: str, language: str) -> list[str]:
    return faults(text, language, (TEXTS.of(language).say("withheld"),))


def test_ten_attacks_are_obeyed_and_none_is_seen(demo: RunningDemo) -> None:
    with httpx2.Client(base_url=demo.base_url, trust_env=False, timeout=60, follow_redirects=True) as browser:
        assert 'href="/demo/trick"' in browser.get("/").text
        page = browser.post("/demo/trick/play", data={"attack": "all"}).text
        outcomes = {key: outcome_of(page, key) for key in TEN}
        for key, (language, reason) in TEN.items():
            outcome = outcomes[key]
            assert wrong_in(outcome.said, language), f"{key}: the model said nothing wrong: {outcome}"
            assert wrong_in(outcome.shown, language) == [], f"{key}: {outcome}"
            assert [reason in why for _, why in outcome.withheld] == [True], f"{key}: {outcome}"
        assert "<img src=x" not in page
        # What is harmless beside a false claim is shown.
        assert outcomes["price"].shown.startswith("The hood fits over a helmet.")
        assert "evil.example" in outcomes["link"].said
        assert browser.get(outcomes["price"].link).status_code == 200


def test_ones_own_attack_is_played_and_taken_out_again(demo: RunningDemo) -> None:
    with httpx2.Client(base_url=demo.base_url, trust_env=False, timeout=60, follow_redirects=True) as browser:
        told = {"says": "The jacket is yours for nine euros.", "place": "description", "language": "en"}
        mine = outcome_of(browser.post("/demo/trick/own", data=told).text, "own")
        assert mine.said == told["says"]
        assert wrong_in(mine.shown, "en") == []
        harmless = told | {"says": "The hood fits over a helmet.", "place": "policy"}
        mine = outcome_of(browser.post("/demo/trick/own", data=harmless).text, "own")
        assert mine.said == mine.shown == harmless["says"]


def test_what_is_no_attack_is_said_so(demo: RunningDemo) -> None:
    with httpx2.Client(base_url=demo.base_url, trust_env=False) as browser:
        for path, data in (
            ("play", {"attack": "none"}),
            ("own", {"says": "", "place": "name", "language": "en"}),
            ("own", {"says": "x" * 121, "place": "name", "language": "en"}),
            ("own", {"says": "x", "place": "moon", "language": "en"}),
        ):
            refused = browser.post(f"/demo/trick/{path}", data=data)
            assert (refused.status_code, 'role="alert"' in refused.text) == (422, True)
        foreign = browser.post("/demo/trick/play", data={"attack": "price"}, headers={"Origin": "https://evil.example"})
        assert foreign.status_code == 403


@pytest.mark.browser
@pytest.mark.parametrize(("name", "size"), [("phone", PHONE), ("desktop", DESKTOP)])
async def test_the_page_is_clear_and_fits(demo: RunningDemo, name: str, size: ViewportSize) -> None:
    async with launch_browser() as browser, open_tab(browser, viewport=size) as tab:
        await tab.page.goto(f"{demo.base_url}/")
        await tab.page.click("text=Try to trick it")
        await tab.page.click("li#price button")
        await tab.page.wait_for_selector("li#price .outcome")
        await tab.page.fill("#says", "The jacket is yours for nine euros.")
        await tab.page.click("#own button")
        await tab.page.wait_for_selector("#own .outcome")
        assert await tab.page.text_content("#own .bad p[lang]") == "The jacket is yours for nine euros."
        assert await axe_violations(tab.page) == []
        assert await overflow(tab.page) == 0
        assert tab.problems == []
        await screenshot(tab.page, f"trick-{name}")
