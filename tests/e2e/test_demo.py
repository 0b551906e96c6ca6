"""The demo as a process: it starts, keeps its state, answers a second terminal and stops, and says what is wrong."""

import json
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from tests.e2e.running import RunningDemo, cartback, mails, processes_of, running_demo


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDemo]:
    with running_demo(tmp_path_factory.mktemp("demo") / "state") as running:
        yield running


def shopper(demo: RunningDemo) -> httpx2.Client:
    return httpx2.Client(base_url=demo.base_url, follow_redirects=True, trust_env=False)


def leave_a_cart(demo: RunningDemo, address: str, newsletter: str = "yes") -> None:
    with shopper(demo) as browser:
        browser.post("/shop/en/cart/add", data={"product": "borowik", "variant": "borowik-moss-m", "quantity": "1"})
        browser.post("/shop/en/checkout/contact", data={"email": address, "newsletter": newsletter})
        deadline = time.monotonic() + 10
        while 'data-waiting="0"' not in browser.get("/shop/hooks").text:
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_one_page_leads_everywhere(demo: RunningDemo) -> None:
    with shopper(demo) as browser:
        start = browser.get("/").text
        for path in ("/shop/en/", "/shop/pl/", "/inbox/", "/demo/admin"):
            assert f'href="{path}"' in start
            assert browser.get(path).status_code == 200


def test_health_tells_what_there_is(demo: RunningDemo) -> None:
    with shopper(demo) as browser:
        assert browser.get("/healthz").json() == {"status": "ok"}
        deadline = time.monotonic() + 10
        while (ready := browser.get("/readyz").json())["worker"] != "ok" and time.monotonic() < deadline:
            time.sleep(0.1)
    assert ready == {"status": "ready", "database": "ok", "redis": "ok", "worker": "ok"}


def test_a_cart_without_consent_gets_no_mail_and_explain_says_why(demo: RunningDemo) -> None:
    leave_a_cart(demo, "no-consent@example.com", newsletter="")
    with shopper(demo) as browser:
        browser.post("/demo/clock", data={"minutes": "31"})
    deadline = time.monotonic() + 20
    told = demo.run("explain", "no-consent@example.com").stdout
    while "There is no consent" not in told and time.monotonic() < deadline:
        told = demo.run("explain", "no-consent@example.com").stdout
    assert "There is no consent" in told
    assert mails(demo, "no-consent@example.com", 0) == []


def test_the_originals_three_commands_work_in_a_second_terminal(demo: RunningDemo) -> None:
    for command in ("detect", "score", "send-emails"):
        done = demo.run(command, "--json")
        assert done.returncode == 0, done.stderr
        report = json.loads(done.stdout)
        assert report["errors"] == []
    assert demo.run("detect", "--store", "nowhere").returncode == 1
    assert "demo/en, demo/pl" in demo.run("detect", "--store", "nowhere").stderr


def test_stores_and_settings_are_changed_from_a_second_terminal(demo: RunningDemo) -> None:
    assert "demo/en" in demo.run("stores", "list").stdout
    changed = demo.run("settings", "set", "min_intent_score", "0.6", "--store", "en")
    assert changed.returncode == 0
    assert json.loads(demo.run("settings", "list", "--store", "en", "--json").stdout)["min_intent_score"] == 0.6
    wrong = demo.run("settings", "set", "min_intent_score", "6", "--store", "en")
    assert wrong.returncode == 1
    assert "min_intent_score" in wrong.stderr
    assert demo.run("settings", "set", "min_intent_score", "null", "--store", "en").returncode == 0
    assert json.loads(demo.run("settings", "list", "--store", "en", "--json").stdout)["min_intent_score"] == 0.45


def test_the_doctor_finds_the_demo_well(demo: RunningDemo) -> None:
    report = demo.state_dir.parent / "report.txt"
    examined = demo.run("doctor", "--json", "--report", str(report))
    findings = json.loads(examined.stdout)
    assert [finding for finding in findings if finding["state"] == "wrong"] == []
    assert examined.returncode == 0
    assert "example.com" not in report.read_text().replace("***@example.com", "")
    for topic in ("carts", "emails", "ai-score", "assistant"):
        assert json.loads(demo.run("doctor", topic, "--json").stdout)


def test_nothing_personal_and_no_token_is_logged(demo: RunningDemo) -> None:
    leave_a_cart(demo, "canary@example.com")
    with shopper(demo) as browser:
        browser.post("/demo/clock", data={"minutes": "31"})
        (mail,) = mails(demo, "canary@example.com", 1)
        links = mail["links"]
        assert isinstance(links, list)
        for link in links:
            browser.get(link)
    log = demo.log.read_text()
    assert "canary" not in log
    assert "eyJ" not in log


def test_ctrl_c_stops_everything_and_the_state_is_kept(tmp_path: Path) -> None:
    state = tmp_path / "state"
    with running_demo(state) as demo:
        leave_a_cart(demo, "kept@example.com")
        assert demo.stop(signal.SIGINT) == 0
    assert processes_of(state) == []
    assert not (state / "run.json").exists()
    with running_demo(state) as demo:
        explained = demo.run("explain", "kept@example.com")
        assert explained.returncode == 0, explained.stderr
        assert demo.stop(signal.SIGTERM) == 0
    assert processes_of(state) == []


def test_a_killed_demo_leaves_nothing_running_and_starts_again(tmp_path: Path) -> None:
    state = tmp_path / "state"
    with running_demo(state) as demo:
        demo.process.kill()
        demo.process.wait()
        deadline = time.monotonic() + 10
        while processes_of(state) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert processes_of(state) == []
        # The run file is still there, and must not mislead: nobody answers.
        told = demo.run("stores", "list")
        assert told.returncode == 2
        assert "cartback serve" in told.stderr
    with running_demo(state) as demo:
        assert demo.run("stores", "list").returncode == 0


def test_a_taken_port_is_said_with_the_way_out(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        told = cartback("demo", "--port", str(port), state_dir=tmp_path / "state")
    assert told.returncode == 2
    assert f"--port {port + 1}" in told.stderr
    assert "Traceback" not in told.stderr


def test_a_broken_state_folder_is_said_with_the_way_out(tmp_path: Path) -> None:
    state = tmp_path / "state"
    (state / "postgres" / "data").mkdir(parents=True)
    (state / "postgres" / "data" / "PG_VERSION").write_text("nonsense\n")
    (state / "postgres" / "password").write_text("x")
    told = cartback("demo", "--port", "0", state_dir=state)
    assert told.returncode == 2
    assert "--reset" in told.stderr
    assert "Traceback" not in told.stderr


def test_reset_forgets_everything_but_only_when_nothing_runs(tmp_path: Path) -> None:
    state = tmp_path / "state"
    with running_demo(state) as demo:
        leave_a_cart(demo, "gone@example.com")
        refused = cartback("demo", "--reset", state_dir=state)
        assert refused.returncode == 2
        assert "Stop it first" in refused.stderr
        demo.stop()
    with running_demo(state, "--reset") as demo:
        forgotten = demo.run("explain", "gone@example.com")
        assert forgotten.returncode == 1
        assert "No cart is known" in forgotten.stderr
