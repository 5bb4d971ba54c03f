#!/bin/sh
# Runs the rotation, one run at a time. Whatever does not end with 0 (3 = something failed) is told.
set -u
STATE=${ROTATION_STATE:-/var/lib/keyadmin}
SETTINGS=${ROTATION_SETTINGS:-/etc/keyadmin/environment}

exec 9>"$STATE/rotation.lock" || exit 1
flock -n 9 || exit 0 # the last run is still at it

# On a machine of Google's that runs as @ACCOUNT@ nothing is needed. Elsewhere write
#   GOOGLE_APPLICATION_CREDENTIALS=/etc/keyadmin/credentials.json
# there, with a configuration of Workload Identity Federation (no key is stored in it).
if [ -r "$SETTINGS" ]; then
  set -a
  # shellcheck disable=SC1090 # it is the machine's own
  . "$SETTINGS"
  set +a
fi

@COMMAND@ >>"$STATE/rotation.jsonl"
code=$?
if [ "$code" -ne 0 ]; then
  # Put your own way of telling here; cron mails what is printed to MAILTO.
  logger -p user.err -t keyadmin "rotation ended with exit code $code"
  echo "keyadmin rotation ended with exit code $code; see $STATE/rotation.jsonl"
fi
exit "$code"
