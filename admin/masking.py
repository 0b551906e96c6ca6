"""Hides e-mail addresses wherever they turn up in a text."""

import re
from urllib.parse import unquote

from recovery.text import mask_address

# Wide on purpose: rather one word too many is hidden than one address shown.
_ADDRESS = re.compile(r"[^\s<>\"'(),;:\[\]/|@=&?]+(?:@|%40)[^\s<>\"'(),;:\[\]/|@=&?]*[^\s<>\"'(),;:\[\]/|@=&?.!]", re.I)


def mask_addresses(text: str) -> str:
    """``text`` with every e-mail address in it masked as ``a***@example.com``."""
    return _ADDRESS.sub(lambda match: mask_address(unquote(match[0])), text)
