#!/bin/sh
#if POLICY
# After setup.sh: builds the image, stores the policy, deploys the job, its schedule and its alerts.
# May be run again at any time, after a change of the policy for instance.
#end
#ifnot POLICY
# After setup.sh: builds the image, deploys the job, its schedule and its alerts. May be run again at any time.
#end
set -eu

PROJECT="@PROJECT@"
REGION="@REGION@"
ACCOUNT="@ACCOUNT@"
IMAGE="@IMAGE@"
#if POLICY
POLICY="@POLICY@"
#end
#if HISTORY
# The reports are kept in a bucket: it tells where an organisation is weak, and is for nobody else.
BUCKET="@HISTORY@"
#end
# Whom the alerts tell: a notification channel of Cloud Monitoring, projects/P/notificationChannels/N. It is made in the
# console (Monitoring, Alerting, Edit notification channels) or with `gcloud beta monitoring channels create`.
CHANNEL="${NOTIFICATION_CHANNEL:-}"

stop() {
  echo "deploy.sh: $*" >&2
  exit 1
}

command -v gcloud >/dev/null || stop "gcloud is not installed: see https://cloud.google.com/sdk/docs/install"
[ -n "$CHANNEL" ] || stop "set NOTIFICATION_CHANNEL to projects/P/notificationChannels/N, or nobody is told of failures"
#if POLICY
[ -r "$POLICY" ] || stop "there is no policy file $POLICY here: @POLICY_ADVICE@"
#end
gcloud iam service-accounts describe "$ACCOUNT" --project="$PROJECT" >/dev/null ||
  stop "the account $ACCOUNT is not there: run setup.sh first"

gcloud services enable run.googleapis.com cloudscheduler.googleapis.com artifactregistry.googleapis.com \
  cloudbuild.googleapis.com secretmanager.googleapis.com monitoring.googleapis.com --project="$PROJECT"

# The image, once a version.
@WHEEL@gcloud artifacts repositories describe keyadmin --location="$REGION" --project="$PROJECT" >/dev/null 2>&1 ||
  gcloud artifacts repositories create keyadmin --repository-format=docker --location="$REGION" --project="$PROJECT"
gcloud artifacts docker images describe "$IMAGE" --project="$PROJECT" >/dev/null 2>&1 ||
  gcloud builds submit --tag="$IMAGE" --project="$PROJECT" "$(dirname "$0")"

#if POLICY
# The policy, as a new version where it changed.
gcloud secrets describe @POLICY_NAME@ --project="$PROJECT" >/dev/null 2>&1 ||
  gcloud secrets create @POLICY_NAME@ --replication-policy=automatic --project="$PROJECT"
gcloud secrets versions access latest --secret=@POLICY_NAME@ --project="$PROJECT" 2>/dev/null | cmp -s - "$POLICY" ||
  gcloud secrets versions add @POLICY_NAME@ --data-file="$POLICY" --project="$PROJECT"
gcloud secrets add-iam-policy-binding @POLICY_NAME@ --project="$PROJECT" \
  --member="serviceAccount:$ACCOUNT" --role=roles/secretmanager.secretAccessor >/dev/null

#end
#if NOTICE_VARIABLES
# Who is told: the addresses are secrets.
for variable in @NOTICE_VARIABLES@; do
  gcloud secrets describe "keyadmin-$variable" --project="$PROJECT" >/dev/null 2>&1 ||
    stop "the secret keyadmin-$variable is not there; with the value on standard input:" \
      "gcloud secrets create keyadmin-$variable --replication-policy=automatic --data-file=- --project=$PROJECT"
  gcloud secrets add-iam-policy-binding "keyadmin-$variable" --project="$PROJECT" \
    --member="serviceAccount:$ACCOUNT" --role=roles/secretmanager.secretAccessor >/dev/null
done

#end
#if HISTORY
# The bucket of the kept reports, which the account alone reads and writes.
gcloud storage buckets describe "gs://$BUCKET" >/dev/null 2>&1 ||
  gcloud storage buckets create "gs://$BUCKET" --project="$PROJECT" --location="$REGION" \
    --uniform-bucket-level-access --public-access-prevention
gcloud storage buckets add-iam-policy-binding "gs://$BUCKET" \
  --member="serviceAccount:$ACCOUNT" --role=roles/storage.objectUser >/dev/null

#end
# The job, and the schedule that may start it and nothing else.
cd "$(dirname "$0")"
gcloud run jobs replace job.yaml --region="$REGION" --project="$PROJECT"
gcloud run jobs add-iam-policy-binding keyadmin-@JOB@ --region="$REGION" --project="$PROJECT" \
  --member="serviceAccount:$ACCOUNT" --role=roles/run.invoker >/dev/null
verb=create
gcloud scheduler jobs describe keyadmin-@JOB@ --location="$REGION" --project="$PROJECT" >/dev/null 2>&1 && verb=update
gcloud scheduler jobs "$verb" http keyadmin-@JOB@ --location="$REGION" --project="$PROJECT" \
  --schedule="@CRON@" --time-zone=Etc/UTC --http-method=POST --max-retry-attempts=3 \
  --uri="https://run.googleapis.com/v2/projects/$PROJECT/locations/$REGION/jobs/keyadmin-@JOB@:run" \
  --oauth-service-account-email="$ACCOUNT"

# The alerts.
for name in failed not-started; do
  title=$(sed -n 's/^  "displayName": "\(.*\)",$/\1/p' "alert-$name.json")
  present=$(gcloud alpha monitoring policies list --filter="displayName=\"$title\"" --format="value(name)" --project="$PROJECT")
  if [ -n "$present" ]; then
    gcloud alpha monitoring policies update "$present" --policy-from-file="alert-$name.json" --project="$PROJECT"
    gcloud alpha monitoring policies update "$present" --set-notification-channels="$CHANNEL" --project="$PROJECT"
  else
    gcloud alpha monitoring policies create --policy-from-file="alert-$name.json" --notification-channels="$CHANNEL" \
      --project="$PROJECT"
  fi
done
echo "The first run, now: gcloud run jobs execute keyadmin-@JOB@ --region=$REGION --project=$PROJECT --wait"
