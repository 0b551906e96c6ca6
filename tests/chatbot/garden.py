"""A made-up garden shop as the assistant knows it: hoses in lengths, gloves in sizes and colours, tools."""

from dataclasses import replace
from typing import Any

from chatbot.context import Item, Knowledge, Line, Link

WORDS: dict[str, dict[str, Any]] = {
    "en": {
        "hose": "Meander garden hose",
        "thick": "Torrent garden hose",
        "nozzle": "Sprinkle nozzle",
        "gloves": "Briar gloves",
        "mower": "Whisper mower",
        "trimmer": "Nettle trimmer",
        "watering": "Watering",
        "wear": "Garden wear",
        "tools": "Tools",
        "green": "Green",
        "blue": "Blue",
        "weight": "Weight",
        "noise": "Noise",
        "width": "Cutting width",
        "summary": "Quiet and light, for small lawns.",
    },
    "pl": {
        "hose": "Szlauch ogrodowy Meander",
        "thick": "Szlauch ogrodowy Potok",
        "nozzle": "Zraszacz Mżawka",
        "gloves": "Rękawice Głóg",
        "mower": "Kosiarka Szept",
        "trimmer": "Podkaszarka Pokrzywa",
        "watering": "Nawadnianie",
        "wear": "Odzież ogrodowa",
        "tools": "Narzędzia",
        "green": "Zielony",
        "blue": "Niebieski",
        "weight": "Waga",
        "noise": "Hałas",
        "width": "Szerokość koszenia",
        "summary": "Cicha i lekka, na małe trawniki.",
    },
}


def garden(language: str, **changes: Any) -> Knowledge:
    """A cart with a hose of 15 m; the rest of the shop is found."""
    words = WORDS[language]

    def item(key: str, price: int, category: str, **more: Any) -> Item:
        return Item(key, words[key], price, "EUR", 2, more.pop("in_stock", True), categories=(words[category],), **more)

    def variant(key: str, price: int, category: str, label: str, stock: int) -> Item:
        one = item(
            key, price, category, in_stock=stock > 0, parent_id=key, title=words[key], stock_quantity=stock * 10_000
        )
        return replace(one, id=f"{key}-{label}".replace(", ", "-"), name=f"{words[key]}, {label}")

    hoses = [
        variant("hose", 2900 + 100 * at, "watering", label, 4 - 4 * at) for at, label in enumerate(("15 m", "25 m"))
    ]
    gloves = [
        variant("gloves", 1200, "wear", f"{words[colour]}, {size}", stock)
        for colour, size, stock in (("green", "M", 3), ("green", "L", 0), ("blue", "M", 0), ("blue", "L", 5))
    ]
    mower = item(
        "mower", 32000, "tools", short_description=words["summary"],
        attributes=((words["weight"], "11 kg"), (words["noise"], "78 dB"), (words["width"], "32 cm")),
    )  # fmt: skip
    trimmer = item("trimmer", 9900, "tools", attributes=((words["weight"], "3.1 kg"), (words["noise"], "78 dB")))
    thick, nozzle = item("thick", 4900, "watering"), item("nozzle", 900, "watering", in_stock=False)
    line = Line(hoses[0].name, 10_000, hoses[0].price, hoses[0].id, hoses[0])
    known = Knowledge(
        language, "Spade & Rake", "EUR", 2, hoses[0].price, (line,), siblings=tuple(hoses),
        links=(Link("hose", "related", thick), Link("hose", "crosssell", nozzle)),
        found=(mower, trimmer, *gloves, thick), contact_url="https://spade.example/ask",
    )  # fmt: skip
    return replace(known, **changes)
