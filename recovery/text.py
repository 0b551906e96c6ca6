"""Text from outside made safe to keep: cleaned strings, plain text from HTML and one e-mail address."""

import re
import unicodedata
from urllib.parse import unquote

import html2text

# C0 and C1 controls but tab and newline, lone surrogates, and the invisible tag block used to smuggle instructions.
_FORBIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\U000e0000-\U000e007f]")
# Zero-width characters, marks of writing direction and variation selectors, which hide words from people.
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\U000e0080-\U000e0fff]"
)
_TAG = re.compile(r"<[^<>]{1,500}>")
_LOCAL_PART = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESS = re.compile(rf"({_LOCAL_PART})@({_LABEL}(?:\.{_LABEL})+)", re.ASCII)
# Wide on purpose: rather one word too many is hidden than one address shown.
_ANY_ADDRESS = re.compile(
    r"[^\s<>\"'(),;:\[\]/|@=&?]+(?:@|%40)[^\s<>\"'(),;:\[\]/|@=&?]*[^\s<>\"'(),;:\[\]/|@=&?.!]", re.I
)
_ROLE_NAMES = frozenset(
    "abuse admin administrator billing bounce bounces compliance contact daemon devnull do-not-reply donotreply help "
    "hello hostmaster info mailer-daemon marketing no-reply nobody noreply office postmaster privacy root sales "
    "security spam support sysadmin test unsubscribe webmaster".split()
)
_BOT_DOMAINS = frozenset({"storebotmail.joonix.net"})


def without_forbidden(value: str) -> str:
    """Drop what no database, mail or page can carry and leave everything else, for a piece of a longer text."""
    return _FORBIDDEN.sub("", value)


def clean_text(value: str, limit: int | None = None) -> str:
    """Drop what no database, mail or page can carry, normalise to NFC, trim, and cut to ``limit`` code points."""
    cleaned = unicodedata.normalize("NFC", without_forbidden(value.replace("\r\n", "\n").replace("\r", "\n"))).strip()
    return cleaned if limit is None or len(cleaned) <= limit else cleaned[: limit - 1].rstrip() + "…"


def visible_text(value: str, limit: int | None = None) -> str:
    """``clean_text`` without what no reader can see, for text from outside that a model is to read."""
    return clean_text(_INVISIBLE.sub("", value), limit)


def untagged(value: str, limit: int | None = None) -> str:
    """``visible_text`` without tags."""
    return visible_text(_TAG.sub(" ", value), limit)


def one_line(value: str, limit: int | None = None) -> str:
    """``clean_text`` with every run of white space made one blank, for names, subjects and log lines."""
    cleaned = clean_text(re.sub(r"\s", " ", value))
    # Collapsed last: between two blanks there may have been a character that was dropped.
    return clean_text(re.sub(" +", " ", cleaned), limit)


def html_to_text(html: str, limit: int | None = None) -> str:
    """The readable text of ``html``: no links, pictures or emphasis; lists keep their dashes."""
    converter = html2text.HTML2Text(bodywidth=0)
    converter.ignore_links = converter.ignore_images = converter.ignore_emphasis = True
    converter.ul_item_mark = "-"
    converter.escape_snob = False
    plain = re.sub(r"\n{3,}", "\n\n", converter.handle(clean_text(html)))
    return clean_text("\n".join(line.strip() for line in plain.splitlines()), limit)


def untold_options(name: str, options: list[dict[str, str]]) -> list[dict[str, str]]:
    """The options whose value a product's name does not say already, as the names of many shops' variants do."""
    folded = name.casefold()
    return [
        option for option in options if not re.search(rf"(?<!\w){re.escape(option['value'].casefold())}(?!\w)", folded)
    ]


def email_address(value: str) -> str | None:
    """``value`` as one plain address with its domain in lower-case ASCII, or None when it isn't exactly one."""
    local, at, domain = value.strip().rpartition("@")
    try:
        candidate = f"{local}@{domain.encode('idna').decode('ascii').lower()}" if at else ""
    except UnicodeError:
        return None
    match = _ADDRESS.fullmatch(candidate)
    return candidate if match and len(candidate) <= 254 and len(match[1]) <= 64 else None


def phone_digits(value: str) -> str | None:
    """The last nine digits of a phone number, with which its country code and way of writing do not matter.

    None for what is no number, or one that people type to get past a form.
    """
    digits = "".join(re.findall(r"[0-9]", value))[-9:]
    return digits if len(digits) >= 7 and len(set(digits)) > 2 and digits not in "0123456789" else None


def plain_postcode(value: str) -> str | None:
    """A postcode's letters and digits in upper case, or None when there are too few to tell a place."""
    plain = "".join(re.findall(r"[A-Z0-9]", value.upper()))
    return plain if len(plain) >= 3 and len(set(plain)) > 1 else None


def is_role_address(address: str) -> bool:
    """Whether nobody in particular reads ``address`` (info@, noreply@ …)."""
    return address.partition("@")[0].partition("+")[0].lower() in _ROLE_NAMES


def is_bot_address(address: str) -> bool:
    """Whether ``address`` belongs to a crawler that fills carts."""
    return address.rpartition("@")[2].lower() in _BOT_DOMAINS


def mask_address(address: str) -> str:
    """``a***@example.com``: enough to recognise one's own address, not enough to learn another's."""
    local, _, domain = address.partition("@")
    return f"{local[:1]}***@{domain}"


def mask_code(code: str) -> str:
    """``BACK-…4RTN``: enough to tell codes apart, not enough to use one."""
    return f"{code.partition('-')[0][:4]}…{code[-4:]}" if len(code) > 10 else f"{code[:2]}…"


def mask_addresses(text: str) -> str:
    """``text`` with every e-mail address in it masked, for logs and reports."""
    return _ANY_ADDRESS.sub(lambda match: mask_address(unquote(match[0])), text)


def duration(minutes: int) -> str:
    """``minutes`` for people: ``45 min``, ``3 h``, ``2 d 4 h``."""
    days, rest = divmod(minutes, 1440)
    hours, left = divmod(rest, 60)
    parts = [f"{days} d" if days else "", f"{hours} h" if hours else "", f"{left} min" if left and not days else ""]
    return " ".join(filter(None, parts)) or "0 min"
