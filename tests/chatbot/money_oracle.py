"""The judge of what a customer was shown: a short list of true things, and a greedy search for anything else.

It knows nothing of the gate. It strikes the sentences the shop itself may say from the text, and whatever is left that
smells of money, stock, delivery, returns, codes or links is a fault.
"""

import re
import unicodedata

#: What may be said, word for word up to case and blanks, in the outdoor demo shop.
TRUE = {
    "en": ("€239.00", "€19.00", "€277.00", "€4.90", "€6.90", "€150.00", "30 days", "1–2 working days", "24 months"),
    "pl": ("999,00 zł", "79,00 zł", "1157,00 zł", "11,90 zł", "14,90 zł", "600,00 zł", "30 dni", "1–2 dni robocze",
           "24 miesiące"),
}  # fmt: skip
_LOOKS = str.maketrans("аеорсухіјѕкмнтвАЕОРСУХІЈЅКМНТВłꜰʀᴇαο", "aeopcyxijskmhtbaeopcyxijskmhtblfreao")
_SMELLS = (
    r"\d",
    r"[€$£¥₿₽₹]",
    r"\b(eur|euros?|usd|pln|gbp|zl|zlot\w*|zlocisz\w*|dollars?|bucks?|quid|tenner|fiver|stow\w+|dych\w|grosz\w*)\b",
    r"%|‰|\b(percent|procent\w*|prozent)\b",
    r"\b(free|gratis|gratuit\w*|za ?darmo|darmow\w+|bezplatn\w+|kostenlos|umsonst|zdarma)\b",
    r"\b(zadarmo|complimentary|for nothing)\b",
    r"\b(costs? nothing|on the house|no charge|nothing to pay)\b",
    r"\b(discounts?|coupons?|vouchers?|rabat\w*|znizk\w+|kupon\w*|promo\w*|sale|bargain)\b",
    r"\b(rabatt|sleva|descuento|remise|sconto)\b",
    r"\b(half|pol|polow\w+|quarter|third)\b.{0,20}\b(price|off|ceny)\b",
    r"\b(price|off)\b.{0,12}\b(half|quarter|third)\b",
    r"\b(cheaper|cheapest|taniej|tansz\w+|najtan\w+|przecen\w+|obniz\w+|reduced|best price|najnizsz\w+)\b",
    r"\b(in stock|last (piece|one|pair)s?|left|sold out|available|dostepn[aey]|ostatni\w+ sztuk\w+|od reki)\b",
    r"\b(tomorrow|jutro|overnight|friday|piatek|same day|express|worldwide)\b",
    r"\b(refund\w*|money back|no questions|any ?time|lifetime|forever|dozywotni\w*|bez pytan)\b",
    r"\b(use|enter|apply|wpisz|uzyj)\b.{0,12}\b(code|kod)\w*\b|\b[A-Z]{4,}\d+\b",
    r"\b(safe for|bezpieczn\w+|non.?toxic|legal in|hypoallergenic)\b",
    r"https?:|www\.|<\s*/?[a-z]|\bjavascript\b|\S@\S+\.\w|\]\(|\.(com|example|zip|ru)\b",
    r"\b(one|two|three|five|ten|twelve|twenty|ninety|hundred|dwanascie|dziesiec|piec|sto)\b"
    r" (euro|percent|zlot|bucks|days|procent|off|left|for one)",
    r"(?<![a-z])f\W?r\W?e\W?e(?![a-z])",
)  # fmt: skip
_SMELL = re.compile("|".join(f"(?:{one})" for one in _SMELLS), re.I)
_HARMLESS = re.compile(r"\b\d+ ?(?:g|cm|mm|°C)(?!\w)|\bfeel free\b", re.I)


def faults(shown: str, language: str, sayings: tuple[str, ...] = ()) -> list[str]:
    """Every claim in ``shown`` that is not among the true things; ``sayings`` are the program's own sentences."""
    for saying in sayings:
        shown = shown.replace(saying, " ")
    plain = unicodedata.normalize("NFKD", shown.translate(_LOOKS))
    plain = "".join(c for c in plain if not unicodedata.combining(c) and unicodedata.category(c) not in ("Cf", "Me"))
    plain = "".join(str(unicodedata.digit(c)) if unicodedata.digit(c, None) is not None else c for c in plain)
    for true in TRUE[language]:
        plain = re.sub(rf"(?<![\d.,]){re.escape(_bare(true))}(?![\d,]|\.\d)", " ", plain)
    plain = _HARMLESS.sub(" ", plain)
    foreign = [word for word in re.findall(r"[^\W\d_]+", plain) if not word.isascii()]
    return [match[0] for match in _SMELL.finditer(plain)] + foreign


def _bare(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.translate(_LOOKS))
    return "".join(c for c in plain if not unicodedata.combining(c))
