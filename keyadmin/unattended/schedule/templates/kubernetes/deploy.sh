#!/bin/sh
# After setup.sh: builds the image, lets the Kubernetes account act as the Google one (Workload Identity Federation for GKE)
# and applies all. May be run again at any time.
set -eu

PROJECT="@PROJECT@"
REGION="@REGION@"
ACCOUNT="@ACCOUNT@"
IMAGE="@IMAGE@"

stop() {
  echo "deploy.sh: $*" >&2
  exit 1
}

for program in gcloud kubectl; do
  command -v "$program" >/dev/null || stop "$program is not installed"
done
gcloud iam service-accounts describe "$ACCOUNT" --project="$PROJECT" >/dev/null ||
  stop "the account $ACCOUNT is not there: run setup.sh first"
cd "$(dirname "$0")"

# The image, once a version.
@WHEEL@gcloud services enable artifactregistry.googleapis.com cloudbuild.googleapis.com --project="$PROJECT"
gcloud artifacts repositories describe keyadmin --location="$REGION" --project="$PROJECT" >/dev/null 2>&1 ||
  gcloud artifacts repositories create keyadmin --repository-format=docker --location="$REGION" --project="$PROJECT"
gcloud artifacts docker images describe "$IMAGE" --project="$PROJECT" >/dev/null 2>&1 ||
  gcloud builds submit --tag="$IMAGE" --project="$PROJECT" .

# In another project's cluster, the pool is that project's.
gcloud iam service-accounts add-iam-policy-binding "$ACCOUNT" --project="$PROJECT" \
  --role=roles/iam.workloadIdentityUser --condition=None \
  --member="serviceAccount:${CLUSTER_PROJECT:-$PROJECT}.svc.id.goog[keyadmin/@ACCOUNT_ID@]" >/dev/null

kubectl apply -f keyadmin-@JOB@.yaml
if kubectl get crd prometheusrules.monitoring.coreos.com >/dev/null 2>&1; then
  kubectl apply -f keyadmin-@JOB@-alert.yaml
else
  echo "deploy.sh: no Prometheus operator here: nobody is told of failures (see keyadmin-@JOB@-alert.yaml)" >&2
fi
#if NOTICE_VARIABLES
# Who is told: the addresses are secrets.
kubectl get secret keyadmin-notices -n keyadmin >/dev/null ||
  stop "the secret keyadmin-notices is not there; from a file with lines VAR=VALUE of @NOTICE_VARIABLES@:" \
    "kubectl create secret generic keyadmin-notices -n keyadmin --from-env-file=FILE"
#end
echo "The first run, now: kubectl create job -n keyadmin --from=cronjob/keyadmin-@JOB@ keyadmin-@JOB@-first"
