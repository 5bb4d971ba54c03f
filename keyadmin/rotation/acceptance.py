"""Whether the Gemini API takes a member's key, waiting for what time mends and for nothing else.

A run over many projects must not stand still for minutes because of a key that nothing is under way for.
"""

from __future__ import annotations

from keyadmin.keys import verify
from keyadmin.model.lineage import Member
from keyadmin.model.problem import Cause, Problem
from keyadmin.projects import facts
from keyadmin.rotation.job import Job


async def rejection(job: Job, member: Member, *, came_back: bool = False) -> Problem | None:
    """Why the Gemini API rejects a key; None = it takes it. Raises Problem where its string cannot be read.

    News of a key takes minutes to spread, counted by the server's clock from when it was made or changed; `came_back` =
    it may have been undeleted just now, which need not change a time of it. News of an API that was switched on takes as long,
    and the key does not tell when that was: Service Usage, which knows at once, is asked whether it is on at all.
    """
    cloud, observer = job.cloud, job.shared.observer
    string = await job.string_of(member)
    spreading = job.verify_s if came_back else _spreading(job, member)
    problem = await verify.until_accepted(cloud, string, observer, spreading, lasting=(Cause.API_NOT_ENABLED,))
    if problem is None or problem.cause is not Cause.API_NOT_ENABLED:
        return problem
    if await facts.gemini(cloud, job.lineage.project) == "DISABLED":  # where nobody can tell, it may be on
        return problem
    return await verify.until_accepted(cloud, string, observer, job.verify_s)


def _spreading(job: Job, member: Member) -> float:
    """Seconds for which the news of a key may still be on its way."""
    times = [time for time in (member.key.create_time, member.key.update_time) if time is not None]
    if not times:
        return job.verify_s
    age = (job.now() - max(times)).total_seconds()
    return min(job.verify_s, max(0.0, job.verify_s - age))
