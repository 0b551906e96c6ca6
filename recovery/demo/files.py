"""The demo's files: written so that a reader never sees half of one, and named when one cannot be read."""

import os
import secrets
from pathlib import Path

from recovery.errors import SetupError


def write_atomically(path: Path, content: bytes) -> None:
    """Replace ``path`` with ``content``; readable by this user only, for it may hold addresses."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    draft.replace(path)


def unreadable(path: Path) -> SetupError:
    """The error for a state file that another version wrote or something damaged."""
    return SetupError(
        f"The demo cannot read {path}: it is damaged or from another version.",
        "Reset the demo's state, or move that file away to start the shop without it.",
    )
