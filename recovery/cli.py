"""The command line: the same sweeps, settings and answers as the services, for a terminal.

What serves is imported only by the commands that serve, so that the others answer quickly.
"""

import asyncio
import json
import sys
from collections.abc import Coroutine
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from admin.doctor import TOPICS, Finding, examine, report_text
from admin.signin import make_admin_link
from recovery import console
from recovery.cli_admin import admin_app
from recovery.cli_conversations import conversations_app
from recovery.cli_coupons import coupons_app
from recovery.cli_emails import preview_command, try_relay_command
from recovery.cli_magento import connect_app, sync_command
from recovery.cli_pages import pages_app
from recovery.cli_people import add_people_commands
from recovery.cli_proof import proof_command
from recovery.cli_sweeps import JsonOption, StoreOption, detect_command, score_command, send_emails_command
from recovery.cli_webhooks import webhooks_app
from recovery.clock import SystemClock
from recovery.errors import CartbackError, SetupError
from recovery.explain import explain
from recovery.logs import set_up_logging
from recovery.models import Connection, Store
from recovery.runtime import Runtime, with_runtime
from recovery.settings import Settings, load_settings
from recovery.store_settings import SECRET_SETTINGS, StoreSettings
from recovery.stores import registry

app = typer.Typer(
    name="cartback",
    help="Brings abandoned carts back. Start with: cartback demo",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
stores_app = typer.Typer(help="Shops and their shop fronts.", no_args_is_help=True)
settings_app = typer.Typer(help="What a merchant decides, per store.", no_args_is_help=True)
app.add_typer(stores_app, name="stores")
app.add_typer(settings_app, name="settings")
stores_app.add_typer(connect_app, name="connect")
stores_app.add_typer(pages_app, name="pages")
app.command("sync")(sync_command)
app.add_typer(admin_app, name="admin")
app.command("proof")(proof_command)
app.command("detect")(detect_command)
app.command("score")(score_command)
app.command("send-emails")(send_emails_command)
app.command("preview")(preview_command)
app.command("test-email")(try_relay_command)
app.add_typer(conversations_app, name="conversations")
app.add_typer(coupons_app, name="coupons")
app.add_typer(webhooks_app, name="webhooks")
add_people_commands(app)


def main() -> None:
    """Run the command line; every error of ours becomes one sentence and an exit code."""
    try:
        app()
    except SetupError as error:
        console.note(str(error))
        raise SystemExit(console.USAGE) from None
    except CartbackError as error:
        console.note(str(error))
        raise SystemExit(console.FAILED) from None


def _private_settings() -> Settings:
    """Settings for private servers, whatever DATABASE_URL says and whatever runs."""
    return load_settings(join_running=False, database_url=None, redis_url=None)


def _run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(work)


@app.command("serve")
def serve_command(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8000,
) -> None:
    """Serve the web process; without DATABASE_URL and REDIS_URL also private servers and the worker."""
    from recovery import serve

    settings = load_settings()
    if "public_url" not in settings.model_fields_set:
        settings = settings.model_copy(update={"public_url": f"http://{host}:{port}"})
    set_up_logging(settings)
    serve.run(serve.serve(settings, host, port, console.progress))


@app.command("worker")
def worker_command() -> None:
    """Run the sweeps: detection, scoring, sending."""
    from recovery import serve

    settings = load_settings()
    set_up_logging(settings)
    serve.run(serve.work(settings))


@app.command("demo")
def demo_command(
    port: Annotated[int, typer.Option(help="Port of 127.0.0.1 to listen on.")] = 8000,
    catalogue: Annotated[
        str, typer.Option(help="The shop offered first: outdoor, carp, tiles, airsoft or bicycles.")
    ] = "outdoor",
    reset: Annotated[bool, typer.Option("--reset", help="Start with empty databases and an empty shop.")] = False,
) -> None:
    """Serve the whole product with a demo shop, an inbox and an admin page, all on this machine."""
    from recovery import demo_run, serve

    settings = _private_settings()
    set_up_logging(settings.model_copy(update={"log_format": "text", "log_level": "warning"}))
    if reset:
        demo_run.reset(settings)
    serve.run(demo_run.demo(settings, port, console.progress, catalogue))


@app.command("story")
def story_command(as_document: JsonOption = False) -> None:
    """Watch two carts go the whole way, step by step, through public interfaces only."""
    from recovery import serve
    from recovery.story_run import run_story

    settings = _private_settings()
    set_up_logging(settings.model_copy(update={"log_format": "text", "log_level": "error"}))
    serve.run(run_story(settings, as_document=as_document))


@app.command("admin-link")
def admin_link_command() -> None:
    """Make a link that opens the admin page once, within ten minutes, on this machine."""

    async def work(runtime: Runtime) -> None:
        console.line(runtime.settings.public_url + await make_admin_link(SystemClock().now()))

    _run(with_runtime(work))


@app.command("migrate")
def migrate_command() -> None:
    """Bring the database's schema to the newest state; safe to run from many processes."""
    from recovery import serve

    _run(serve.migrate(load_settings(), console.progress))


@app.command("explain")
def explain_command(
    query: Annotated[str, typer.Argument(metavar="QUOTE_ID|EMAIL", help="A quote id, or a customer's address.")],
    as_document: JsonOption = False,
) -> None:
    """Say why a cart was or was not detected, scored and written to."""

    async def work(runtime: Runtime) -> None:
        told = await explain(runtime, query, runtime.now())
        if as_document:
            console.data([asdict(one) for one in told])
            return
        for one in told:
            console.line(f"Cart {one.quote_id} of store {one.store}, {one.customer}, {one.total}")
            for sentence in one.sentences:
                console.line(f"  {sentence}")
            console.line(f"  To a customer who asks: {one.to_customer}")

    _run(with_runtime(work))


@app.command("doctor")
def doctor_command(
    topic: Annotated[str, typer.Argument(help=f"Nothing for the installation, or one of {', '.join(TOPICS)}.")] = "",
    report: Annotated[
        Path | None, typer.Option("--report", help="Write everything to this file, for an issue.")
    ] = None,
    as_document: JsonOption = False,
) -> None:
    """Check the installation line by line and say what to do."""
    if topic and topic not in TOPICS:
        console.fail(f"There is no topic {topic!r}; there are {', '.join(TOPICS)}.", console.USAGE)
    findings = asyncio.run(examine(load_settings(), topic))
    if report is not None:
        report.write_text(asyncio.run(report_text(load_settings())))
        console.note(f"Written to {report}; addresses are masked, but read it before you pass it on.")
    if as_document:
        console.data([finding.__dict__ for finding in findings])
    else:
        _print_findings(findings)
    if any(finding.state == "wrong" for finding in findings):
        raise typer.Exit(console.FAILED)


def _print_findings(findings: list[Finding]) -> None:
    marks = {"good": "ok  ", "note": "note", "wrong": "FAIL"}
    for finding in findings:
        console.line(f"{marks[finding.state]}  {finding.subject}: {finding.words}")
        if finding.fix:
            console.line(f"      → {finding.fix}")


@stores_app.command("list")
def list_stores(as_document: JsonOption = False) -> None:
    """The stores with their mode."""

    async def work(runtime: Runtime) -> None:
        rows = await Store.all().prefetch_related("connection").order_by("id")
        if as_document:
            fields = ("code", "name", "language", "currency", "timezone", "mode")
            console.data([{"connection": s.connection.key} | {f: getattr(s, f) for f in fields} for s in rows])
        elif rows:
            console.table(
                [(f"{s.connection.key}/{s.code}", s.mode, s.language, s.currency, s.timezone, s.name) for s in rows],
                ("STORE", "MODE", "LANGUAGE", "CURRENCY", "TIME ZONE", "NAME"),
            )
        else:
            console.note("No stores yet. Make one with: cartback stores add")

    _run(with_runtime(work))


@stores_app.command("add")
def add_store(
    connection: Annotated[str, typer.Option(help="Key of the shop installation; made if there is none.")],
    url: Annotated[str, typer.Option(help="The shop's web address.")],
    code: Annotated[str, typer.Option(help="Code of the shop front, as its hooks name it.")] = "default",
    name: Annotated[str, typer.Option(help="Name that customers know.")] = "",
    language: Annotated[str, typer.Option(help="Language of its customers, such as en or pl.")] = "en",
    currency: Annotated[str, typer.Option(help="Its currency, such as EUR.")] = "EUR",
    timezone: Annotated[str, typer.Option(help="Its time zone.")] = "UTC",
) -> None:
    """Add a shop front; it only observes until you say: cartback stores mode CODE live"""

    async def work(runtime: Runtime) -> None:
        owner = await Connection.get_or_none(key=connection)
        if owner is None:
            owner, secret = await registry.add_connection(
                runtime.keys, connection, name or connection, url, runtime.now()
            )
            console.note("The hook secret, shown only now; give it to the shop:")
            console.line(secret)
        await registry.add_store(owner, code, name or code, language=language, currency=currency, timezone=timezone)
        console.note(f"Hooks go to {runtime.settings.public_url}/hooks/v1/{connection} (see docs/hooks.md).")

    _run(with_runtime(work))


@stores_app.command("allow-host")
def allow_host(
    connection: Annotated[str, typer.Argument(help="Key of the shop installation.")],
    host: Annotated[str, typer.Argument(help="A host name, such as media.shop.example.")],
) -> None:
    """Let links and pictures of a shop name one more host; those of unknown hosts are dropped with a warning."""

    async def work(runtime: Runtime) -> None:
        hosts = await registry.allow_host(connection, host)
        console.note(f"Links of {connection} may name: {', '.join(hosts)}.")

    _run(with_runtime(work))


@stores_app.command("mode")
def set_mode(
    store: Annotated[str, typer.Argument(help="The store: its code, or connection/code.")],
    mode: Annotated[str, typer.Argument(help="observing, live or paused.")],
) -> None:
    """Let a store observe, go live or pause."""

    async def work(runtime: Runtime) -> None:
        if mode not in registry.MODES:
            console.fail(f"There is no mode {mode!r}; there are {', '.join(registry.MODES)}.", console.USAGE)
        row = await registry.find_store(store)
        await registry.set_mode(row, mode, runtime.now())
        console.note(f"{row.connection.key}/{row.code} is {mode}.")

    _run(with_runtime(work))


@stores_app.command("rotate-secret")
def rotate_secret(
    connection: Annotated[str, typer.Argument(help="Key of the shop installation.")],
    grace_hours: Annotated[int, typer.Option(min=0, max=720, help="Hours the old secret still counts.")] = 24,
) -> None:
    """Make a new hook secret; the old one still counts for a while."""

    async def work(runtime: Runtime) -> None:
        console.line(await registry.rotate_hook_secret(runtime.keys, connection, grace_hours, runtime.now()))
        console.note(f"This is the new secret, shown only now; the old one counts for {grace_hours} h more.")

    _run(with_runtime(work))


@settings_app.command("list")
def list_settings(store: StoreOption = None, as_document: JsonOption = False) -> None:
    """The settings in force, of one store or of the installation."""

    async def work(runtime: Runtime) -> None:
        own, in_force = await registry.settings_of(store)
        values = in_force.shown()
        if as_document:
            console.data(values)
            return
        console.table(
            [(name, json.dumps(value, ensure_ascii=False), "own" if name in own else "inherited")
             for name, value in values.items()],
            ("SETTING", "VALUE", "FROM"),
        )  # fmt: skip

    _run(with_runtime(work))


@settings_app.command("set")
def set_setting(
    name: Annotated[str, typer.Argument(help="The setting.")],
    value: Annotated[str, typer.Argument(help="Its value; null goes back to what is inherited.")],
    store: StoreOption = None,
) -> None:
    """Change a setting of one store, or of all that do not have their own; it takes effect at once."""
    given = _secret(name, value) if name in SECRET_SETTINGS else _value(value)

    async def work(runtime: Runtime) -> None:
        in_force = await registry.save_settings(runtime.keys.vault, store, {name: given})
        console.note(f"{name} is {json.dumps(in_force.shown()[name], ensure_ascii=False)} now.")

    _run(with_runtime(work))


@settings_app.command("help")
def explain_settings() -> None:
    """Every setting with its meaning and built-in value."""
    for name, field in StoreSettings.model_fields.items():
        default = json.dumps(field.get_default(call_default_factory=True), default=lambda step: step.model_dump())
        console.line(f"{name} (built-in: {default})\n    {field.description}")


def _secret(name: str, text: str) -> str | None:
    """A secret as it stands; "-" asks for it, so that it is in no history and no list of processes."""
    if text == "-":
        text = typer.prompt(name, hide_input=True) if sys.stdin.isatty() else sys.stdin.readline().strip()
    return None if text == "null" else text


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


if __name__ == "__main__":
    main()
