"""Reads the messages the sink stored: the list, the parts of one, the links inside."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import lru_cache
from html.parser import HTMLParser
from pathlib import Path

_NAME = re.compile(r"\d{20}-[0-9a-f]{6}")
_URL = re.compile(r"https?://[^\s<>\"')\]]+")


@dataclass(frozen=True)
class Mail:
    """One stored message; ``links`` are the addresses of its links, in order, each once."""

    id: str
    subject: str
    sender: str
    to: str
    delivered_to: tuple[str, ...]
    received_at: datetime
    headers: tuple[tuple[str, str], ...]
    html: str | None
    text: str | None
    links: tuple[str, ...]


class Mailbox:
    """The sink's folder, newest first; stored messages never change, so they are parsed once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def newest(self) -> str:
        """The newest message's id, "" while there is none."""
        return max((path.stem for path in self._folder.glob("*.eml")), default="")

    def mails(self) -> list[Mail]:
        names = sorted((path.stem for path in self._folder.glob("*.eml")), reverse=True)
        return [mail for name in names if (mail := self.mail(name))]

    def mail(self, mail_id: str) -> Mail | None:
        path = self._folder / f"{mail_id}.eml"
        if not _NAME.fullmatch(mail_id) or not path.exists():
            return None
        return _parsed(path)


@lru_cache(maxsize=600)
def _parsed(path: Path) -> Mail:
    message = message_from_bytes(path.read_bytes(), policy=policy.default)
    html, text = _part(message, "html"), _part(message, "plain")
    return Mail(
        id=path.stem,
        subject=str(message.get("Subject", "")),
        sender=str(message.get("From", "")),
        to=str(message.get("To", "")),
        delivered_to=tuple(str(value) for value in message.get_all("Delivered-To", [])),
        received_at=datetime.fromtimestamp(int(path.stem.split("-")[0]) / 1e9, UTC),
        headers=tuple((name, str(value)) for name, value in message.items()),
        html=html,
        text=text,
        links=_links(html, text),
    )


def _part(message: EmailMessage, kind: str) -> str | None:
    part = message.get_body((kind,))
    if part is None:
        return None
    content = part.get_content()
    return content if isinstance(content, str) else None


class _Anchors(HTMLParser):
    """Collects the addresses of links."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self.found.extend(value for name, value in attrs if name == "href" and value)


def _links(html: str | None, text: str | None) -> tuple[str, ...]:
    anchors = _Anchors()
    anchors.feed(html or "")
    found = [*anchors.found, *_URL.findall(text or "")]
    return tuple(dict.fromkeys(link for link in found if link.startswith(("http://", "https://"))))
