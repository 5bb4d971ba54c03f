#!/bin/sh
# As root, from the folder that the policy file is in. May be run again at any time, after a change of the policy for instance.
set -eu

POLICY="@POLICY@"
[ -r "$POLICY" ] || {
  echo "install.sh: there is no policy file $POLICY here: keyadmin rotation init" >&2
  exit 1
}
id keyadmin >/dev/null 2>&1 || useradd --system --user-group --home-dir /var/lib/keyadmin keyadmin
python3 -m venv /opt/keyadmin
/opt/keyadmin/bin/pip install --quiet keyadmin==@VERSION@
install -D -m 0644 "$POLICY" /etc/keyadmin/keyadmin.toml
cd "$(dirname "$0")"
install -m 0644 keyadmin-rotation.service keyadmin-rotation.timer keyadmin-rotation-alert.service /etc/systemd/system/
systemctl daemon-reload
systemctl enable --now keyadmin-rotation.timer
systemctl start keyadmin-rotation.service || # the first run, now
  echo "The first run failed: journalctl -u keyadmin-rotation.service" >&2
