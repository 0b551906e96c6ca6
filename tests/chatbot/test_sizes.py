"""Sizes over a made-up shop of garden wear: tables of any shape, measures in any unit, what is honestly left open."""

from decimal import Decimal

import pytest

from chatbot.answers import MAX_TEXT, answer
from chatbot.context import Item, Knowledge, Line, PolicyText
from chatbot.measures import measures_of
from chatbot.size_tables import read_table
from chatbot.texts import load_texts

TEXTS = load_texts()
ADVICE = {"en": "Between two sizes take the larger one.", "pl": "Przy rozmiarze pośrednim lepszy jest większy."}
INLINE = {
    "en": "S, Height 160–168 cm, Waist 70–76 cm\n"
    "M, Height 169–177 cm, Waist 77–83 cm\nL, Height 178–186 cm, Waist 84–90 cm",
    "pl": "S, Wzrost 160–168 cm, Pas 70–76 cm\nM, Wzrost 169–177 cm, Pas 77–83 cm\nL, Wzrost 178–186 cm, Pas 84–90 cm",
}
#: The same three sizes as shops write them.
SHAPES = [
    (
        "en",
        "Size | Height (cm) | Waist (cm)\n-- | -- | --\nS | 160-168 | 70-76\nM | 169-177 | 77-83\nL | 178-186 | 84-90",
    ),
    ("en", "| Size | Height | Waist |\n|---|---|---|\n| S | 160–168 cm | 70–76 cm |\n| M | 169–177 cm | 77–83 cm |"),
    ("en", "Size\tHeight\tWaist\nS\t160–168\t70–76\nM\t169–177\t77–83\nL\t178–186\t84–90"),
    ("en", "Size,Height,Waist\nS,160-168,70-76\nM,169-177,77-83\nL,178-186,84-90"),
    ("en", "S: 160–168 cm, waist 70–76\nM: 169–177 cm, waist 77–83\nL: 178–186 cm, waist 84–90"),
    ("en", "Size | S | M | L\nHeight | 160-168 | 169-177 | 178-186\nWaist | 70-76 | 77-83 | 84-90"),
    ("en", "Size M is made for a height of 169 to 177 cm and a waist of 77 to 83 cm.\nSize L: height from 178 cm"),
    ("en", "Size Height Waist\nS 160-168 70-76\nM 169-177 77-83\nL 178-186 84-90"),
    ("en", "Size | Height (m) | Waist (in)\nS | 1.60-1.68 | 27.5-30\nM | 1.69-1.77 | 30.3-32.7"),
    ("pl", "Rozmiar; Wzrost; Pas\nS; do 168 cm; 70–76\nM; 169 do 177 cm; 77–83\nL; od 178 cm; 84–90"),
]


def shop(language: str, guide: str, **changes: str) -> Knowledge:
    called = {"en": "Weeding trousers", "pl": "Spodnie ogrodnika"}[language]
    sizes = changes.get("sizes", "S M L").split()
    items = tuple(
        Item(
            f"dig-{size}",
            f"{called}, {size}",
            6900,
            "EUR",
            2,
            True,
            "dig",
            called,
            changes.get("text", "Deep pockets."),
        )
        for size in sizes
    )
    title = f"{changes.get('title', 'Size guide')}: {called}"
    line = Line(items[0].name, 10_000, 6900, items[0].id, items[0])
    return Knowledge(
        language, "Spade & Rake", "EUR", 2, 6900, (line,), siblings=items, contact_url="https://spade.example/ask",
        policies=(PolicyText("size_guide", title, guide),) if guide else (),
    )  # fmt: skip


def said(question: str, language: str, guide: str, **changes: str) -> tuple[str, list[str]]:
    found = answer(question, shop(language, guide, **changes), TEXTS.of(language))
    assert found.topic == "size"
    assert len(found.text) <= MAX_TEXT
    return found.text, [card["id"] for card in found.cards]


@pytest.mark.parametrize(("language", "guide"), SHAPES)
def test_a_table_of_any_shape_is_read(language: str, guide: str) -> None:
    table = read_table(guide, TEXTS.of(language))
    row = table.of("M")
    assert row is not None
    height, waist = row.spans.values()
    assert height.holds(Decimal(170))
    assert not height.holds(Decimal(178))
    assert waist.holds(Decimal(80))
    assert not waist.holds(Decimal(90))
    # A question about the measures of M is answered with the store's own line for M.
    question = "I am 170 cm tall, which size?" if language == "en" else "mam 170 cm wzrostu, jaki rozmiar?"
    assert row.text in said(question, language, guide)[0]


@pytest.mark.parametrize(
    ("language", "question", "value", "kind"),
    [
        ("en", "I am 178 cm tall", "178", "height"),
        ("en", "I'm 5'10\" tall", "177.8", "height"),
        ("en", "height 5 ft 10", "177.8", "height"),
        ("en", "a waist of 34 inches", "86.36", "waist"),
        ("en", "foot 265 mm", "26.5", "foot"),
        ("en", "height 1.78 m", "178", "height"),
        ("pl", "1,78 wzrostu", "178", "height"),
        ("pl", "98 w klatce", "98", "chest"),
        ("pl", "przekrok 82", "82", "inseam"),
        ("pl", "obwód głowy 58", "58", "head"),
        ("pl", "w pasie 92 cm", "92", "waist"),
        ("pl", "biodra 104", "104", "hips"),
    ],
)
def test_a_measure_is_read_in_any_unit(language: str, question: str, value: str, kind: str) -> None:
    [measure] = measures_of(question, TEXTS.of(language))
    assert measure.value == Decimal(value)
    assert kind in measure.kinds


@pytest.mark.parametrize(
    "question", ["a 2.5 l can", "20x120", "€1.20", "2,75 lb rod of 300 g", "10 pieces", "5 m² please"]
)
def test_other_numbers_measure_nobody(question: str) -> None:
    assert not any(measure.sure or measure.kinds - {"weight"} for measure in measures_of(question, TEXTS.of("en")))


def test_each_measure_goes_to_its_own_word() -> None:
    found = measures_of("182 cm wzrostu, 88 w pasie", TEXTS.of("pl"))
    assert [(str(one.value), set(one.kinds)) for one in found] == [("182", {"height"}), ("88", {"waist"})]
    found = measures_of("waist 80, height 172", TEXTS.of("en"))
    assert [(str(one.value), set(one.kinds)) for one in found] == [("80", {"waist"}), ("172", {"height"})]


@pytest.mark.parametrize(
    ("language", "question", "size"),
    [
        ("en", "I am 172 cm with a waist of 80, which size?", "M"),
        ("en", "I'm 5'7\", what size?", "M"),
        ("en", "33 inch waist, which size?", "L"),
        ("pl", "mam 1,82 wzrostu, jaki rozmiar?", "L"),
        ("pl", "w pasie 74, wzrost 165", "S"),
    ],
)
def test_a_measure_leads_to_a_size_and_its_card(language: str, question: str, size: str) -> None:
    text, cards = said(question, language, INLINE[language])
    assert f"{'size' if language == 'en' else 'rozmiar'} {size}" in text
    assert cards == [f"dig-{size}"]


def test_a_conversion_is_shown() -> None:
    # By hand: 5 ft 7 are 67 inches, and 67 × 2.54 is 170.18.
    assert "67 in × 2.54 = 170.2 cm" in said("I'm 5'7\", what size?", "en", INLINE["en"])[0]


@pytest.mark.parametrize(
    ("language", "question"), [("en", "176.5 cm tall, which size?"), ("pl", "wzrost 172, jaki rozmiar?")]
)
def test_between_two_sizes_both_are_named_with_the_stores_advice(language: str, question: str) -> None:
    overlapping = INLINE[language].replace("169–177", "167–177").replace("178–186", "172–186")
    overlapping += f"\n{ADVICE[language]}"
    text, cards = said(question, language, overlapping)
    assert ("M and L" if language == "en" else "M i L") in text
    assert ADVICE[language] in text
    assert cards == ["dig-M", "dig-L"]


def test_in_a_gap_between_two_rows_both_are_named() -> None:
    gap = "S | 160-166\nM | 170-177"
    text, _ = said("168 cm tall, which size?", "en", f"Size | Height\n{gap}")
    assert "S and M" in text


@pytest.mark.parametrize(
    ("language", "question"), [("en", "I am 199 cm tall, which size?"), ("pl", "mam 199 cm wzrostu, jaki rozmiar")]
)
def test_beyond_the_guide_is_said_with_its_ends_and_a_person(language: str, question: str) -> None:
    text, _ = said(question, language, INLINE[language])
    assert "160" in text
    assert "186" in text
    assert "https://spade.example/ask" in text


def test_measures_that_disagree_are_said_to() -> None:
    text, _ = said("180 cm tall, waist 72 cm, which size?", "en", f"{INLINE['en']}\n{ADVICE['en']}")
    assert "height 180 cm → L; waist 72 cm → S" in text
    assert ADVICE["en"] in text


def test_a_guide_without_the_measure_is_not_used() -> None:
    found = answer("my head is 58 cm, which size?", shop("en", INLINE["en"]), TEXTS.of("en"))
    assert "is size" not in found.text


def test_a_range_in_the_products_text_answers() -> None:
    text, _ = said("does it fit a 58 cm head?", "en", "", text="One size for heads from 52 to 62 cm.", sizes="one")
    assert "lies within “One size for heads from 52 to 62 cm.”" in text
    text, _ = said("does it fit a 66 cm head?", "en", "", text="One size for heads from 52 to 62 cm.", sizes="one")
    assert "lies outside" in text


def test_a_shoe_number_finds_the_variant_whose_label_holds_it() -> None:
    text, cards = said("I wear shoe size 43", "en", "", sizes="39–41 42–44")
    assert "43 falls into 42–44" in text
    assert cards == ["dig-42–44"]
