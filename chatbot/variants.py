"""Which variant of a product a question means: by colour, size, number or whatever its name says beside the product's.

Pure.
"""

import re
from collections.abc import Iterable

from chatbot.context import Item
from chatbot.passages import Product
from chatbot.texts import Texts
from chatbot.typos import near, tolerance
from chatbot.words import fold, hits, same

_NUMBER = re.compile(r"\d+(?:[.,]\d+)?")
#: "030" for 0,30, as it is said.
_POINTLESS = re.compile(r"0(\d{2})")
_LETTERS = re.compile(r"(?<![\w'’])(?:X{0,4}[SL]|M|[2-6]XL)(?![\w'’])")
_SMALL = re.compile(
    r"(?<![\w'’])(?:x{1,4}[sl]|[2-6]xl|(?<=size )[sml]|(?<=rozmiar )[sml]|(?<=rozmiarze )[sml])(?![\w'’])"
)
#: Topics whose words say what is asked, not of which product.
_ASKING = ("stock", "have", "have_first", "size", "sold_out", "restock", "variant_asked")


def own_labels(item: Item) -> list[str]:
    """What a variant's name says beside its product's: colour, size."""
    called = item.called
    rest = item.name.removeprefix(called) if item.name.startswith(called) and called != item.name else ""
    rest = rest or item.name.partition(", ")[2]
    return [part.strip() for part in rest.split(", ") if part.strip()]


def variants_asked(question: str, product: Product, texts: Texts) -> list[Item]:
    """The variants that the question's colour, size or numbers name; none where it names none."""
    scored = [(_score(question, item, product), item) for item in product.variants]
    best = max((score for score, _ in scored), default=0)
    return [item for score, item in scored if score == best] if best else []


def _score(question: str, item: Item, product: Product) -> int:
    shared = fold(product.item.called).split()
    score = 0
    for label in own_labels(item):
        score += 2 * len(_numbers(label) & _numbers(question))
        score += 2 * (label.upper() in sizes_in(question))
        words = [word for word in fold(label).split() if len(word) > 2 and word.isalpha() and word not in shared]
        score += 2 * any(_alike(one, word) for word in words for one in fold(question).split())
    return score


def sizes_in(question: str) -> set[str]:
    """The letter sizes a question names."""
    return {*_LETTERS.findall(question), *(found.upper() for found in _SMALL.findall(question.lower()))}


def _numbers(text: str) -> set[str]:
    found = (_POINTLESS.sub(r"0.\1", number) if number.isdigit() else number for number in _NUMBER.findall(text))
    return {fold(number) for number in found}


def _alike(one: str, other: str) -> bool:
    return same(one, other) or (len(one) > 4 and one[0] == other[0] and near(one, other, tolerance(one)))


def words_left(question: str, product: Product, texts: Texts) -> list[str]:
    """The words of a question that neither ask nor name the product, its variants or its category."""
    labels = [label for item in product.variants for label in own_labels(item)]
    named = fold(" ".join([product.item.name, product.item.called, *product.item.categories, *labels])).split()
    asking = [word for topic in _ASKING for word in texts.keywords[topic]]
    words = [
        word
        for word in fold(re.sub(r"['’]s\b", "", question)).split()
        if word not in texts.stopwords and not hits(word, asking) and (len(word) > 1 or word.isdigit())
    ]
    numbered = bool(_numbers(question) & _numbers(" ".join(labels)))
    left = [word for word in words if not any(_alike(word, other) for other in named)]
    return [word for word in left if not (word[0].isdigit() and numbered)]


def others_said(variants: Iterable[Item]) -> str:
    """What a product comes in: each label once."""
    return ", ".join(dict.fromkeys(label for item in variants for label in own_labels(item)))
