"""The browser of the tests draws pages, runs scripts under a strict policy, and its checks find planted faults."""

import http.server
import threading
from collections.abc import Iterator

import pytest

from tests.chromium import PHONE, axe_violations, launch_browser, open_tab, overflow, screenshot

pytestmark = pytest.mark.browser

GOOD = """<!doctype html><html lang="pl"><head><title>Koszyk</title><link rel="icon" href="data:,">
<meta name="viewport" content="width=device-width"></head>
<body><main><h1>Zażółć gęślą jaźń</h1><p>Koszyk czeka.</p></main></body></html>"""
BAD = """<!doctype html><html lang="en"><head><title>Cart</title><link rel="icon" href="data:,"></head>
<body><main><h1>Cart</h1><p style="color:#ccc;width:2000px">pale and wide</p><img src="/missing"></main>
<script>1</script></body></html>"""


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        page = {"/good": GOOD, "/bad": BAD}.get(self.path)
        self.send_response(200 if page else 404)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header(
            "Content-Security-Policy", "default-src 'self'; img-src 'self' data:; style-src 'unsafe-inline'"
        )
        self.end_headers()
        self.wfile.write((page or "").encode())

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet."""


@pytest.fixture
def site() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


async def test_a_good_page_passes_every_check(site: str) -> None:
    async with launch_browser() as browser, open_tab(browser, viewport=PHONE, locale="pl-PL") as tab:
        await tab.page.goto(f"{site}/good")
        assert await tab.page.locator("h1").inner_text() == "Zażółć gęślą jaźń"
        assert await axe_violations(tab.page) == []
        assert await overflow(tab.page) == 0
        assert tab.problems == []
        picture = await screenshot(tab.page, "chromium-smoke")
        assert picture.read_bytes()[:4] == b"\x89PNG"


async def test_planted_faults_are_found(site: str) -> None:
    async with launch_browser() as browser, open_tab(browser, viewport=PHONE) as tab:
        await tab.page.goto(f"{site}/bad")
        assert {line.partition(":")[0] for line in await axe_violations(tab.page)} == {"color-contrast", "image-alt"}
        assert await overflow(tab.page) > 0
        assert any("Content Security Policy" in problem for problem in tab.problems)
        assert any("404" in problem for problem in tab.problems)
