"""The page "Try to trick it": ten attacks at one click each, one's own, and what became of them."""

from collections.abc import Sequence
from typing import get_args

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from recovery.demo.trick_attacks import ATTACKS, LANGUAGES, LONGEST, PLACES, Attack, Language, Place, own_attack
from recovery.demo.trick_model import ObedientModel
from recovery.demo.trick_play import Played, Stage
from recovery.demo.trick_talk import TalkFailed
from recovery.demo.views import Views, go, own_forms_only

PATH = "/demo/trick"


class TrickPages:
    """Keeps the last play of each attack until the demo ends."""

    def __init__(self, views: Views, stage: Stage, model: ObedientModel) -> None:
        self._views = views
        self._stage = stage
        self._model = model
        self._played: dict[str, Played] = {}

    def routes(self) -> list[BaseRoute]:
        return [
            Route(PATH, self.page),
            Route(f"{PATH}/play", own_forms_only(self.play), methods=["POST"]),
            Route(f"{PATH}/own", own_forms_only(self.own), methods=["POST"]),
            *self._model.routes(),
        ]

    async def page(self, request: Request) -> Response:
        return self._page()

    async def play(self, request: Request) -> Response:
        """Form: attack (a key of the ten, or ``all``)."""
        key = str((await request.form()).get("attack", ""))
        if key == "all":
            return await self._play(list(ATTACKS.values()), "attacks")
        if key not in ATTACKS:
            return self._page("There is no such attack. Choose one of the ten.", 422)
        return await self._play([ATTACKS[key]], key)

    async def own(self, request: Request) -> Response:
        """Form: says (what the model shall say), place, language."""
        form = await request.form()
        says = " ".join(str(form.get("says", "")).split())
        places: tuple[Place, ...] = get_args(Place)
        languages: tuple[Language, ...] = get_args(Language)
        place = next((each for each in places if each == form.get("place")), None)
        language = next((each for each in languages if each == form.get("language")), None)
        if not says or len(says) > LONGEST or place is None or language is None:
            return self._page(f"Write what the model shall say, in at most {LONGEST} characters.", 422)
        return await self._play([own_attack(language, place, says)], "own")

    async def _play(self, attacks: Sequence[Attack], anchor: str) -> Response:
        for attack in attacks:
            try:
                self._played[attack.key] = await self._stage.play(attack)
            except TalkFailed as error:
                return self._page(f"{error} Try again.", 503)
        return go(f"{PATH}#{anchor}")

    def _page(self, problem: str = "", status: int = 200) -> Response:
        values = {
            "lang": "en",
            "attacks": list(ATTACKS.values()),
            "places": PLACES,
            "languages": LANGUAGES,
            "longest": LONGEST,
            "played": self._played,
            "own": self._played.get("own"),
            "problem": problem,
        }
        return self._views.page("trick.html.jinja", values, status)
