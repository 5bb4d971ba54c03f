#!/bin/sh
# As root, from the folder that the policy file is in. May be run again at any time, after a change of the policy for instance.
set -eu

POLICY="@POLICY@"
# The keyadmin that is installed on this machine; it is not installed by this script.
KEYADMIN=@PROGRAM@
[ -r "$POLICY" ] || {
  echo "install.sh: there is no policy file $POLICY here: keyadmin rotation init" >&2
  exit 1
}
id keyadmin >/dev/null 2>&1 || useradd --system --user-group --home-dir /var/lib/keyadmin keyadmin
install -d -m 0755 -o keyadmin -g keyadmin /var/lib/keyadmin
"$KEYADMIN" --version >/dev/null || {
  echo "install.sh: $KEYADMIN is not there: install keyadmin, and print these files again with that one" >&2
  exit 1
}
# shellcheck disable=SC2016 # the other shell expands it
su -s /bin/sh -c '"$0" --version >/dev/null' keyadmin "$KEYADMIN" || {
  echo "install.sh: the account keyadmin may not run $KEYADMIN: install keyadmin outside of home folders (/opt/keyadmin, say)," \
    "and print these files again with that one" >&2
  exit 1
}
install -D -m 0644 "$POLICY" /etc/keyadmin/keyadmin.toml
cd "$(dirname "$0")"
install -D -m 0755 rotate.sh /usr/local/lib/keyadmin/rotate.sh
install -m 0644 keyadmin-rotation.logrotate /etc/logrotate.d/keyadmin-rotation
install -m 0644 keyadmin-rotation.cron /etc/cron.d/keyadmin-rotation
