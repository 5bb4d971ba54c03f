"""systemd: a timer, a one-shot service, and an alert where it fails. A unit is never started twice at once."""

from __future__ import annotations

from keyadmin.rotation.schedule.plan import Plan, ScheduleFile, identity


def files(plan: Plan) -> list[ScheduleFile]:
    """Unit files for /etc/systemd/system."""
    command = " ".join(plan.command("/etc/keyadmin/keyadmin.toml", "--metrics", "/var/lib/keyadmin/rotation.prom"))
    service = f"""[Unit]
Description=Rotate API keys (keyadmin)
Wants=network-online.target
After=network-online.target
OnFailure=keyadmin-rotation-alert.service

[Service]
Type=oneshot
ExecStart=/usr/bin/env {command}
# Exit code 3 (a lineage failed) is a failure too: OnFailure tells.
TimeoutStartSec=6h
User=keyadmin
StateDirectory=keyadmin
Environment=HOME=/var/lib/keyadmin
# A credentials file for {plan.account}, or leave it out on a machine that runs as that account.
Environment=GOOGLE_APPLICATION_CREDENTIALS=/etc/keyadmin/credentials.json
NoNewPrivileges=yes
PrivateTmp=yes
ProtectSystem=strict
ProtectHome=read-only
# Folders of env-file sinks have to be named here, for example: ReadWritePaths=/srv/app
ReadWritePaths=/var/lib/keyadmin
"""
    timer = f"""[Unit]
Description=Rotate API keys {plan.every}

[Timer]
OnCalendar={plan.every}
RandomizedDelaySec=30min
Persistent=true

[Install]
WantedBy=timers.target
"""
    alert = """[Unit]
Description=Tell that the rotation of API keys failed

[Service]
Type=oneshot
# Put your own way of telling here: mail, a chat, a pager.
ExecStart=/usr/bin/env logger -p user.err -t keyadmin "rotation failed: journalctl -u keyadmin-rotation.service"
"""
    readme = """# As root:
useradd --system --home-dir /var/lib/keyadmin keyadmin
install -D -m 0644 keyadmin.toml /etc/keyadmin/keyadmin.toml
install -m 0644 keyadmin-rotation.service keyadmin-rotation.timer keyadmin-rotation-alert.service /etc/systemd/system/
systemctl daemon-reload
systemctl enable --now keyadmin-rotation.timer
systemctl start keyadmin-rotation.service   # the first run, now
"""
    return [
        *identity(plan),
        ScheduleFile("keyadmin-rotation.service", service),
        ScheduleFile("keyadmin-rotation.timer", timer),
        ScheduleFile("keyadmin-rotation-alert.service", alert),
        ScheduleFile("install.sh", readme),
    ]
