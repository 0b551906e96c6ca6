"""Whether two things of a shop fit and what a set lacks: by the shop's own lists, and never a verdict beyond them.

The shops are made up: espresso machines in English, printers in Polish, with attributes named as shops name them.
"""

import pytest

from chatbot.answers import Answer, answer
from tests.chatbot.made_up import CONTACT, TEXTS, MadeUp, item

ESPRESSO = MadeUp(
    "en",
    [
        item("moka", "Moka espresso machine", ("Portafilter", "58 mm"),
             ("Works with", "Moka bottomless portafilter, Crema water filter, ground coffee"),
             ("Incompatible with", "Nespresso capsules"),
             ("Box contents", "Machine, single and double basket, scoop"),
             ("Sold separately", "Grinder, tamper"), kind="Machines"),
        item("luna", "Luna capsule machine", ("Works with", "Luna aluminium capsules 10 pcs"),
             ("Incompatible with", "ESE pods, Crema water filter"), ("Box contents", "Machine, 12 capsules"),
             kind="Machines"),
        item("porta", "Moka bottomless portafilter", ("Compatible models", "Moka espresso machine"),
             ("Incompatible with", "Luna capsule machine"), kind="Accessories"),
        item("filter", "Crema water filter", ("Compatible models", "Moka espresso machine (from 2021)"), kind="Care"),
        item("grinder", "Duo burr grinder", ("Works with", "Dosing cup 58 mm"),
             ("Incompatible with", "Oily flavoured beans"), kind="Grinders"),
        item("tamper", "Steel tamper 58 mm", ("Compatible models", "Moka espresso machine"), kind="Accessories"),
        item("caps", "Luna aluminium capsules 10 pcs", ("Compatible models", "Luna capsule machine"), kind="Coffee"),
        item("pods", "ESE pods, 50 pieces", ("Compatible models", "Moka espresso machine"),
             ("Incompatible with", "Luna capsule machine"), kind="Coffee"),
        item("jug", "Milk jug 350 ml", ("Material", "Steel"), kind="Accessories"),
    ],
    {"moka": ("jug",)},
)  # fmt: skip
PRINTERS = MadeUp(
    "pl",
    [
        item("cyan200", "Drukarka laserowa Cyan 200", ("Współpracuje z", "Toner czarny T20"),
             ("Zawartość opakowania", "Drukarka, toner startowy"), ("Do dokupienia osobno", "Kabel USB, papier"),
             kind="Drukarki"),
        item("cyan400", "Drukarka laserowa Cyan 400", ("Współpracuje z", "Toner czarny T40, Podajnik papieru P250"),
             kind="Drukarki"),
        item("t20", "Toner czarny T20", ("Kompatybilność", "Drukarka laserowa Cyan 200"), kind="Tonery"),
        item("t40", "Toner czarny T40", ("Kompatybilność", "Drukarka laserowa Cyan 400"),
             ("Niekompatybilny z", "Drukarka laserowa Cyan 200"), kind="Tonery"),
        item("podajnik", "Podajnik papieru P250", ("Kompatybilność", "Drukarka laserowa Cyan 400"),
             ("Wymaga", "Podstawa PD1"), kind="Akcesoria"),
        item("pd1", "Podstawa PD1", ("Nośność", "40 kg"), kind="Akcesoria"),
        item("usb", "Kabel USB A-B 2 m", ("Długość", "2 m"), kind="Akcesoria"),
    ],
)  # fmt: skip


def ask(shop: MadeUp, question: str, *cart: str) -> Answer:
    return answer(question, shop.known(question, cart), TEXTS.of(shop.language))


FITS, FITS_NOT = "By the shop's data this fits:", "By the shop's data this does not fit:"
PASUJE, NIE_PASUJE = "Według danych sklepu to do siebie pasuje:", "Według danych sklepu to do siebie nie pasuje:"


@pytest.mark.parametrize(
    ("shop", "question", "cart", "said", "quoted"),
    [
        # By the list of either.
        (ESPRESSO, "Will the bottomless portafilter fit the Moka?", "moka", FITS, "Moka espresso machine"),
        (ESPRESSO, "Does the tamper fit the Moka?", "moka", FITS, "“Compatible models: Moka espresso machine”"),
        (ESPRESSO, "does the portafilter work with my Luna", "luna", FITS_NOT, "“Incompatible with: Luna capsule mach"),
        (ESPRESSO, "filter for luna?", "luna", FITS_NOT, "“Incompatible with: ESE pods, Crema water filter”"),
        # What is in the cart is meant where only the other thing is named.
        (ESPRESSO, "Does the portafilter fit?", "moka", FITS, "Moka bottomless portafilter"),
        (PRINTERS, "czy toner t20 pasuje do cyan 200", "cyan200", PASUJE, "„Kompatybilność: Drukarka laserowa"),
        (PRINTERS, "toner t40 podejdzie do cyana 200?", "cyan200", NIE_PASUJE, "„Niekompatybilny z: "),
        (PRINTERS, "pasuje do drukarki Cyan 200?", "t20", PASUJE, "Toner czarny T20"),
    ],
)  # fmt: skip
def test_what_a_list_names_is_a_verdict_with_the_list(
    shop: MadeUp, question: str, cart: str, said: str, quoted: str
) -> None:
    found = ask(shop, question, cart)
    assert found.text.startswith(said)
    assert quoted in found.text
    assert CONTACT not in found.text


def test_the_names_stand_outside_the_quotation_marks() -> None:
    assert (
        "\nSteel tamper 58 mm: “Compatible models: Moka espresso machine”"
        in ask(ESPRESSO, "Does the tamper fit the Moka?", "moka").text
    )


@pytest.mark.parametrize(
    ("question", "quoted"),
    [
        ("does the Crema filter fit the Moka", "“Compatible models: Moka espresso machine (from 2021)”"),
        ("can I use Nespresso capsules in the Moka?", "“Incompatible with: Nespresso capsules”"),
        ("can the grinder handle oily beans?", "“Incompatible with: Oily flavoured beans”"),
    ],
)
def test_a_condition_or_a_kind_of_thing_is_quoted_without_a_verdict(question: str, quoted: str) -> None:
    found = ask(ESPRESSO, question, "moka")
    assert quoted in found.text
    assert FITS not in found.text
    assert FITS_NOT not in found.text


@pytest.mark.parametrize(
    "list_of", ["Moka machine (before 2021)", "steam wand: Moka machine", "Moka machine with adapter"]
)
def test_an_entry_with_more_than_a_name_is_no_verdict(list_of: str) -> None:
    shop = MadeUp("en", [item("moka", "Moka machine"), item("seal", "Rubber seal", ("Compatible with", list_of))])
    found = ask(shop, "Does the seal fit the Moka?", "moka")
    assert f"“Compatible with: {list_of}”" in found.text
    assert FITS not in found.text


@pytest.mark.parametrize(
    ("shop", "question", "cart", "first"),
    [
        (ESPRESSO, "which tamper do I need for the Moka?", "moka", "tamper"),
        (ESPRESSO, "which capsules fit the Luna", "luna", "caps"),
        (PRINTERS, "jaki toner do drukarki cyan 400?", "cyan400", "t40"),
        (PRINTERS, "jaki toner do cyana 200", "cyan200", "t20"),
    ],
)
def test_which_one_fits_stands_first(shop: MadeUp, question: str, cart: str, first: str) -> None:
    assert ask(shop, question, cart).cards[0]["id"] == first


def test_what_does_not_fit_is_told_with_what_the_lists_name_instead() -> None:
    assert "sklep podaje: Toner czarny T20." in ask(PRINTERS, "toner t40 pasuje do cyan 200?", "cyan200").text


@pytest.mark.parametrize(
    ("shop", "question", "cart", "never"),
    [
        (ESPRESSO, "Do Dolce Gusto capsules work in the Luna?", "luna", ["fits", "Works with"]),
        (ESPRESSO, "Does the tamper fit a Gaggia Classic?", "tamper", ["fits", "Compatible"]),
        (PRINTERS, "czy T20 pasuje do brother hl-1110", "cyan200", ["pasuje", "Kompatybil"]),
    ],
)
def test_of_another_makers_thing_neither_yes_nor_no_is_said(
    shop: MadeUp, question: str, cart: str, never: list[str]
) -> None:
    found = ask(shop, question, cart)
    assert CONTACT in found.text
    assert not [word for word in never if word in found.text]


@pytest.mark.parametrize(
    ("shop", "question", "cart", "said"),
    [
        (ESPRESSO, "Does the grinder fit the Luna?", "luna", "Luna capsule machine is not named there"),
        (PRINTERS, "czy podajnik p250 dziala z cyan 200", "cyan200", "Nie ma tam pozycji: Drukarka laserowa Cyan 200"),
        (PRINTERS, "pasuje do Cyan 400?", "t20", "Nie ma tam pozycji: Toner czarny T20"),
    ],
)  # fmt: skip
def test_what_no_list_names_is_for_a_person(shop: MadeUp, question: str, cart: str, said: str) -> None:
    found = ask(shop, question, cart)
    assert said in found.text
    assert CONTACT in found.text


@pytest.mark.parametrize(
    ("shop", "question", "cart", "quoted"),
    [
        (ESPRESSO, "Does the Moka come with a grinder?", "moka", "“Sold separately: Grinder, tamper”"),
        (ESPRESSO, "is a scoop included with the moka", "moka", "“Box contents: Machine, single and double basket, sc"),
        (PRINTERS, "czy drukarka ma kabel usb w zestawie", "cyan200", "„Do dokupienia osobno: Kabel USB, papier”"),
        (PRINTERS, "czy trzeba osobno kupic papier", "cyan200", "„Do dokupienia osobno: Kabel USB, papier”"),
    ],
)  # fmt: skip
def test_whether_a_thing_comes_with_it_is_told_from_the_list_that_names_it(
    shop: MadeUp, question: str, cart: str, quoted: str
) -> None:
    assert quoted in ask(shop, question, cart).text


def test_a_set_is_held_against_what_its_things_need() -> None:
    found = ask(ESPRESSO, "Is my set complete?", "moka", "grinder")
    assert found.text.split("\n") == [
        "Moka espresso machine: “Sold separately: Grinder, tamper”",
        "Already in your cart: Duo burr grinder.",
        "The shop has for it: Steel tamper 58 mm.",
        "The shop recommends beside it: Milk jug 350 ml.",
    ]
    assert [card["id"] for card in found.cards] == ["tamper", "jug"]


def test_what_is_in_the_box_is_no_need() -> None:
    assert "Box contents" not in ask(ESPRESSO, "Is anything missing in my cart?", "moka").text


def test_what_is_made_for_a_thing_needed_is_not_the_thing() -> None:
    shop = MadeUp("en", [item("tank", "Reef tank", ("Not included", "Filter")), item("wool", "Filter wool 100 g")])
    assert "Already" not in ask(shop, "Is my set complete?", "tank", "wool").text
    shop = MadeUp("en", [item("tank", "Reef tank", ("Not included", "Filter")), item("drop", "Drop filter 150 l/h")])
    assert "Already in your cart: Drop filter" in ask(shop, "Is my set complete?", "tank", "drop").text


def test_another_version_of_a_name_is_not_called_unfit() -> None:
    shop = MadeUp(
        "en", [item("lid", "Glass lid", ("Not compatible with", "Moka 58 mm")), item("pro", "Moka 58 mm Pro")]
    )
    assert "do not fit" not in ask(shop, "Is my set complete?", "lid", "pro").text
    assert FITS_NOT not in ask(shop, "Does the lid fit the Moka Pro?", "lid").text


def test_a_complete_set_is_called_so_by_the_shops_data_alone() -> None:
    found = ask(ESPRESSO, "Do I have everything?", "moka", "grinder", "tamper")
    assert "By the shop's data nothing that these products need is missing." in found.text
    assert CONTACT in found.text


@pytest.mark.parametrize(
    ("shop", "question", "cart", "said"),
    [
        (ESPRESSO, "is anything missing in it", ("luna", "filter"), "Luna capsule machine and Crema water filter."),
        (PRINTERS, "czy zestaw jest kompletny", ("cyan200", "t40"), "Drukarka laserowa Cyan 200 i Toner czarny T40."),
    ],
)  # fmt: skip
def test_two_things_of_the_cart_that_do_not_fit_are_told_first(
    shop: MadeUp, question: str, cart: tuple[str, ...], said: str
) -> None:
    assert ask(shop, question, *cart).text.partition("\n")[0].count(said) == 1


def test_what_else_a_thing_needs_is_told_with_what_the_shop_has_for_it() -> None:
    found = ask(PRINTERS, "co jeszcze musze dokupic do drukarki cyan 200", "cyan200")
    assert "„Do dokupienia osobno: Kabel USB, papier”" in found.text
    assert "Sklep ma do tego: Kabel USB A-B 2 m." in found.text
