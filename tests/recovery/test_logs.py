"""What is never written down: tokens in paths, and values in the message of an error."""

import json

import pytest
import structlog

from recovery.logs import masked_path, set_up_logging
from recovery.settings import Settings


@pytest.mark.parametrize("path", ["/r/abc", "/a/abc.def", "/u/abc", "/admin/open/abc"])
def test_tokens_in_paths_are_masked(path: str) -> None:
    assert "abc" not in masked_path(path)


def test_an_exception_is_logged_by_its_kind_and_places_only(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    set_up_logging(Settings(log_format="json"))
    try:
        try:
            raise ValueError("Key (email)=(ada@example.com) already exists")
        except ValueError as error:
            structlog.get_logger().error("broken", exc_info=error)
        line = capfdbinary.readouterr().err
    finally:
        structlog.reset_defaults()
    told = json.loads(line)
    assert told["exception"] == "ValueError"
    assert "test_logs.py" in told["stack"][0]
    assert b"ada@example.com" not in line
