"""What the words of a mail may not say when a model wrote them: the first rule that a draft breaks, and where.

Pure. The claims are those of the assistant's gate (``recovery.claims``). Beside them a mail never tells that somebody
was watched, what was inferred of them or why they left, greets nobody by name, announces no lower price, and in Polish
gives nobody a gender. Wide on purpose: a draft too many is put aside, and the ready-made words go instead.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from recovery.claims import first_unbacked
from recovery.cleaning import plain, suspicious
from recovery.facts import Facts
from recovery.text import one_line
from recovery.words import fold, same, sentences

LONGEST_SUBJECT = 78
LONGEST_PREHEADER = 120
LONGEST_INTRO = 600
LONGEST_BULLET = 140
LONGEST_CLOSING = 240
MOST_BULLETS = 3
LONGEST_SAID = 80

#: Languages whose texts the rules read.
LANGUAGES = ("en", "pl")
# Looked for in folded text: lower case, no accents, no marks.
_WATCHED = re.compile(
    r"\b(?:we|i) (?:\w+ )?(?:saw|see|seen|know|think|guess|believe|suspect|assume|remember)\b"
    r"|\b(?:notic(?:e|ed|ing)|spotted|watch(?:ed|ing)|track(?:ed|ing)|monitor\w*|behaviou?rs?|brows(?:ed|ing)|"
    r"visited|your (?:last )?visits?|analy[sz]\w+|algorithms?|scor(?:e|ed|es|ing)|probabilit\w+|likelihood|likely|"
    r"predict\w*|profil(?:ed|ing)|intent|abandon\w*|realis\w+|realiz\w+|detected|inferred)\b"
    r"|\byou (?:(?:have|ve|had|just|recently|already|almost|nearly|still|also|then) )*(?:look(?:ed)?|view(?:ed)?|"
    r"searched|clicked|tried|hesitat\w+|stopped|paused|compared|wanted|wondered|forgot\w*|were|are (?:\w+ )?looking|"
    r"did|didn|spent|opened|read|checked|started|began|changed|removed|seem\w*|appear\w*|liked|went)\b"
    r"|\b(?:zauwazy\w+|widzim\w+|widzi(?:elismy|alem|alam)|widze|wiemy|spostrzeg\w*|obserw\w+|sledz\w*|monitor\w*|"
    r"przegladal\w*|przegladan\w*|ogladal\w*|ogladan\w*|odwiedzi(?:l\w*|n\w*)|wizyt\w*|porzuc\w*|waha\w*|analiz\w*|"
    r"algorytm\w*|prawdopodob\w*|zachowani(?:e|a|u)|zapomnia\w*|wykry\w+|oceni(?:l\w*|amy)|wynik\w*)\b"
)
_REASON = re.compile(
    r"\b(?:because|since) you\b|\btoo (?:expensive|high|much|pricey|dear|slow|long|complicated|far)\b"
    r"|\b(?:worr\w+|concern\w*|hesita\w*|doubt\w*|unsure|not sure|uncertain\w*|reluctan\w*|put (?:you )?off|"
    r"h[eo]ld(?:ing)? (?:you )?back|kept you from|sensitiv\w*|budget\w*|afford\w*|reasons?|why you|scared|afraid)\b"
    r"|\b(?:za drogo|zbyt (?:drog\w*|wysok\w*|dlug\w*|woln\w*|skomplikowan\w*)|obaw\w*|watpliw\w*|niepewn\w*|"
    r"budzet\w*|powstrzym\w*|zniechec\w*|dlaczego|powod\w*|poniewaz|dlatego ze|boisz|boja sie)\b"
)
_LOWER_PRICE = re.compile(
    r"\bpric\w+\b.{0,40}\b(?:drop\w*|f[ae]ll\w*|lower\w*|down|cut|reduc\w*|chang\w*|decreas\w*|less|better|new)\b"
    r"|\b(?:lower\w*|reduced|dropped|new|better|special|old|previous|regular|former)\b.{0,25}\bpric\w+\b"
    r"|\b(?:cheaper|cheap|was \w+ now|sav(?:e|es|ing|ings)|bargain\w*|deals?)\b"
    r"|\bcen(?:a|y|e|ie|om|ami|ach)?\b.{0,40}\b(?:spad\w*|niz\w+|obniz\w*|mniej\w*|zmien\w*|now\w+|lepsz\w*)\b"
    r"|\b(?:nizsz\w*|now[aey]\w*|lepsz\w*|star[aey]\w*|dawn\w*|poprzedni\w*|wczesniejsz\w*)\b.{0,25}"
    r"\bcen(?:a|y|e|ie|om|ami|ach)?\b"
    r"|\b(?:taniej|tansz\w*|potani\w*|oszczed\w*|kosztowal\w*)\b"
)
_GREETING = re.compile(
    r"(?:hi|hello|hey|dear|good (?:morning|day|evening|afternoon)|greetings|welcome|czesc|hej|witaj\w*|witam\w*|"
    r"dzien dobry|dobry wieczor|drog(?:i|a|ie)|szanown\w*|kochan\w*)\b"
)
_CALLED = re.compile(r"\W*[A-ZĄĆĘŁŃÓŚŹŻ]\w+\s*[,!]")
#: Words that begin a sentence before a comma and call nobody.
_OPENERS = frozenset(
    "still well ready remember now here today soon sprawdz zobacz pamietaj wroc zajrzyj teraz tutaj nadal wciaz".split()
)
# In lower case with accents: forms of the past that tell a gender, doubled forms, and Pan and Pani.
_GENDERED = re.compile(
    r"\b\w{2,}(?:łeś|łaś|łbyś|łabyś|łbym|łabym|liście|łyście|libyście|łybyście)\b"
    r"|\b(?!materiałem|kryształem|kanałem|kapitałem|działem|podziałem|udziałem|zapałem|artykułem|tytułem|zespołem)"
    r"\w{2,}(?:[aąeiyu]ł[ea]m)\b"
    r"|\b(?:powinieneś|powinnaś|powinienem|powinnam|pan|pani|pana|panu|panie|panią|panem)\b"
    r"|\w\((?:a|e|y|i|aś|eś|na)\)|\w/(?:-?a|-?y|-?na|aś|łaś)\b"
    r"|\b(?:jesteś|będziesz|bądź)\s+(?:\w+\s+)?(?:gotow[ya]|pew(?:ien|ny|na)|zadowolon[ya]|zainteresowan[ya]|"
    r"zdecydowan[ya]|ciekaw[ya]?|zajęt[ya]|przekonan[ya])\b"
)
_INFORMAL = re.compile(
    r"\b(?:ty|twoj\w*|twego|twa|twe|ciebie|tobie|toba|cie|ci|masz|mozesz|chcesz|wroc|zobacz|sprawdz|kliknij|zapytaj|"
    r"napisz|wybierz|dokoncz|pamietaj|\w{3,}(?:esz|isz|ysz))\b"
)
_FORMAL = re.compile(r"\bpanstw\w*\b")
# What words mean in a mail about a cart, where the gate, which reads both languages and any talk, hears a claim: an
# English order is placed (Polish "place": I pay), a cart is safe, and a customer returns to it.
_MEANT = {
    "en": (
        (re.compile(r"\bplace\b", re.I), "put"),
        (re.compile(r"\b((?:cart|basket) is (?:\w+ )?)safe\b", re.I), r"\1kept"),
        (
            re.compile(r"\b(when(?:ever)? you) return\b|\breturn (to (?:your|the) (?:cart|basket))\b", re.I),
            r"\1 come \2",
        ),
    ),
    "pl": ((re.compile(r"\b(koszyk jest (?:\w+ )?)bezpieczny\b", re.I), r"\1zapisany"),),
}
_MARKUP = re.compile(r"[<>{}\[\]\\]|&#?\w{2,10};|\]\(")
_SPOKEN = {
    "en": frozenset("the and your you for is are it of with we have cart in this that".split()),
    "pl": frozenset("w z na nie jest sie twoj twoim panstwa koszyk koszyku dla oraz czeka sklepie i po przy".split()),
}


@dataclass(frozen=True)
class Draft:
    """The words of a mail that a model may write, each on one line and plain."""

    subject: str
    preheader: str
    intro: str
    bullets: tuple[str, ...]
    closing: str

    def fields(self) -> Iterator[tuple[str, str]]:
        """Every text with the name of its place, in the order in which a mail is read."""
        yield from (("subject", self.subject), ("preheader", self.preheader), ("intro", self.intro))
        yield from (("bullet", bullet) for bullet in self.bullets)
        if self.closing:
            yield "closing", self.closing


@dataclass(frozen=True)
class Setting:
    """What a draft is judged by, beside the facts: the store's name and language, how it addresses its customers, and
    the first name of this one, which no draft may hold."""

    shop: str
    language: str
    formal: bool
    first_name: str | None
    product_words: frozenset[str]


@dataclass(frozen=True)
class Fault:
    """The rule that a draft breaks, where, and the words that break it."""

    place: str
    rule: str
    said: str = ""

    def __str__(self) -> str:
        return f"{self.place}: {self.rule}" + (f" ({self.said[:LONGEST_SAID]})" if self.said else "")


def made_plain(text: str) -> str:
    """A model's text for one place of a mail: one line, without emphasis and what nobody sees."""
    return one_line(plain(text)).removeprefix("- ")


def first_fault(draft: Draft, setting: Setting, facts: Facts) -> Fault | None:
    """The first rule that a draft breaks."""
    return next(_faults(draft, setting, facts), None)


def markup_fault(place: str, raw: str) -> Fault | None:
    """Whether a text as the model wrote it holds markup, a link or a placeholder, which nobody asked for."""
    found = _MARKUP.search(raw)
    return Fault(place, "markup", found[0]) if found else None


def _faults(draft: Draft, setting: Setting, facts: Facts) -> Iterator[Fault]:
    yield from _lengths(draft)
    yield from _language(draft, setting)
    before = ""
    for place, text in draft.fields():
        yield from _manners(place, text, setting)
        kind = suspicious(text, setting.shop)
        if kind:
            yield Fault(place, kind)
        # A shop may be called Outlet or Sale; its name is no claim.
        judged = text.replace(setting.shop, "Shop")
        for words, meant in _MEANT[setting.language]:
            judged = words.sub(meant, judged)
        for sentence in sentences(judged):
            claim = first_unbacked(sentence, before, facts)
            if claim is not None:
                yield Fault(place, f"unbacked claim of {claim.kind}", claim.said)
            before += f"{sentence}\n"


def _lengths(draft: Draft) -> Iterator[Fault]:
    most = {
        "subject": LONGEST_SUBJECT,
        "preheader": LONGEST_PREHEADER,
        "intro": LONGEST_INTRO,
        "bullet": LONGEST_BULLET,
        "closing": LONGEST_CLOSING,
    }
    for place, text in draft.fields():
        if not text:
            yield Fault(place, "empty")
        if len(text) > most[place]:
            yield Fault(place, f"longer than {most[place]} characters")
    if len(draft.bullets) > MOST_BULLETS:
        yield Fault("bullet", f"more than {MOST_BULLETS}")


def _language(draft: Draft, setting: Setting) -> Iterator[Fault]:
    for place, text in draft.fields():
        words = fold(text).split()
        hits = {language: sum(word in known for word in words) for language, known in _SPOKEN.items()}
        wanted = hits.pop(setting.language)
        foreign = max(hits.values())
        if (foreign > max(1, wanted)) or (place == "intro" and wanted < 2):
            yield Fault(place, "not in the store's language")


def _manners(place: str, text: str, setting: Setting) -> Iterator[Fault]:
    """How a mail speaks to somebody, beside what it claims."""
    folded = fold(text)
    for sentence in map(fold, sentences(text)):
        for rule, words in (("watching", _WATCHED), ("named reason", _REASON)):
            if found := words.search(sentence):
                yield Fault(place, rule, found[0])
    if found := _LOWER_PRICE.search(folded):
        yield Fault(place, "lower price", found[0])
    called = _CALLED.match(text)
    if _GREETING.match(folded) or (called and fold(called[0]) not in _OPENERS | setting.product_words):
        yield Fault(place, "greeting", text[:20])
    names = fold(setting.first_name or "").split()
    for word in folded.split():
        if word not in setting.product_words and any(len(name) > 2 and same(word, name) for name in names):
            yield Fault(place, "first name")
    if setting.language == "pl":
        yield from _polish(place, text.lower(), folded, setting)


def _polish(place: str, lower: str, folded: str, setting: Setting) -> Iterator[Fault]:
    if found := _GENDERED.search(lower):
        yield Fault(place, "gender", found[0])
    if found := (_INFORMAL if setting.formal else _FORMAL).search(folded):
        yield Fault(place, "form of address", found[0])
