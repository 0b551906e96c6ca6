"""Model text made plain: no markup, links, addresses or invisible characters; emoji stay whole."""

import html
import re
import unicodedata

from recovery.claim_text import undisguised
from recovery.text import clean_text

_IMAGE = re.compile(r"!\[[^\]\n]{0,300}\](?:\([^)\n]{0,2000}\)?)?")
_LINK = re.compile(r"\[([^\[\]\n]{0,300})\]\([^)\n]{0,2000}\)?")
_TAG = re.compile(r"<!--.*?(?:-->|\Z)|</?[a-zA-Z!?][^<>]{0,2000}(?:>|\Z)", re.S)
_HEADING = re.compile(r"(?m)^[ \t]{0,3}#{1,6}[ \t]*")
_BULLET = re.compile(r"(?m)^([ \t]*)[*+•][ \t]+")
_EMPHASIS = re.compile(r"\*+|`+|~~+|(?<!\w)_+(?=\w)|(?<=\w)_+(?!\w)|__+")
_FENCE = re.compile(r"(?m)^[ \t]*(?:```|~~~)[^\n]*$")
_WIDE = re.compile("[\uff01-\uff5e\u2460-\u24ff\U0001d400-\U0001d7ff\U0001f100-\U0001f149]+")
_BREAKS = re.compile("[\u2028\u2029\x85\x0b\x0c]")
# Controls of direction, marks of width zero, fillers: nobody sees them, so nobody should be fooled by them.
_HIDDEN = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200c\u200e\u200f\u202a-\u202e\u2060-\u206f\u2800"
    "\u3164\ufe00-\ufe0d\ufeff\uffa0\ufff9-\ufffb\U000e0100-\U000e01ef]"
)
_PICTURE = "\u00a9\u00ae\u203c-\u3299\ufe0e\ufe0f\u20e3\U0001f000-\U0001faff"
_LOOSE_JOINER = re.compile(f"(?<![{_PICTURE}])\u200d|\u200d(?![{_PICTURE}])")
_LOOSE_SELECTOR = re.compile(f"(?<![{_PICTURE}0-9#*])[\ufe0e\ufe0f]|(?<![0-9#*]\ufe0f)(?<![0-9#*])\u20e3")
_SPACES = re.compile(r"[ \t\u00a0\u2000-\u200a\u202f\u205f\u3000]{2,}")

_CONTACT = re.compile(
    r"[a-z][a-z0-9+.-]{1,15}\s?:\s?//|//\w|hxxps?|\bwww\s?\.|\b(?:mailto|tel|javascript|data|sms|whatsapp)\s?:|"
    r"\S@\s?\w|\w\s?\((?:at|małpa|dot|kropka)\)\s?\w|\[(?:at|dot|\.)\]|"
    r"\b(?:dot|kropka)\s(?:com|net|org|pl|io|shop|eu|de|info|biz|app|store|online|xyz|example)\b|"
    r"\b(?:[\w-]{1,63}\.){1,8}(?:com|net|org|io|pl|eu|de|uk|us|info|biz|shop|store|app|dev|xyz|online|site|top|ru|cn|me|"
    r"co|ly|gg|zip|example|test|ai|cz|sk|fr|it|es|link|click|club|live|tk)\b(?!\.\w)|"
    r"\b[\w-]{1,63}(?:\.[\w-]{1,63}){0,8}\.[a-z]{2,24}(?:/|:\d)|"
    r"(?<![\w.,])(?:\+|00|\(\+?\d)[\d\s().-]{6,}\d",
    re.I,
)
_MARKUP = re.compile(r"<\s*[a-z/!?]|[{}\\]|\bon\w+\s*=|&#?\w{2,10};|\w\s*=\s*[\"'“”]|\]\(|javascript", re.I)


def plain(text: str) -> str:
    """One sentence of a model without its markup and invisible characters."""
    text = clean_text(_BREAKS.sub("\n", html.unescape(text)) if "&" in text else _BREAKS.sub("\n", text))
    if not text.isascii():
        text = _WIDE.sub(lambda match: unicodedata.normalize("NFKC", match[0]), text)
        text = _LOOSE_SELECTOR.sub("", _LOOSE_JOINER.sub("", _HIDDEN.sub("", text)))
    if re.search(r"[<\[\]*_`#~+•|]", text):
        text = _TAG.sub("", _LINK.sub(r"\1", _IMAGE.sub("", text)))
        text = _HEADING.sub("", _BULLET.sub(r"\1- ", _FENCE.sub("", text)))
        text = _EMPHASIS.sub("", text).replace("|", " ").replace("[[", "").replace("]]", "")
    return _SPACES.sub(" ", text).strip()


def suspicious(text: str, allowed: str | None) -> str:
    """The kind of thing in a plain text that is never shown (an address, markup), but for the ``allowed`` address."""
    rest = text.replace(allowed, " ") if allowed else text
    if _CONTACT.search(undisguised(rest)):
        return "contact"
    return "markup" if _MARKUP.search(rest) else ""
