#!/bin/sh
# Runs the @JOB@, one run at a time. Whatever does not end with 0 (3 = @THREE_SHORT@) is told.
set -u
STATE=${@JOB_UPPER@_STATE:-/var/lib/keyadmin}
SETTINGS=${@JOB_UPPER@_SETTINGS:-/etc/keyadmin/environment}

exec 9>"$STATE/@JOB@.lock" || exit 1
flock -n 9 || exit 0 # the last run is still at it

# On a machine of Google's that runs as @ACCOUNT@ nothing is needed. Elsewhere write
#   GOOGLE_APPLICATION_CREDENTIALS=/etc/keyadmin/credentials.json
# there, with a configuration of Workload Identity Federation (no key is stored in it).
#if NOTICE_VARIABLES
# Also there, for those who are told: @NOTICE_VARIABLES@.
#end
if [ -r "$SETTINGS" ]; then
  set -a
  # shellcheck disable=SC1090 # it is the machine's own
  . "$SETTINGS"
  set +a
fi

@COMMAND@ >>"$STATE/@LOG@"
code=$?
if [ "$code" -ne 0 ]; then
  # Put your own way of telling here; cron mails what is printed to MAILTO.
  logger -p user.err -t keyadmin "@JOB@ ended with exit code $code"
  echo "keyadmin @JOB@ ended with exit code $code; see $STATE/@LOG@"
fi
exit "$code"
