"""Rules fire at their minute: LocalStack's own clock is up to a minute early, and may skip or repeat one."""

import time

from crontab import CronTab
from localstack.services.events.scheduler import Job, JobScheduler

LOOK_SECONDS = 2.0
"""How often rules are looked at: the most by which one fires late."""


def install() -> None:
    """Puts the clock in place; before the first rule is there."""
    Job.should_run_now = has_come
    JobScheduler.loop = loop


def has_come(job: Job) -> bool:
    """Whether an instant of the rule has come since the last look; the first look only sets that mark."""
    now = time.time()
    seen_at = getattr(job, "seen_at", now)
    job.seen_at = now
    ago_seconds = CronTab(job.schedule).previous(now=now, default_utc=True)
    return ago_seconds is not None and now + ago_seconds > seen_at


def loop(scheduler: JobScheduler, *_: object) -> None:
    """Looks at all rules again and again."""
    while not scheduler._stop_event.wait(timeout=LOOK_SECONDS):
        for job in list(scheduler.jobs):
            job.run()
