"""A look-up's result is whole JSON however much the shop says, and tells when it is not all."""

import json
from typing import Any

import pytest

from chatbot.shortening import NOTE, fitting

MOST = 20_000


def products(count: int, text: int, variants: int = 0) -> dict[str, Any]:
    return {
        "products": [
            {
                "n": number,
                "name": f"Jacket {number}",
                "price": "€239.00",
                "description": "ż" * text,
                "variants": [{"n": n, "name": "v" * 100, "price": "€1.00"} for n in range(variants)],
            }
            for number in range(count)
        ]
    }


def test_what_fits_stays_as_it_is() -> None:
    result = products(4, 1500)
    assert json.loads(fitting(result, MOST)) == result


@pytest.mark.parametrize(
    ("result", "kept"),
    [(products(12, 1500, 5), 12), (products(4, 1500, 60), 4), (products(200, 1500, 24), 1), (products(5000, 10), 100)],
)
def test_what_does_not_is_shortened_whole_and_says_so(result: dict[str, Any], kept: int) -> None:
    written = fitting(result, MOST)
    assert MOST / 3 < len(written) <= MOST
    told = json.loads(written)
    assert told["note"] == NOTE
    found = told["result"]["products"]
    assert len(found) >= kept
    assert [each["n"] for each in found] == list(range(len(found)))
    assert all(each["price"] == "€239.00" and each["name"] == f"Jacket {each['n']}" for each in found)


@pytest.mark.parametrize(
    "result",
    [
        '"' * 60_000, {"a": '"\\' * 30_000}, [["x" * 50_000] * 9] * 9, {str(n): "x" * 50 for n in range(2000)},
        [[]] * 30_000,
    ],
)  # fmt: skip
def test_no_shape_is_cut_in_its_middle(result: Any) -> None:
    written = fitting(result, MOST)
    assert len(written) <= MOST
    assert json.loads(written)["note"] == NOTE


def test_the_result_that_was_given_is_left_as_it_was() -> None:
    result = products(200, 1500, 24)
    fitting(result, MOST)
    assert result == products(200, 1500, 24)
