"""cron: one line; flock keeps runs apart, a failure is logged and mailed."""

from __future__ import annotations

from keyadmin.rotation.schedule.plan import Plan, ScheduleFile, identity


def files(plan: Plan) -> list[ScheduleFile]:
    """A file for /etc/cron.d, and the script that it runs."""
    command = " ".join(plan.command("/etc/keyadmin/keyadmin.toml"))
    script = f"""#!/bin/sh
# Runs the rotation once at a time; whatever does not end with 0 (3 = a lineage failed) is told.
set -u
exec 9>/var/lib/keyadmin/rotation.lock
flock -n 9 || exit 0
{command} >>/var/lib/keyadmin/rotation.jsonl
code=$?
if [ "$code" -ne 0 ]; then
  # Put your own way of telling here; cron mails what is printed to MAILTO.
  logger -p user.err -t keyadmin "rotation ended with exit code $code"
  echo "keyadmin rotation ended with exit code $code; see /var/lib/keyadmin/rotation.jsonl"
fi
exit "$code"
"""
    table = f"""# Rotate API keys {plan.every} (keyadmin)
SHELL=/bin/sh
PATH=/usr/local/bin:/usr/bin:/bin
MAILTO=root
GOOGLE_APPLICATION_CREDENTIALS=/etc/keyadmin/credentials.json
{plan.cron} keyadmin /usr/local/lib/keyadmin/rotate.sh
"""
    readme = """# As root:
useradd --system --create-home --home-dir /var/lib/keyadmin keyadmin
install -D -m 0644 keyadmin.toml /etc/keyadmin/keyadmin.toml
install -D -m 0755 rotate.sh /usr/local/lib/keyadmin/rotate.sh
install -m 0644 keyadmin-rotation.cron /etc/cron.d/keyadmin-rotation
"""
    return [
        *identity(plan),
        ScheduleFile("rotate.sh", script),
        ScheduleFile("keyadmin-rotation.cron", table),
        ScheduleFile("install.sh", readme),
    ]
