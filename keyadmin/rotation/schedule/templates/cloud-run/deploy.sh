#!/bin/sh
# After setup.sh: builds the image, stores the policy, deploys the job, its schedule and its alerts.
# May be run again at any time, after a change of the policy for instance.
set -eu

PROJECT="@PROJECT@"
REGION="@REGION@"
ACCOUNT="@ACCOUNT@"
IMAGE="@IMAGE@"
POLICY="@POLICY@"
# Whom the alerts tell: a notification channel of Cloud Monitoring, projects/P/notificationChannels/N. It is made in the
# console (Monitoring, Alerting, Edit notification channels) or with `gcloud beta monitoring channels create`.
CHANNEL="${NOTIFICATION_CHANNEL:-}"

stop() {
  echo "deploy.sh: $*" >&2
  exit 1
}

command -v gcloud >/dev/null || stop "gcloud is not installed: see https://cloud.google.com/sdk/docs/install"
[ -n "$CHANNEL" ] || stop "set NOTIFICATION_CHANNEL to projects/P/notificationChannels/N, or nobody is told of failures"
[ -r "$POLICY" ] || stop "there is no policy file $POLICY here: keyadmin rotation init"
gcloud iam service-accounts describe "$ACCOUNT" --project="$PROJECT" >/dev/null ||
  stop "the account $ACCOUNT is not there: run setup.sh first"

gcloud services enable run.googleapis.com cloudscheduler.googleapis.com artifactregistry.googleapis.com \
  cloudbuild.googleapis.com secretmanager.googleapis.com monitoring.googleapis.com --project="$PROJECT"

# The image, once a version.
@WHEEL@gcloud artifacts repositories describe keyadmin --location="$REGION" --project="$PROJECT" >/dev/null 2>&1 ||
  gcloud artifacts repositories create keyadmin --repository-format=docker --location="$REGION" --project="$PROJECT"
gcloud artifacts docker images describe "$IMAGE" --project="$PROJECT" >/dev/null 2>&1 ||
  gcloud builds submit --tag="$IMAGE" --project="$PROJECT" "$(dirname "$0")"

# The policy, as a new version where it changed.
gcloud secrets describe keyadmin-policy --project="$PROJECT" >/dev/null 2>&1 ||
  gcloud secrets create keyadmin-policy --replication-policy=automatic --project="$PROJECT"
gcloud secrets versions access latest --secret=keyadmin-policy --project="$PROJECT" 2>/dev/null | cmp -s - "$POLICY" ||
  gcloud secrets versions add keyadmin-policy --data-file="$POLICY" --project="$PROJECT"
gcloud secrets add-iam-policy-binding keyadmin-policy --project="$PROJECT" \
  --member="serviceAccount:$ACCOUNT" --role=roles/secretmanager.secretAccessor >/dev/null

# The job, and the schedule that may start it and nothing else.
cd "$(dirname "$0")"
gcloud run jobs replace job.yaml --region="$REGION" --project="$PROJECT"
gcloud run jobs add-iam-policy-binding keyadmin-rotation --region="$REGION" --project="$PROJECT" \
  --member="serviceAccount:$ACCOUNT" --role=roles/run.invoker >/dev/null
verb=create
gcloud scheduler jobs describe keyadmin-rotation --location="$REGION" --project="$PROJECT" >/dev/null 2>&1 && verb=update
gcloud scheduler jobs "$verb" http keyadmin-rotation --location="$REGION" --project="$PROJECT" \
  --schedule="@CRON@" --time-zone=Etc/UTC --http-method=POST --max-retry-attempts=3 \
  --uri="https://run.googleapis.com/v2/projects/$PROJECT/locations/$REGION/jobs/keyadmin-rotation:run" \
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
echo "The first run, now: gcloud run jobs execute keyadmin-rotation --region=$REGION --project=$PROJECT --wait"
