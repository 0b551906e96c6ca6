"""A language is one file: dropped beside the others it makes a whole mail, and what it lacks is told and English."""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import recovery
from recovery.language import languages, missing_texts

PACKAGE = Path(recovery.__file__).parent
GERMAN = Path(__file__).with_name("german.toml")
SCRIPT = """
from recovery.emails import render_parts
from recovery.language import Texts, missing_texts
from tests.recovery.mail_examples import full_letter
letter = full_letter("en", language="de-DE")
html, text = render_parts(letter)
print(letter.words["subject"], text, "-----", html, "-----", Texts("de").get("page", "restored_title"))
print("-----", *missing_texts("de"))
"""


@pytest.mark.parametrize("language", languages())
def test_the_languages_we_bring_lack_nothing(language: str) -> None:
    assert missing_texts(language) == []


def test_a_third_language_is_one_file(tmp_path: Path) -> None:
    copied = tmp_path / "recovery"
    shutil.copytree(PACKAGE, copied, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(GERMAN, copied / "locale" / "de.toml")
    run = subprocess.run(
        [sys.executable, "-c", SCRIPT], env={"PYTHONPATH": f"{tmp_path}:{PACKAGE.parent}"}, capture_output=True,
        text=True, check=False, cwd=tmp_path,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    text, html, elsewhere, lacking = run.stdout.replace("\u00a0", " ").split("-----")
    for told in (
        "Ihr Warenkorb bei Harbour & Finch ist gespeichert", "in Ihrem Warenkorb bei Harbour & Finch: 3 Artikel.",
        "Menge: 10,08 m², 1.279,15 PLN", "Preis jetzt: 479,00 PLN", "Nicht mehr verfügbar", "Warenwert: 1.837,15 PLN",
        "Zum Warenkorb:\nhttps://c.example/r/R", "Keine Nachrichten zu Warenkörben mehr",
    ):  # fmt: skip
        assert told in text
    assert 'lang="de"' in html
    assert ">Zum Warenkorb<" in html.replace("\n", "").replace(" <", "<").replace("> ", ">")
    english = {"Return to my cart", "Quantity", "Cart value", "Price now", "No longer", "You get this mail", "Privacy"}
    assert not [word for word in english if word in text + html]
    # What the file lacks is English, and can be listed.
    assert elsewhere.strip() == "Your saved cart"
    assert "page.restored_title" in lacking
    assert not [key for key in lacking.split() if key.partition(".")[0] in tomllib.loads(GERMAN.read_text()).keys() - {
        "state", "subject", "intro"}]  # fmt: skip
