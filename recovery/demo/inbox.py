"""The inbox pages: what reached the demo's sink, shown as its reader would see it."""

import asyncio
import re

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from recovery.demo.mailbox import Mail, Mailbox
from recovery.demo.views import Views

_HEAD = re.compile(r"<head\b[^>]*>", re.IGNORECASE)
_TOP = '<base target="_top">'
_SANDBOX = "allow-popups allow-popups-to-escape-sandbox allow-top-navigation-by-user-activation"
_TABS = ("html", "text", "headers")


class InboxPages:
    """The list, one message with its parts, and the same as JSON for scripts."""

    def __init__(self, mailbox: Mailbox, views: Views, base_url: str) -> None:
        self._mailbox = mailbox
        self._views = views
        # The mail keeps its own styles; nothing in it runs, and it loads pictures of this site only.
        self._mail_policy = (
            f"default-src 'none'; img-src 'self' {base_url} data:; style-src 'unsafe-inline'; base-uri 'none'; "
            f"form-action 'none'; frame-ancestors 'self'; sandbox {_SANDBOX}"
        )

    def routes(self) -> list[Route]:
        return [
            Route("/inbox/", self.list),
            Route("/inbox/messages.json", self.messages),
            Route("/inbox/{mail_id}", self.mail),
            Route("/inbox/{mail_id}/html", self.html),
        ]

    async def list(self, request: Request) -> Response:
        mails = await asyncio.to_thread(self._mailbox.mails)
        return self._views.page("inbox.html.jinja", {"lang": "en", "mails": mails})

    async def messages(self, request: Request) -> Response:
        """For scripts and for the list's refresh."""
        mails = await asyncio.to_thread(self._mailbox.mails)
        return JSONResponse([_entry(mail) for mail in mails], headers={"Cache-Control": "no-store"})

    async def mail(self, request: Request) -> Response:
        """Query: part (html, text or headers)."""
        found = await asyncio.to_thread(self._mailbox.mail, request.path_params["mail_id"])
        if found is None:
            return self._missing()
        parts = [tab for tab in _TABS if tab == "headers" or (found.html if tab == "html" else found.text)]
        asked = request.query_params.get("part", "")
        values = {
            "lang": "en",
            "mail": found,
            "parts_there": parts,
            "part": asked if asked in parts else parts[0],
            "sandbox": _SANDBOX,
        }
        return self._views.page("mail.html.jinja", values)

    async def html(self, request: Request) -> Response:
        """The HTML part alone, for the frame."""
        found = await asyncio.to_thread(self._mailbox.mail, request.path_params["mail_id"])
        if found is None or found.html is None:
            return self._missing()
        headers = {
            "Content-Security-Policy": self._mail_policy,
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
        }
        return HTMLResponse(_with_links_on_top(found.html), headers=headers)

    def _missing(self) -> Response:
        return self._views.page("no_mail.html.jinja", {"lang": "en"}, 404)


def _entry(mail: Mail) -> dict[str, object]:
    return {
        "id": mail.id,
        "to": mail.to,
        "delivered_to": mail.delivered_to,
        "subject": mail.subject,
        "date": mail.received_at.isoformat(timespec="milliseconds"),
        "links": mail.links,
    }


def _with_links_on_top(html: str) -> str:
    """The mail with its links leading out of the frame."""
    head = _HEAD.search(html)
    if head is None:
        return f"<!doctype html><head>{_TOP}</head>{html}"
    return html[: head.end()] + _TOP + html[head.end() :]
