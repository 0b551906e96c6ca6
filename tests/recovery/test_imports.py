"""Lists of people from other tools: what is understood, what is refused, and that nothing is lost or done twice."""

import asyncio
import json
import os
import sys
import tracemalloc
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from recovery import imports, imports_reading
from recovery.imports_reading import FileRefused, LineRefused, read_consent, read_lines, read_suppression
from recovery.models import ConsentRecord, Suppression
from tests.shop import ADDRESS, MORNING, SECRET_KEY, Shop

DAY = datetime(2026, 1, 2, tzinfo=UTC)

MAILCHIMP_UNSUBSCRIBED = """\
"Email Address","First Name",OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,CONFIRM_IP,UNSUB_TIME,UNSUB_CAMPAIGN_TITLE
gone@example.com,Ann,"2020-01-01 10:00:00",,"2020-01-01 10:00:00",1.2.3.4,"2024-05-06 07:08:09","Spring, again"
"""
MAILCHIMP_CLEANED = """\
Email Address,First Name,OPTIN_TIME,CLEAN_TIME,CLEAN_CAMPAIGN_TITLE
dead@example.com,Bo,2020-01-01 10:00:00,2024-05-06 07:08:09,Spring
"""
MAILCHIMP_SUBSCRIBED = """\
Email Address,First Name,MEMBER_RATING,OPTIN_TIME,CONFIRM_TIME,LAST_CHANGED
here@example.com,Cy,4,2020-01-01 10:00:00,2020-01-02 11:00:00,2024-01-01 00:00:00
"""
KLAVIYO = """\
Email,First Name,Email Marketing Consent,Email Marketing Consent Timestamp,Email Suppressions
yes@example.com,Di,SUBSCRIBED,2023-03-04T05:06:07+00:00,
no@example.com,Ed,UNSUBSCRIBED,2023-03-04T05:06:07+00:00,
never@example.com,Flo,NEVER_SUBSCRIBED,,
hard@example.com,Gus,SUBSCRIBED,2023-03-04T05:06:07+00:00,HARD_BOUNCE
"""


def write(folder: Path, text: str | bytes, encoding: str = "utf-8") -> Path:
    file = folder / "list.csv"
    file.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
    return file


def suppressions(file: Path) -> list[tuple[str, str, datetime | None]]:
    """What a list of suppressions says."""
    lines = read_lines(file)
    imports_reading.check_suppressions(next(lines).told)
    read = [read_suppression(line, MORNING) for line in lines]
    return [(one.address, one.cause, one.at) for one in read if one is not None]


def consents(file: Path) -> list[tuple[str, bool, datetime, str]]:
    """What a list of consents says."""
    lines = read_lines(file)
    imports_reading.check_consents(next(lines).told)
    read = [read_consent(line, MORNING, None) for line in lines]
    return [(one.address, one.marketing, one.at, one.source) for one in read if one is not None]


def test_the_exports_of_mailchimp_are_understood(tmp_path: Path) -> None:
    at = datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)
    assert suppressions(write(tmp_path, MAILCHIMP_UNSUBSCRIBED)) == [("gone@example.com", "unsubscribe", at)]
    assert suppressions(write(tmp_path, MAILCHIMP_CLEANED)) == [("dead@example.com", "bounce", at)]
    agreed = datetime(2020, 1, 2, 11, tzinfo=UTC)
    expected = [("here@example.com", True, agreed, "import:mailchimp")]
    assert consents(write(tmp_path, MAILCHIMP_SUBSCRIBED)) == expected


def test_the_export_of_klaviyo_is_understood(tmp_path: Path) -> None:
    file = write(tmp_path, KLAVIYO)
    at = datetime(2023, 3, 4, 5, 6, 7, tzinfo=UTC)
    assert [(address, said) for address, said, _, _ in consents(file)] == [
        ("yes@example.com", True), ("no@example.com", False), ("hard@example.com", True),
    ]  # fmt: skip
    assert {(at_, source) for _, _, at_, source in consents(file)} == {(at, "import:klaviyo")}
    assert [(address, cause) for address, cause, _ in suppressions(file)] == [
        ("no@example.com", "unsubscribe"), ("hard@example.com", "bounce"),
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["email", "E-mail", "EMAIL ADDRESS", "Adres e-mail", "\ufeffemail"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_plain_lists_with_any_separator(tmp_path: Path, name: str, separator: str) -> None:
    text = f'name{separator}{name}\r\n"A{separator}B"{separator} Ann@Example.COM \r\n\r\n'
    assert suppressions(write(tmp_path, text)) == [("Ann@example.com", "manual", None)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1250"])
def test_any_usual_encoding_keeps_its_letters(tmp_path: Path, encoding: str) -> None:
    text = "email;źródło;source\n" + "".join(f"a{n}@example.com;Łódź;Łódź {n}\n" for n in range(9000))
    lines = list(read_lines(write(tmp_path, text, encoding)))
    assert lines[-1].told["source"] == "Łódź 8999"
    assert "źródło" in lines[0].told


@pytest.mark.parametrize(
    ("reason", "cause"),
    [
        ("Hard Bounce", "bounce"), ("spam_complaint", "complaint"), ("abuse", "complaint"),
        ("Unsubscribed", "unsubscribe"), ("opt-out", "unsubscribe"), ("User suppressed", "manual"), ("", "manual"),
    ],
)  # fmt: skip
def test_a_reason_becomes_a_cause(tmp_path: Path, reason: str, cause: str) -> None:
    assert suppressions(write(tmp_path, f"email,reason\na@example.com,{reason}\n"))[0][1] == cause


@pytest.mark.parametrize(
    ("text", "check"),
    [
        ("", "suppressions"),
        ("name,age\nAnn,3\n", "suppressions"),
        (MAILCHIMP_SUBSCRIBED, "suppressions"),
        (MAILCHIMP_UNSUBSCRIBED, "consents"),
        (MAILCHIMP_CLEANED, "consents"),
        ("email\na@example.com\n", "consents"),
    ],
)
def test_a_list_that_would_be_taken_for_its_opposite_is_refused(tmp_path: Path, text: str, check: str) -> None:
    with pytest.raises(FileRefused):
        (suppressions if check == "suppressions" else consents)(write(tmp_path, text))


def test_a_file_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(FileRefused, match=r"nowhere\.csv can't be read"):
        next(read_lines(tmp_path / "nowhere.csv"))


@pytest.mark.parametrize(
    "line",
    [
        "a@example.com,yes,", "a@example.com,yes,yesterday", "a@example.com,yes,2026-13-45",
        "a@example.com,yes,2030-01-01", "a@example.com,perhaps,2026-01-02", "nobody,yes,2026-01-02",
        ",yes,2026-01-02", "a@example.com,yes,2026-01-02,x", "a@example.com,yes,03/04/2024",
    ],
)  # fmt: skip
def test_a_line_that_says_too_little_is_told_with_its_number(tmp_path: Path, line: str) -> None:
    file = write(tmp_path, f"email,consent,at\nok@example.com,yes,2026-01-02\n{line}\n")
    _, good, bad = read_lines(file)
    assert read_consent(good, MORNING, None) is not None
    assert bad.number == 3
    with pytest.raises(LineRefused):
        read_consent(bad, MORNING, None)


def test_no_file_says_double_opt_in(tmp_path: Path) -> None:
    """Only that lifts an unsubscription; a list of another tool must not."""
    told = consents(write(tmp_path, "email,consent,at,source\na@example.com,yes,2026-01-02,double_opt_in\n"))
    assert told == [("a@example.com", True, DAY, "import:double_opt_in")]


async def test_taken_suppressions_stop_what_waits_and_again_is_no_trouble(live: Shop) -> None:
    mail = await live.queue()
    people = [imports_reading.Unwanted(address, "unsubscribe", DAY) for address in (ADDRESS, "b@example.com", ADDRESS)]
    place = (live.connection.id, None)
    keys = live.runtime.keys
    assert await imports.take_suppressions(place, people, keys, live.now, dry_run=True) == 2
    assert not await Suppression.exists()
    assert await imports.take_suppressions(place, people, keys, live.now) == 2
    assert await imports.take_suppressions(place, people, keys, live.now) == 0
    await mail.refresh_from_db()
    assert (mail.status, mail.closed_reason) == ("suppressed", "unsubscribe")
    assert {(row.cause, row.at, row.store_id) for row in await Suppression.all()} == {("unsubscribe", DAY, None)}


async def test_taken_consents_count_as_the_shops_own_word(live: Shop) -> None:
    await live.set(consent_policy="require")
    await live.cart()
    await live.abandon()
    assert await live.plan() == {"waiting": 1}
    said = [imports_reading.Word(ADDRESS, True, "consent", "import:file", None, DAY)]
    for expected in (1, 0):
        assert await imports.take_consents(live.connection.id, said, live.runtime.keys, live.now) == expected
    assert await ConsentRecord.all().count() == 1
    assert await live.plan() == {"queued": 1}
    later = [imports_reading.Word(ADDRESS, False, "consent", "import:file", None, DAY + timedelta(days=1))]
    await imports.take_consents(live.connection.id, later, live.runtime.keys, live.now)
    assert [email.status for email in await live.emails()] == ["suppressed"]


async def test_an_old_yes_in_a_list_lifts_no_later_no(live: Shop) -> None:
    no = {"marketing": False, "at": live.now.isoformat(), "source": "account"}
    await live.tell("consent.updated", {"email": ADDRESS, "consent": no})
    said = [imports_reading.Word(ADDRESS, True, "consent", "import:file", None, DAY)]
    await imports.take_consents(live.connection.id, said, live.runtime.keys, live.now)
    assert await Suppression.filter(lifted_at=None, cause="objection").count() == 1


def test_a_long_list_is_read_without_holding_it(tmp_path: Path) -> None:
    file = tmp_path / "long.csv"
    with file.open("w") as out:
        out.write("email,note\n")
        out.writelines(f"someone.{n}@example.com,{'so it is ' * 60}\n" for n in range(4000))
    tracemalloc.start()
    count = sum(1 for line in read_lines(file) if line.cells)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 4000
    assert peak < file.stat().st_size / 4


async def test_the_command_tells_what_it_did_and_keeps_what_it_did_not(live: Shop, tmp_path: Path) -> None:
    lines = ["email,reason", "a@example.com,bounced", "nonsense,bounced", "b@example.com,spam", '"bro"ken,x,y', ""]
    file, rejected = write(tmp_path, "\n".join(lines)), tmp_path / "rejected.csv"
    environment = os.environ | {
        "DATABASE_URL": live.runtime.settings.database_url or "", "REDIS_URL": live.runtime.settings.redis_url or "",
        "CARTBACK_SECRET_KEY": SECRET_KEY,
    }  # fmt: skip
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "recovery.cli", "import", "suppressions", str(file), "--rejected", str(rejected),
        "--json",
        env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await process.communicate()
    assert process.returncode == 3, err
    told = json.loads(out)
    assert (told["lines"], told["new"], told["rejected"], [one["line"] for one in told["problems"]]) == (
        4,
        2,
        2,
        [3, 5],
    )
    assert b"line 3: has something else in the place of the address" in err
    assert rejected.read_text().splitlines()[0] == "3,nonsense,bounced"
    assert sorted([row.cause for row in await Suppression.all()]) == ["bounce", "complaint"]
