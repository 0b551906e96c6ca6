"""What is never written down: tokens in paths, and values in the message of an error."""

import json
from typing import Literal

import pytest
import structlog

from recovery.logs import masked_path, set_up_logging
from recovery.settings import Settings


@pytest.mark.parametrize("path", ["/r/abc", "/a/abc.def", "/u/abc", "/admin/open/abc", "/api/v1/links/abc"])
def test_tokens_in_paths_are_masked(path: str) -> None:
    assert "abc" not in masked_path(path)


def logged(capfdbinary: pytest.CaptureFixture[bytes], log_format: Literal["json", "text"]) -> bytes:
    """What is written about an exception whose message tells an address."""
    set_up_logging(Settings(log_format=log_format))
    try:
        try:
            raise ValueError("Key (email)=(ada@example.com) already exists")
        except ValueError as error:
            structlog.get_logger().error("broken", exc_info=error)
        return capfdbinary.readouterr().err
    finally:
        structlog.reset_defaults()


def test_an_exception_is_logged_by_its_kind_and_places_only(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    line = logged(capfdbinary, "json")
    told = json.loads(line)
    assert told["exception"] == "ValueError"
    assert "test_logs.py" in told["stack"][0]
    assert b"ada@example.com" not in line


def test_an_exception_is_readable_on_a_console(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    line = logged(capfdbinary, "text")
    assert b"ValueError" in line
    assert b"test_logs.py:" in line
    assert b"ada@example.com" not in line
