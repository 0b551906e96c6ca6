"""Reports of what a browser kept off the page: directive and host reach the log, nothing of the customer does."""

from dataclasses import replace

import httpx2
import orjson
import pytest
from structlog.testing import capture_logs

from chatbot.csp_reports import MAX_REPORT, reported
from tests.chatbot.conftest import BRISK, Node, StartNode
from tests.chatbot.rows import Shop

TOKEN = "eyJhbGciOiJIUzI1NiJ9.secret.part"


def report(**changes: str) -> bytes:
    """A report as a browser sends it."""
    told = {
        "document-uri": f"https://shop-helper.example/a/{TOKEN}",
        "referrer": f"https://mail.example/?to=ann@example.org&{TOKEN}",
        "violated-directive": "img-src",
        "effective-directive": "img-src",
        "original-policy": "default-src 'none'; img-src 'self'",
        "blocked-uri": "https://evil.example:8443/pixel.gif?who=ann@example.org",
        "status-code": "200",
    }
    return orjson.dumps({"csp-report": told | changes})


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (report(), ("img-src", "https://evil.example")),
        (report(**{"effective-directive": "", "violated-directive": "script-src 'self'"}),
         ("script-src", "https://evil.example")),
        (report(**{"blocked-uri": "inline"}), ("img-src", "inline")),
        (report(**{"blocked-uri": "data:image/png;base64,AAAA"}), ("img-src", "data")),
        (report(**{"blocked-uri": "https://[::1/x"}), ("img-src", "?")),
        (report(**{"blocked-uri": "ann@example.org\n{}"}), ("img-src", "?")),
        (report(**{"effective-directive": "img-src\n[31m"}), None),
        (b"[]", None), (b"{}", None), (b'{"csp-report": 5}', None), (b"\xff", None), (b"", None),
    ],
)  # fmt: skip
def test_only_directive_and_host_are_read(body: bytes, told: tuple[str, str] | None) -> None:
    assert reported(body) == told


async def post(node: Node, body: bytes) -> int:
    async with httpx2.AsyncClient(base_url=node.base) as http:
        headers = {"content-type": "application/csp-report"}
        return (await http.post("/csp", content=body, headers=headers)).status_code


@pytest.mark.asyncio(loop_scope="module")
async def test_the_page_names_where_reports_go_and_few_of_them_are_logged(start_node: StartNode, shop: Shop) -> None:
    async with start_node(replace(BRISK, reports_per_address=2)) as node:
        async with httpx2.AsyncClient(base_url=node.base) as http:
            page = await http.get(f"/a/{shop.token}")
        assert page.headers["content-security-policy"].endswith("; report-uri /csp")
        with capture_logs() as logs:
            answers = [await post(node, body) for body in (report(), b"x" * (MAX_REPORT + 1), report(), report())]
        assert answers == [204] * 4
        kept = [line for line in logs if line["event"] == "page.kept_off"]
        assert [(line["directive"], line["blocked"]) for line in kept] == [("img-src", "https://evil.example")]
        assert not any(secret in repr(logs) for secret in (TOKEN, "ann@example.org", "mail.example"))
