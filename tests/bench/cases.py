"""The cases by name, in the order in which they run."""

from collections.abc import Callable, Coroutine
from typing import Any

from tests.bench import answers, detect, hooks, idle, lists, relay, score, send
from tests.bench.place import Place
from tests.bench.ratios import Figure

CASES: dict[str, Callable[[Place], Coroutine[Any, Any, list[Figure]]]] = {
    "hooks": hooks.run,
    "detect": detect.run,
    "score": score.run,
    "send": send.run,
    "lists": lists.run,
    "answers": answers.run,
    "relay": relay.run,
    "idle": idle.run,
}
