"""The rule about skipped tests: their number is always said, and under CI none is skipped that is not listed."""

import os
from pathlib import Path

import pytest

LIST = Path(__file__).with_name("skips.txt")


def unexpected(skipped: list[str], listed: str) -> list[str]:
    """The node ids in ``skipped`` that have no line in ``listed``; after "#" stands the reason."""
    allowed = {line.partition("#")[0].strip() for line in listed.splitlines()}
    return sorted(set(skipped) - allowed)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say the number even when it is 0."""
    terminalreporter.write_line(f"skipped: {len(terminalreporter.stats.get('skipped', []))}")


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Under CI=true fail the run: what is not run is not shown."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    # The processes of a parallel run leave it to the one that collects their reports.
    if reporter is None or hasattr(session.config, "workerinput") or os.environ.get("CI") != "true":
        return
    skipped = [report.nodeid for report in reporter.stats.get("skipped", [])]
    wrong = unexpected(skipped, LIST.read_text())
    if wrong:
        reporter.write_line(f"\nSkipped, and not listed in tests/{LIST.name}: {', '.join(wrong)}", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
