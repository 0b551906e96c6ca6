"""Named points at which a fault test kills this process, to show what a crash there leaves behind."""

import os
import sys

import structlog

from recovery.settings import Settings

KILLED = 137

log = structlog.get_logger()


def crash_point(settings: Settings, name: str) -> None:
    """Die here, as by SIGKILL, when a test armed this point; never armed outside tests."""
    if settings.test and settings.crash_point == name:
        log.warning("crash_point", name=name)
        sys.stdout.flush()
        os._exit(KILLED)
