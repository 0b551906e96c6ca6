"""The lock files pin everything by hash and name no host, so that any registry that has the same files will do."""

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
NODE_LOCKS = sorted(path for path in ROOT.glob("*/package-lock.json")) + sorted(ROOT.glob("tests/*/package-lock.json"))


@pytest.mark.parametrize("lock", NODE_LOCKS, ids=lambda path: path.parent.name)
def test_node_packages_are_pinned_for_every_platform_and_by_hash(lock: Path) -> None:
    packages = json.loads(lock.read_text())["packages"]
    for name, package in packages.items():
        assert "resolved" not in package, name
        assert not name or package["integrity"].startswith("sha512-"), name
        for wanted in package.get("optionalDependencies", {}):
            nested = f"{name}/node_modules/{wanted}"
            assert nested in packages or f"node_modules/{wanted}" in packages, f"{name} needs {wanted}: lock anew"


@pytest.mark.parametrize("lock", sorted(ROOT.glob("requirements*.txt")), ids=lambda path: path.stem)
def test_python_packages_are_pinned_by_hash(lock: Path) -> None:
    text = lock.read_text()
    assert not re.search(r"https?://|--(extra-)?index-url|--find-links", text)
    blocks = re.split(r"\n(?=\S)", re.sub(r"(?m)^\s*#.*\n", "", text).strip())
    for block in blocks:
        assert re.match(r"[\w.\[\],-]+==", block), block
        assert "--hash=sha256:" in block, block
