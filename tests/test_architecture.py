"""The rules of the layout, read from the code: who may import whom, who alone may use what, and how long things get."""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("recovery", "chatbot", "admin")
MAY_IMPORT = {"recovery": set[str](), "chatbot": {"recovery"}, "admin": {"chatbot", "recovery"}}
# Composition roots: may import anything, and are imported by each other at most.
ROOTS = {
    "chatbot.app",
    "recovery.worker",
    "recovery.cli",
    "recovery.cli_admin",
    "recovery.cli_conversations",
    "recovery.cli_coupons",
    "recovery.cli_import",
    "recovery.cli_emails",
    "recovery.cli_magento",
    "recovery.cli_pages",
    "recovery.cli_people",
    "recovery.cli_proof",
    "recovery.cli_providers",
    "recovery.cli_sweeps",
    "recovery.cli_webhooks",
    "recovery.serve",
    "recovery.demo_run",
    "recovery.story_run",
}
# Inside recovery a module imports its own line (without a circle) and lines below. A name stands for its
# submodules and for modules that continue it: "hooks" is also recovery.hooks_schema.
RANKS = [
    "hooks links sharing storefront jobs explain health pages privacy provider_events",
    "delivery notices copies campaigns orders detection analytics proof sync mail_events imports provider_reports",
    "eligibility bought_elsewhere emails outbox swaps attribution coupons scoring heuristic carts products episodes "
    "persons complaints webhooks",
    "stores llm budgets mailer tokens installation runtime language crash goods_read",
    "models",
    "claims claim facts goods cleaning masking words stems",
    "db settings store_settings brand errors clock quiet_hours text money secrets doorbell embedded logs console "
    "outgoing",
]
ONLY_IN = {"openai": "recovery.llm", "aiosmtplib": "recovery.mailer", "jwt": "recovery.tokens"}
# The demo is a shop like any other: it knows the service by its public interfaces only.
DEMO_MAY_IMPORT = {"recovery.demo", "recovery.clock", "recovery.errors"}
LONGEST_MODULE = 400
LONGEST_FUNCTION = 50

Sources = Mapping[str, str]


def read_sources(*folders: str) -> dict[str, str]:
    """Module name → source, generated migrations left out."""
    found = {}
    for folder in folders:
        for file in sorted((ROOT / folder).rglob("*.py")):
            parts = file.relative_to(ROOT).with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            if not name.startswith("recovery.migrations."):
                found[name] = file.read_text()
    return found


def imports(name: str, tree: ast.Module, modules: Sources) -> Iterator[str]:
    """What a module imports, each as the longest name that is a module of ours."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name} imports relatively"
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield whole if whole in modules else str(node.module)


def rank(module: str) -> int | None:
    """The line of RANKS of a module of recovery, 0 the highest; None if it has no place."""
    if module == "recovery":
        return len(RANKS)
    first = module.split(".")[1]
    for number, line in enumerate(RANKS):
        if any(first == word or first.startswith(f"{word}_") for word in line.split()):
            # "store_settings" must not count as "stores", and so on: exact names win.
            return next((i for i, exact in enumerate(RANKS) if first in exact.split()), number)
    return None


def within(module: str, names: set[str]) -> bool:
    """Whether a module is one of ``names`` or inside one."""
    return any(module == name or module.startswith(f"{name}.") for name in names)


def import_violations(sources: Sources) -> list[str]:
    """Every import that breaks a rule."""
    found = []
    for name, source in sources.items():
        for target in sorted(set(imports(name, ast.parse(source), sources))):
            found += [f"{name} imports {target}: {rule}" for rule in broken_rules(name, target)]
    return found


def broken_rules(name: str, target: str) -> Iterator[str]:
    package, other = name.split(".")[0], target.split(".")[0]
    if other in ONLY_IN and name != ONLY_IN[other]:
        yield f"only {ONLY_IN[other]} may"
    if within(name, {"recovery.demo"}):
        if other in PACKAGES and target != "recovery" and not within(target, DEMO_MAY_IMPORT):
            yield "the demo uses public interfaces only"
        return
    if name in ROOTS or other not in PACKAGES:
        return
    if target in ROOTS:
        yield "a root is imported by roots only"
    elif within(target, {"recovery.demo"}):
        yield "the demo is imported by roots only"
    elif package != other and other not in MAY_IMPORT[package]:
        yield f"{package} must not know {other}"
    elif package == other == "recovery":
        yield from broken_rank(name, target)


def broken_rank(name: str, target: str) -> Iterator[str]:
    own, other = rank(name), rank(target)
    for module, place in ((name, own), (target, other)):
        if place is None:
            yield f"{module} has no place in RANKS of tests/test_architecture.py; give it one"
    if own is not None and other is not None and other < own:
        yield "that is upwards"


def circles(sources: Sources) -> list[str]:
    """Modules that import themselves in a roundabout way; a package and its own parts do not count."""
    known = {
        name: {
            target
            for target in imports(name, ast.parse(source), sources)
            if target in sources and not name.startswith(f"{target}.") and not target.startswith(f"{name}.")
        }
        for name, source in sources.items()
    }
    while known:
        free = {name for name, targets in known.items() if not targets & known.keys()}
        if not free:
            return sorted(name for name in known if _leads_back(name, known))
        known = {name: targets for name, targets in known.items() if name not in free}
    return []


def _leads_back(start: str, known: Mapping[str, set[str]]) -> bool:
    seen: set[str] = set()
    ahead = {start}
    while ahead:
        ahead = {target for name in ahead for target in known.get(name, set())} - seen
        if start in ahead:
            return True
        seen |= ahead
    return False


def use_violations(sources: Sources) -> list[str]:
    """Every use of something that has one place, or none."""
    found = []
    for name, source in sources.items():
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Attribute):
                word = ast.unparse(node)
            elif isinstance(node, ast.ImportFrom):
                word = " ".join(f"{node.module}.{alias.name}" for alias in node.names)
            else:
                continue
            if any(reader in word.split() for reader in ("os.environ", "os.getenv")):
                if name.split(".")[0] in PACKAGES and name != "recovery.settings":
                    found.append(f"{name} reads the environment: only recovery.settings may")
            elif word.endswith("generate_schemas"):
                found.append(f"{name} uses generate_schemas: migrations alone make tables")
    return found


def size_violations(sources: Sources) -> list[str]:
    """Modules and functions that are too long, and modules that do not say what they own."""
    found = []
    for name, source in sources.items():
        tree = ast.parse(source)
        lines = len(source.splitlines())
        if lines > LONGEST_MODULE:
            found.append(f"{name} has {lines} lines, {LONGEST_MODULE} are the most")
        if source.strip() and not ast.get_docstring(tree):
            found.append(f"{name} has no docstring")
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                if length > LONGEST_FUNCTION:
                    found.append(f"{name}.{node.name} has {length} lines, {LONGEST_FUNCTION} are the most")
    return found


def test_imports_go_the_agreed_way() -> None:
    assert import_violations(read_sources(*PACKAGES)) == []


def test_no_import_goes_in_a_circle() -> None:
    assert circles(read_sources(*PACKAGES)) == []


def test_what_has_one_place_is_used_there_only() -> None:
    assert use_violations(read_sources(*PACKAGES, "tests")) == []


def test_modules_and_functions_stay_short_and_say_what_they_own() -> None:
    assert size_violations(read_sources(*PACKAGES, "tests")) == []


@pytest.mark.parametrize(
    ("name", "source", "words"),
    [
        ("recovery.carts", "from chatbot import models", "must not know chatbot"),
        ("chatbot.sockets", "import admin.auth", "must not know admin"),
        ("recovery.carts", "from recovery import delivery", "upwards"),
        ("recovery.carts", "import recovery.hooks_schema", "upwards"),
        ("recovery.store_settings", "from recovery.stores import registry", "upwards"),
        ("recovery.carts", "import recovery.helpers", "no place"),
        ("recovery.carts", "from recovery.cli import main", "roots only"),
        ("admin.carts", "from recovery.demo import shop", "roots only"),
        ("recovery.emails", "import openai", "only recovery.llm"),
        ("recovery.delivery", "from aiosmtplib.errors import SMTPException", "only recovery.mailer"),
        ("recovery.worker", "import jwt", "only recovery.tokens"),
        ("recovery.demo.shop", "from recovery.carts import take", "public interfaces"),
        ("recovery.demo.shop", "from recovery import models", "public interfaces"),
    ],
)
def test_a_planted_import_is_caught(name: str, source: str, words: str) -> None:
    modules = ("delivery", "stores", "models", "hooks_schema")
    (violation,) = import_violations({f"recovery.{module}": "" for module in modules} | {name: source})
    assert words in violation


def test_a_planted_allowed_import_is_not() -> None:
    sources = {
        "recovery.cli": "import chatbot.app, recovery.demo.shop, recovery.hooks",
        "recovery.delivery": "from recovery import eligibility, errors",
        "recovery.demo.shop": "from recovery.clock import Clock\nfrom recovery.demo import catalogue",
        "recovery.llm": "import openai",
        "recovery.eligibility": "",
        "recovery.errors": "",
        "recovery.demo.catalogue": "",
    }
    assert import_violations(sources) == []
    assert circles(sources) == []


def test_a_planted_circle_is_caught() -> None:
    sources = {"a": "import b", "b": "from c import d", "c": "import a", "e": "import a"}
    assert circles(sources) == ["a", "b", "c"]


def test_a_planted_misuse_is_caught() -> None:
    sources = {
        "recovery.a": "import os\nos.environ['HOME']",
        "recovery.b": "from os import getenv",
        "recovery.settings": "import os\nos.environ['HOME']",
        "tests.c": "async def f(): await Tortoise.generate_schemas()",
    }
    assert [violation.split()[0] for violation in use_violations(sources)] == ["recovery.a", "recovery.b", "tests.c"]


def test_a_planted_length_is_caught() -> None:
    long_function = "def f():\n" + "    pass\n" * LONGEST_FUNCTION
    sources = {"a": '"""Owns."""\n' + "\n" * LONGEST_MODULE, "b": f'"""Owns."""\n{long_function}', "c": "x = 1"}
    assert size_violations(sources) == [
        f"a has {LONGEST_MODULE + 1} lines, {LONGEST_MODULE} are the most",
        f"b.f has {LONGEST_FUNCTION + 1} lines, {LONGEST_FUNCTION} are the most",
        "c has no docstring",
    ]
