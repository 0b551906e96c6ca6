"""Brings the forms of a word to one stem, for English and Polish, on folded words (see ``words``).

Light on purpose: a form too many in one stem finds a product too many; a form missed finds none. Customers leave
accents out, so stems are made after folding, which the stemmers for accented text do not expect.
"""

from functools import lru_cache

LEAST = 3
#: Longest first; what remains keeps at least ``LEAST`` letters (four where only one letter is taken).
_POLISH = (
    "iejszych iejszym iejsza iejszy iejsze owych owymi owego owemu iami ieniu owej owym owie owa owe owy owi iach iego "
    "iemu ami ach ych ymi imi ich ego emu iej iem iom ow om em ej ie ia iu ym im a e i o u y"
).split()
#: What ``_polish`` makes of a softened consonant, and what it was.
_SOFTENED = (("k", "t"), ("g", "d"), ("r", "rz"))
_ENGLISH = ("ing", "ed", "es", "s")


@lru_cache(maxsize=65_536)
def stem(word: str, language: str = "en") -> str:
    """The stem of a folded word; numbers and short words are their own."""
    if len(word) <= LEAST or not word.isalpha():
        return word
    return _polish(word) if language.startswith("pl") else _english(word)


def softened(stemmed: str) -> tuple[str, ...]:
    """What the stem of a Polish word may be of the consonant before its ending was softened: ``robocie``, ``robot``."""
    return tuple(
        stemmed[: -len(soft)] + hard for soft, hard in _SOFTENED if stemmed.endswith(soft) and len(stemmed) > LEAST
    )


def _polish(word: str) -> str:
    for ending in _POLISH:
        if word.endswith(ending) and len(word) - len(ending) >= (LEAST if len(ending) > 1 else LEAST + 1):
            word = word[: -len(ending)]
            break
    else:
        word = word[:-1] if len(word) == LEAST + 1 and word[-1] in "aeiouy" else word
    # Adjectives of nouns (rowerowy, rower), the fleeting e (plytek, plytki), the soft consonants (kurtce, drodze).
    if word.endswith("ow") and len(word) >= LEAST + 3:
        word = word[:-2]
    if len(word) > LEAST + 1 and word[-2:] in ("ek", "ec") and word[-3] not in "aeiouy":
        word = word[:-2] + word[-1]
    for soft, hard in (("dz", "g"), ("rz", "r"), ("c", "k")):
        if word.endswith(soft) and len(word) > LEAST:
            return word[: -len(soft)] + hard
    return word.rstrip("i") if len(word) > LEAST else word


def _english(word: str) -> str:
    if word.endswith("ies") and len(word) > LEAST + 1:
        return word[:-3] + "y"
    if word.endswith(("ss", "us", "is")):
        return word
    for ending in _ENGLISH:
        left = word[: -len(ending)]
        if word.endswith(ending) and len(left) >= LEAST and any(vowel in left for vowel in "aeiouy"):
            doubled = left[-1] == left[-2] and ending in {"ing", "ed"}
            return left[:-1] if doubled and len(left) > LEAST else left
    return word[:-1] if word.endswith("e") else word
