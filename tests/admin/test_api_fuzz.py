"""Whatever the description allows, and what it does not, is answered as it says; nothing breaks."""

import asyncio
from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import response_schema_conformance, status_code_conformance

from admin.access import keys
from admin.access.scopes import SCOPES
from admin.api.openapi import describe
from admin.api.routes import OPERATIONS
from recovery.clock import SystemClock
from tests.reliability.web import serving
from tests.shop import Shop

EXAMPLES = 6
CHECKS = [not_a_server_error, status_code_conformance, response_schema_conformance]
#: What ends the caller's own rights, or makes the machine work hard for nothing.
LEFT_OUT = {"sign_in", "use_link", "forgot_password"}


def fuzz(document: dict[str, Any], base: str, headers: dict[str, str]) -> int:
    """Ask every operation with fitting and unfitting values; how many answers were looked at."""
    schema = schemathesis.openapi.from_dict(document)
    asked = 0
    for found in schema.get_all_operations():
        operation: Any = found.ok()  # type: ignore[union-attr]
        if operation.definition.raw["operationId"] in LEFT_OUT:
            continue
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):

            @settings(
                max_examples=EXAMPLES,
                deadline=None,
                database=None,
                derandomize=True,
                phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            )
            @given(case=operation.as_strategy(generation_mode=mode))
            def ask(case: Any) -> None:
                nonlocal asked
                asked += 1
                case.call_and_validate(base_url=base, headers=headers, checks=CHECKS)

            try:
                ask()
            except Unsatisfiable:
                # An operation that takes any word has no wrong values.
                assert mode is GenerationMode.NEGATIVE
    return asked


async def test_the_api_answers_as_it_is_described(shop: Shop) -> None:
    _, key = await keys.make_key("fuzz", list(SCOPES), None, "a test", SystemClock().now(), None)
    document = describe(OPERATIONS, "test")
    async with serving(shop.runtime) as base:
        headers = {"Authorization": f"Bearer {key}", "x-cartback": "1"}
        asked = await asyncio.to_thread(fuzz, document, f"{base}/api/v1", headers)
    assert asked > len(OPERATIONS) * EXAMPLES / 2
