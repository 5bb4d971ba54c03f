#!/bin/sh
#if POLICY
# As root, from the folder that the policy file is in. May be run again at any time, after a change of the policy for instance.
#end
#ifnot POLICY
# As root. May be run again at any time.
#end
set -eu

#if POLICY
POLICY="@POLICY@"
#end
# The keyadmin that is installed on this machine; it is not installed by this script.
KEYADMIN=@PROGRAM@
#if POLICY
[ -r "$POLICY" ] || {
  echo "install.sh: there is no policy file $POLICY here: @POLICY_ADVICE@" >&2
  exit 1
}
#end
#if NOTICE_VARIABLES
for variable in @NOTICE_VARIABLES@; do
  grep -qs "^$variable=" /etc/keyadmin/environment || {
    echo "install.sh: write $variable=VALUE into /etc/keyadmin/environment first, readable by root and the group keyadmin alone" >&2
    exit 1
  }
done
#end
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
#if POLICY
install -D -m 0644 "$POLICY" /etc/keyadmin/@POLICY_FILE@
#end
cd "$(dirname "$0")"
install -D -m 0755 @SCRIPT@ /usr/local/lib/keyadmin/@SCRIPT@
install -m 0644 keyadmin-@JOB@.logrotate /etc/logrotate.d/keyadmin-@JOB@
install -m 0644 keyadmin-@JOB@.cron /etc/cron.d/keyadmin-@JOB@
