#!/bin/sh
# As root, from the folder that the policy file is in. May be run again at any time, after a change of the policy for instance.
set -eu

POLICY="@POLICY@"
[ -r "$POLICY" ] || {
  echo "install.sh: there is no policy file $POLICY here: keyadmin rotation init" >&2
  exit 1
}
id keyadmin >/dev/null 2>&1 || useradd --system --user-group --home-dir /var/lib/keyadmin keyadmin
install -d -m 0755 -o keyadmin -g keyadmin /var/lib/keyadmin
python3 -m venv /opt/keyadmin
/opt/keyadmin/bin/pip install --quiet keyadmin==@VERSION@
install -D -m 0644 "$POLICY" /etc/keyadmin/keyadmin.toml
cd "$(dirname "$0")"
install -D -m 0755 rotate.sh /usr/local/lib/keyadmin/rotate.sh
install -m 0644 keyadmin-rotation.logrotate /etc/logrotate.d/keyadmin-rotation
install -m 0644 keyadmin-rotation.cron /etc/cron.d/keyadmin-rotation
