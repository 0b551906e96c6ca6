"""How the machine is: servers, the worker, the last runs, the doctor's findings; and running a job now."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from admin import doctor
from admin.api.call import Call
from admin.api.operations import Operations
from admin.api.problems import Problem
from recovery import health, jobs
from recovery.models import JobRun, Store

api = Operations("system")

Body = ConfigDict(extra="forbid", frozen=True)


class Run(BaseModel):
    """One run of a job; nothing is kept of runs that found nothing to do, but the last."""

    job: str
    started_at: datetime
    finished_at: datetime
    counts: dict[str, int]
    error: str | None


class System(BaseModel):
    """Whether everything runs."""

    database: Literal["ok"]
    redis: Literal["ok", "away"]
    worker: str = Field(description="ok, or since when nothing was heard of it")
    last_runs: list[Run]


class Runs(BaseModel):
    """The newest runs."""

    items: list[Run]


class FindingRow(BaseModel):
    """One finding of the doctor."""

    subject: str
    state: Literal["good", "note", "wrong"]
    words: str
    fix: str = Field(description="What to do about it")


class Findings(BaseModel):
    """What the doctor found."""

    items: list[FindingRow]


class JobCall(BaseModel):
    """What a run is limited to."""

    model_config = Body
    store: int | None = Field(None, ge=1, le=2**31 - 1, description="Only this store; null: all")
    limit: int | None = Field(None, ge=1, le=5000, description="At most so many carts per store")
    dry_run: bool = Field(False, description="Only count what would be done")


class JobReport(BaseModel):
    """What a run did."""

    job: str
    dry_run: bool
    counts: dict[str, int]
    errors: list[str]


@api.add("GET", "/system", scope="system:read")
async def show_system(call: Call) -> System:
    """Whether the servers answer, the worker lives, and when each job last ran."""
    return System(
        database="ok",
        redis="ok" if await health.redis_answers(call.runtime) else "away",
        worker=await health.worker_state(),
        last_runs=[_run(run) for run in (await jobs.last_runs()).values()],
    )


@api.add("GET", "/system/runs", scope="system:read")
async def list_runs(call: Call) -> Runs:
    """The newest runs that did something or failed, over all jobs."""
    return Runs(items=[_run(run) for run in await JobRun.all().order_by("-started_at").limit(100)])


@api.add("GET", "/system/doctor", scope="system:read")
async def examine(call: Call) -> Findings:
    """What `cartback doctor` says: every part of the installation, and what to do where something is wrong."""
    found = await doctor.examine_within(call.runtime.settings)
    return Findings(items=[FindingRow(subject=f.subject, state=f.state, words=f.words, fix=f.fix) for f in found])


@api.add("POST", "/jobs/{job}", scope="jobs:run")
async def run_job(call: Call, job: Literal["sync", "detect", "score", "email", "notice"], body: JobCall) -> JobReport:
    """Run a job now and wait for it; running one while the worker does harms nobody."""
    name = None
    if body.store is not None:
        store: Store = await call.store(body.store)
        name = f"{store.connection.key}/{store.code}"
    elif call.who.store_ids is not None:
        raise Problem(422, "store-needed", "Say for which store; you do not see all of them.")
    if not body.dry_run:
        await call.note("job.run", job, store_id=body.store, after=body.model_dump())
    report = await jobs.JOBS[job](call.runtime, jobs.Scope(name, body.limit, body.dry_run))
    return JobReport(job=report.job, dry_run=body.dry_run, counts=report.counts, errors=report.errors)


def _run(run: JobRun) -> Run:
    return Run(job=run.job, started_at=run.started_at, finished_at=run.finished_at, counts=run.counts, error=run.error)
