"""A worker for the fault tests, run as a process of its own: so many sweeps for mails at a standing business time.

``python -m tests.reliability.worker_process <business time> <sweeps>``, the servers in the environment.
"""

import asyncio
import os
import sys
from datetime import datetime

from recovery import jobs
from tests.shop import Clock, open_runtime, settings_for


async def work(moment: datetime, sweeps: int) -> None:
    """Sweep, crash where the environment says, and sweep on."""
    settings = settings_for(os.environ["DATABASE_URL"], os.environ["REDIS_URL"])
    async with open_runtime(settings, Clock(moment)) as runtime:
        for _ in range(sweeps):
            await jobs.email(runtime)
            await jobs.notice(runtime)
            await asyncio.sleep(0.02)


if __name__ == "__main__":
    asyncio.run(work(datetime.fromisoformat(sys.argv[1]), int(sys.argv[2])))
