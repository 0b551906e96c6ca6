"""Production: PostgreSQL, Redis and SMTP of one's own, ``serve`` and ``worker`` as processes of the Procfile."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2
import pytest
from standardwebhooks import Webhook

from recovery.embedded import Endpoints
from tests.e2e.running import ROOT, cartback, environment, free_port
from tests.servers import database
from tests.smtp_sink import SmtpSink

KEY = "a secret key of a production installation"


@pytest.fixture
def production(tmp_path: Path, database_url: str, redis_url: str, smtp_sink: SmtpSink) -> dict[str, str]:
    """The environment of an installation with its own servers; the database is migrated already."""
    return environment(
        tmp_path / "state",
        DATABASE_URL=database_url,
        REDIS_URL=redis_url,
        CARTBACK_SECRET_KEY=KEY,
        CARTBACK_SMTP_HOST=smtp_sink.host,
        CARTBACK_SMTP_PORT=str(smtp_sink.port),
        CARTBACK_SWEEP_SECONDS="1",
    )


def run(production: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "recovery.cli", *arguments],
        env=production, cwd=ROOT, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert "Traceback" not in done.stderr, done.stderr
    return done


@contextmanager
def process(production: dict[str, str], *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """A service that must end by itself, with 0, at SIGTERM."""
    service = subprocess.Popen(
        [sys.executable, "-m", "recovery.cli", *arguments], env=production, cwd=ROOT, stderr=subprocess.DEVNULL
    )
    try:
        yield service
        service.terminate()
        assert service.wait(30) == 0
    finally:
        if service.poll() is None:
            service.kill()
            service.wait()


def wait_for_ready(base_url: str) -> dict[str, str]:
    deadline = time.monotonic() + 30
    while True:
        try:
            told: dict[str, str] = httpx2.get(f"{base_url}/readyz", trust_env=False).json()
            if told["worker"] == "ok":
                return told
        except httpx2.HTTPError:
            pass
        assert time.monotonic() < deadline
        time.sleep(0.1)


def send_cart(base_url: str, secret: str, address: str) -> httpx2.Response:
    """A cart last touched 40 minutes ago, as a shop tells it."""
    at = (datetime.now(UTC) - timedelta(minutes=40)).isoformat()
    cart = {
        "quote_id": "4711",
        "currency": "EUR",
        "total": 12900,
        "items": [{"product_id": "K-12", "name": "Lamp", "quantity": 1, "row_total": 12900}],
        "checkout_stage": "payment",
        "customer": {"email": address},
        "consent": {"marketing": True, "at": at, "source": "checkout_box"},
    }
    body = json.dumps({"type": "cart.updated", "occurred_at": at, "data": cart})
    now = datetime.now(UTC)
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(secret).sign("msg_1", now, body),
    }
    return httpx2.post(f"{base_url}/hooks/v1/lamps", content=body, headers=headers, trust_env=False)


async def test_a_shop_is_connected_by_the_command_line_and_its_cart_is_written_to(
    production: dict[str, str], smtp_sink: SmtpSink
) -> None:
    port = free_port()
    base_url = f"http://127.0.0.1:{port}"
    production["CARTBACK_PUBLIC_URL"] = base_url
    assert run(production, "migrate").returncode == 0
    added = run(
        production, "stores", "add", "--connection", "lamps", "--url", "https://lamps.example", "--name", "Lamps"
    )
    assert added.returncode == 0, added.stderr
    secret = added.stdout.strip()
    assert secret.startswith("whsec_")
    # By the real clock: at night the built-in quiet hours would hold the mail back.
    wanted = {"sender_address": "hello@lamps.example", "postal_address": "1 Lamp Lane", "quiet_hours": "off"}
    for name, value in wanted.items():
        assert run(production, "settings", "set", name, value, "--store", "default").returncode == 0
    assert run(production, "stores", "mode", "default", "live").returncode == 0
    with process(production, "serve", "--port", str(port)), process(production, "worker"):
        assert wait_for_ready(base_url)["status"] == "ready"
        answer = send_cart(base_url, secret, "lena@example.com")
        assert (answer.status_code, answer.json()) == (200, {"status": "applied", "warnings": []})
        assert send_cart(base_url, secret, "lena@example.com").status_code == 409
        await smtp_sink.wait_for(1)
    (message,) = smtp_sink.to("lena@example.com")
    assert message.sender == "hello@lamps.example"
    assert message.message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert f"{base_url}/r/" in message.text("plain")


def test_a_wrong_secret_key_is_refused_with_the_way_out(production: dict[str, str]) -> None:
    assert run(production, "stores", "list").returncode == 0
    other = run(production | {"CARTBACK_SECRET_KEY": "another secret key that is long enough"}, "stores", "list")
    assert other.returncode == 2
    assert "CARTBACK_PREVIOUS_SECRET_KEYS" in other.stderr
    rotated = production | {
        "CARTBACK_SECRET_KEY": "another secret key that is long enough",
        "CARTBACK_PREVIOUS_SECRET_KEYS": KEY,
    }
    assert run(rotated, "stores", "list").returncode == 0


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"CARTBACK_SECRET_KEY": "short"}, "CARTBACK_SECRET_KEY has 5 characters"),
        ({"CARTBACK_SMTP_PORT": "post"}, "CARTBACK_SMTP_PORT"),
        ({"DATABASE_URL": "mysql://here"}, "needs PostgreSQL"),
        ({"DATABASE_URL": "postgres://postgres@127.0.0.1:1/none"}, "can't be reached"),
    ],
)
def test_wrong_settings_are_named(production: dict[str, str], variables: dict[str, str], words: str) -> None:
    told = run(production | variables, "stores", "list")
    assert told.returncode == 2, told.stderr
    assert words in told.stderr


def test_a_database_without_tables_is_told_to_migrate(production: dict[str, str], servers: Endpoints) -> None:
    told = run(production | {"DATABASE_URL": database(servers.database_url, "postgres")}, "stores", "list")
    assert told.returncode == 2
    assert "cartback migrate" in told.stderr


def test_without_servers_the_commands_say_how_to_get_some(tmp_path: Path) -> None:
    told = cartback("stores", "list", state_dir=tmp_path)
    assert told.returncode == 2
    assert "cartback serve" in told.stderr
