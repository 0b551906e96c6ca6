"""A skipped test fails the run under CI, and only there."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.skipping import unexpected

ROOT = Path(__file__).parents[1]
SKIPPED = "import pytest\n\n\ndef test_later():\n    pytest.skip('no such server')\n"


@pytest.mark.parametrize("parallel", ["0", "1"])
@pytest.mark.parametrize(("ci", "code"), [("true", 1), ("", 0)])
def test_a_skipped_test_fails_the_run_under_ci_only(tmp_path: Path, ci: str, code: int, parallel: str) -> None:
    (tmp_path / "test_planted.py").write_text(SKIPPED)
    command = [sys.executable, "-m", "pytest", "-p", "tests.skipping", "-c", str(ROOT / "pyproject.toml")]
    command += ["-n", parallel, "-p", "no:cacheprovider", f"--rootdir={tmp_path}", str(tmp_path)]
    environment = os.environ | {"CI": ci, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stdout
    assert "skipped: 1" in done.stdout
    assert ("not listed in tests/skips.txt: test_planted.py::test_later" in done.stdout) == bool(code)


def test_a_listed_skip_is_expected() -> None:
    listed = "# heading\ntests/a.py::test_b  # needs a Mac\n"
    assert unexpected(["tests/a.py::test_b", "tests/a.py::test_c"], listed) == ["tests/a.py::test_c"]
