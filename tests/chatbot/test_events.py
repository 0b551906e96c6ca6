"""The frames of the protocol: what a client may write and what is made of it."""

import json
from typing import Any

import pytest

from chatbot import events

ID = "0b4c0dd2-5f5c-4c58-8d7c-0f6b3ce2a001"


def parsed(**frame: Any) -> events.Inbound:
    return events.parse(json.dumps(frame))


def test_a_person_is_asked_for_with_or_without_an_address() -> None:
    with_address = parsed(t="person", id=ID, address="ann@example.org")
    assert isinstance(with_address, events.Person)
    assert (str(with_address.id), with_address.address) == (ID, "ann@example.org")
    without = parsed(t="person", id=ID)
    assert isinstance(without, events.Person)
    assert (without.ref, without.address) == (ID, None)


def test_a_variant_is_taken_by_product_ids() -> None:
    taken = parsed(t="take", id=ID, line=" hala-m\x00", product="hala-l")
    assert isinstance(taken, events.Take)
    assert (taken.ref, taken.line, taken.product) == (ID, "hala-m", "hala-l")


@pytest.mark.parametrize(
    "frame",
    [
        {"t": "person", "id": "no uuid"},
        {"t": "person", "id": ID, "address": "a" * 321},
        {"t": "person", "id": ID, "address": ["ann@example.org"]},
        {"t": "take", "id": ID, "line": "hala-m"},
        {"t": "take", "id": ID, "line": "", "product": "hala-l"},
        {"t": "take", "id": ID, "line": "hala-m", "product": "l" * 65},
        {"t": "take", "id": ID, "line": 1, "product": "hala-l"},
        {"t": "take", "line": "hala-m", "product": "hala-l"},
    ],
)
def test_a_frame_that_is_none_is_refused(frame: dict[str, Any]) -> None:
    with pytest.raises(events.BadFrame) as refused:
        parsed(**frame)
    assert refused.value.code == "bad_message"
    assert refused.value.ref == frame.get("id")
