"""The documentation against the code: everything there is is described, and nothing described is missing.

Examples are run by tests/docs.
"""

import json
import re
import shlex
from typing import Any, get_args

import pytest
import typer
from starlette.routing import Mount, Route, WebSocketRoute

from admin.doctor import TOPICS
from chatbot import events
from chatbot.app import create_app
from recovery import console
from recovery.cli import app as command_line
from recovery.settings import Settings
from recovery.store_settings import SECRET_SETTINGS, StoreSettings, merge
from recovery.stores import generic
from recovery.stores.fields import Payload
from tests import test_architecture as layout
from tests.docs import shapes
from tests.docs.pages import ROOT, Page, command_lines, page, pages

PAGES = pages()
MAKEFILE = (ROOT / "Makefile").read_text()


def by_name(shown: Page) -> str:
    return shown.name


def leaves(group: Any = None, path: str = "cartback") -> dict[str, Any]:
    """Every command of the command line by its full name."""
    group = typer.main.get_command(command_line) if group is None else group
    found: dict[str, Any] = {}
    for name, command in group.commands.items():
        full = f"{path} {name}"
        found |= leaves(command, full) if hasattr(command, "commands") else {full: command}
    return found


# Pages, links and names


def test_every_page_is_reachable_from_the_readme() -> None:
    linked = {link.partition("#")[0] for link in page("README.md").links()}
    assert {each.name for each in PAGES} - linked == {"README.md"}


@pytest.mark.parametrize("shown", PAGES, ids=by_name)
def test_every_relative_link_leads_somewhere(shown: Page) -> None:
    for link in shown.links():
        if link.startswith(("https://", "http://", "mailto:")):
            continue
        target, _, anchor = link.partition("#")
        file = (ROOT / shown.name).parent / target if target else ROOT / shown.name
        assert file.exists(), link
        if anchor:
            assert anchor in page(str(file.relative_to(ROOT))).anchors(), link


@pytest.mark.parametrize("shown", PAGES, ids=by_name)
def test_every_make_target_named_exists(shown: Page) -> None:
    targets = set(re.findall(r"^([a-z-]+):", MAKEFILE, re.M))
    for code in shown.code():
        found = re.match(r"(?:\$ )?make (?:[A-Z]+=\S+ )*(.*)", code)
        if found:
            assert set(re.split(r"#|[A-Z]+=", found[1])[0].split()) <= targets, code


@pytest.mark.parametrize("shown", PAGES, ids=by_name)
def test_no_page_names_a_path_of_a_machine(shown: Page) -> None:
    assert not re.search(r"(?<![\w./])/(work|home|root|Users|tmp|mnt|opt)\b", shown.text)


@pytest.mark.parametrize("shown", PAGES, ids=by_name)
def test_every_variable_named_exists(shown: Page) -> None:
    known = set(variables()) | {"CARTBACK_SMTP_"}
    assert set(re.findall(r"CARTBACK_[A-Z_]+", shown.text)) <= known


def test_every_file_named_as_code_exists() -> None:
    for shown in PAGES:
        for code in shown.code():
            for path in re.findall(r"(?<![\w./])(?:recovery|chatbot|admin|tests|frontend|docs|\.ci)/[\w./-]*\w", code):
                assert (ROOT / path).exists() or path == "frontend/dist", f"{shown.name}: {path}"


# The command line


@pytest.mark.parametrize("command", leaves())
def test_every_command_and_option_is_in_cli_md(command: str) -> None:
    section = page("docs/cli.md").section(f"`{command}`")
    options = {option for each in leaves()[command].params for option in each.opts if option.startswith("--")}
    assert {name for name in section.rows() if name.startswith("--")} == options
    assert any(line.startswith(command) for line in command_lines(section)), "no example"


def test_the_readme_lists_every_command() -> None:
    assert {name for name in page("README.md").code() if name in leaves()} == set(leaves())


def test_every_command_line_shown_can_be_run() -> None:
    """As far as the command line itself looks at it: commands, options, arguments, settings and their values."""
    shown = [(each.name, line) for each in PAGES for line in command_lines(each)]
    assert len(shown) > 20
    for name, line in shown:
        words = shlex.split(line, comments=True)
        command = max((c for c in leaves() if line.startswith(c)), key=len, default="")
        assert command, f"{name}: {line}"
        rest = words[len(command.split()) :]
        parsed = leaves()[command].make_context(command, rest).params
        if command == "cartback settings set" and parsed["value"] != "null" and parsed["name"] not in SECRET_SETTINGS:
            merge({}, {parsed["name"]: _value(parsed["value"])}, {})


def test_exit_codes_are_in_cli_md() -> None:
    told = page("docs/cli.md").section("Exit codes").tables()[0]
    assert [int(row[0]) for row in told] == [0, console.FAILED, console.USAGE, console.PARTLY]


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


# Settings


def variables() -> dict[str, str]:
    """The variable of each process setting, with the setting's name."""
    return {
        str(field.validation_alias or f"CARTBACK_{name.upper()}"): name for name, field in Settings.model_fields.items()
    }


def test_every_process_setting_is_described_with_its_default_and_values() -> None:
    properties = Settings.model_json_schema(by_alias=False)["properties"]
    expected = {
        variable: [shapes.default(properties[name].get("default")), shapes.bounds(properties[name])]
        for variable, name in variables().items()
    }
    told = page("docs/settings.md").section("Process settings").rows()
    assert {variable: cells[1:] for variable, cells in told.items()} == expected
    assert all(cells[0] for cells in told.values())


def test_every_store_setting_is_described_with_its_default_and_range() -> None:
    properties = StoreSettings.model_json_schema()["properties"]
    built_in = StoreSettings().model_dump()
    expected = {
        name: [shapes.default(built_in[name]), shapes.bounds(properties[name])] for name in StoreSettings.model_fields
    }
    told = page("docs/settings.md").section("Store settings").rows()
    assert {name: cells[1:] for name, cells in told.items()} == expected
    assert all(cells[0] for cells in told.values())


# Hooks


def event_models() -> dict[str, type[Payload]]:
    """The heading of each event in hooks.md with the model it describes; events of one shape stand together."""
    names: dict[type[Payload], list[str]] = {}
    for event, model in generic.EVENTS.items():
        names.setdefault(model, []).append(f"`{event}`")
    return {", ".join(events): model for model, events in names.items()}


def parts() -> dict[str, Any]:
    """The schema of every part of an event, by the heading of its table."""
    definitions: dict[str, Any] = {}
    for model in generic.EVENTS.values():
        definitions |= model.model_json_schema().get("$defs", {})
    return {shapes.part_name(name): schema for name, schema in definitions.items()}


@pytest.mark.parametrize("heading", event_models())
def test_every_event_is_described_field_by_field(heading: str) -> None:
    told = page("docs/hooks.md").section(heading).rows()
    assert {name: cells[0] for name, cells in told.items()} == shapes.rows(event_models()[heading].model_json_schema())
    assert all(cells[1] for cells in told.values())


@pytest.mark.parametrize("heading", parts())
def test_every_part_of_an_event_is_described_field_by_field(heading: str) -> None:
    told = page("docs/hooks.md").section("Parts").section(heading).rows()
    assert {name: cells[0] for name, cells in told.items()} == shapes.rows(parts()[heading])
    assert all(cells[1] for cells in told.values())


def test_the_envelope_is_described() -> None:
    told = page("docs/hooks.md").section("The envelope").tables()[0]
    assert {row[0].strip("`") for row in told} == set(generic.Envelope.model_fields)


# Architecture


def test_every_route_is_in_architecture_md() -> None:
    expected = set()
    for route in create_app({}).routes:
        if isinstance(route, Route):
            expected |= {(method, route.path) for method in (route.methods or set()) - {"HEAD"}}
        elif isinstance(route, WebSocketRoute):
            expected.add(("WebSocket", route.path))
        elif isinstance(route, Mount):
            expected.add(("files", route.path))
    told = page("docs/architecture.md").section("HTTP").tables()[0]
    assert {(row[0], row[1].strip("`")) for row in told} == expected


def test_every_module_has_a_place_in_the_layout() -> None:
    told = page("docs/architecture.md").section("Layout").blocks("text")[0].text
    for package in layout.PACKAGES:
        listed = re.split(r"^(?=\w+/$|\w+/ )", told, flags=re.M)
        (block,) = [part for part in listed if part.startswith(f"{package}/")]
        words = {word for line in block.splitlines()[1:] for word in re.split(r" {2,}", line.strip())[0].split()}
        for module in sorted((ROOT / package).glob("[a-z]*")):
            name = module.stem + "/" * module.is_dir()
            assert name in words or any(w.endswith("*") and name.startswith(w[:-1]) for w in words), (
                f"{package}/{name} has no place in the layout of docs/architecture.md"
            )


def test_the_ranks_are_those_that_are_tested() -> None:
    told = page("docs/architecture.md").section("Who may import whom").blocks("text")[0].text.splitlines()
    assert len(told) == len(layout.RANKS)
    modules = {name.split(".")[1] for name in layout.read_sources("recovery") if "." in name}
    ranks = {name: layout.rank(f"recovery.{name}") for name in modules}
    for number, line in enumerate(told):
        named = set(line.replace("_*", "").split())
        here = {name for name, place in ranks.items() if place == number}
        assert {name for name in here if not any(name.startswith(f"{n}_") for n in named)} == named & modules
        assert named <= set(layout.RANKS[number].split())


def test_every_composition_root_is_named() -> None:
    named = set(page("docs/architecture.md").section("Who may import whom").code())
    assert named >= layout.ROOTS


# The assistant's protocol


def protocol() -> list[tuple[str, str, set[str]]]:
    """Every event that chatbot/events.py documents: the part it stands in, its type and its fields."""
    found = []
    part = ""
    for line in (events.__doc__ or "").splitlines():
        if line.startswith("From "):
            part = line.partition(":")[0]
        event = re.match(r"    (\w+) +\{(.*?)\}(?: |$)", line)
        if event:
            found.append((part, event[1], set(re.findall(r"\b([a-z_]+)\??(?=[,:}]|$)", event[2]))))
    return found


def test_every_event_of_the_protocol_is_described_with_its_fields() -> None:
    shown = page("docs/assistant-protocol.md")
    assert len(protocol()) == 23
    for heading in {part for part, _, _ in protocol()}:
        expected = {event: fields for part, event, fields in protocol() if part == heading}
        told = shown.section(heading).tables()[0]
        assert {row[0].strip("`") for row in told} == set(expected)
        for row in told:
            names = set(re.findall(r"\w+", row[1]))
            assert expected[row[0].strip("`")] - {"UUID"} <= names, row


def test_every_error_finish_and_close_code_is_described() -> None:
    shown = page("docs/assistant-protocol.md")
    codes = {row[0].strip("`") for table in shown.tables() for row in table}
    assert codes >= set(events.ERRORS) | set(get_args(events.Finish))
    told = {int(code) for code in re.findall(r"\b\d{4}\b", " ".join(codes))}
    documented = re.search(r"Close codes: (.*)", events.__doc__ or "", re.S)
    assert documented is not None
    assert told == {int(code) for code in re.findall(r"\b\d{4}\b", documented[1])}
    assert told >= {value for name, value in vars(events).items() if name.startswith("CLOSE_")}


# Operations


def test_the_procfile_has_the_commands_of_operations_md() -> None:
    lines = dict(line.split(": ", 1) for line in (ROOT / "Procfile").read_text().splitlines())
    assert set(lines) == {"web", "worker", "release"}
    told = {row[0]: row[1].strip("`") for row in page("docs/operations.md").section("Processes").tables()[0]}
    for name, command in lines.items():
        assert command.startswith(told[name])
        rest = shlex.split(command.replace("${PORT:-8000}", "8000"))
        leaves()[" ".join(rest[:2])].make_context(name, rest[2:])


def test_the_log_lines_named_exist() -> None:
    sources = "".join(layout.read_sources(*layout.PACKAGES).values())
    for row in page("docs/operations.md").section("Logs").tables()[0]:
        for event in re.findall(r"`([\w.]+)`", row[0]):
            assert f'"{event}"' in sources


def test_the_doctors_topics_are_explained() -> None:
    named = {row[0].strip("`") for row in page("docs/cli.md").section("`cartback doctor`").tables()[0]}
    assert named == set(TOPICS)
    troubles = page("docs/operations.md").section("Troubleshooting").code()
    assert named == {topic for topic in named if f"cartback doctor {topic}" in troubles}
