#!/bin/sh
# After setup.sh: lets the workflows on this repository's main branch act as the account, without any stored key.
#   ./federation.sh OWNER/NAME [BRANCH]
# May be run again at any time. Set the repository variable KEYADMIN_WORKLOAD_IDENTITY_PROVIDER to what it prints last.
set -eu

PROJECT="@PROJECT@"
ACCOUNT="@ACCOUNT@"
REPOSITORY="${1:-}"
BRANCH="${2:-main}"

stop() {
  echo "federation.sh: $*" >&2
  exit 1
}

case $REPOSITORY in
*[!A-Za-z0-9._/-]* | "" | */*/* | /* | */) stop "say which repository: ./federation.sh OWNER/NAME [BRANCH]" ;;
*/*) ;;
*) stop "say which repository: ./federation.sh OWNER/NAME [BRANCH]" ;;
esac
gcloud iam service-accounts describe "$ACCOUNT" --project="$PROJECT" >/dev/null ||
  stop "the account $ACCOUNT is not there: run setup.sh first"
gcloud services enable iam.googleapis.com iamcredentials.googleapis.com sts.googleapis.com --project="$PROJECT" >/dev/null

NUMBER=$(gcloud projects describe "$PROJECT" --format="value(projectNumber)")
gcloud iam workload-identity-pools describe github --location=global --project="$PROJECT" >/dev/null 2>&1 ||
  gcloud iam workload-identity-pools create github --location=global --project="$PROJECT"
verb=create-oidc
gcloud iam workload-identity-pools providers describe keyadmin --workload-identity-pool=github --location=global \
  --project="$PROJECT" >/dev/null 2>&1 && verb=update-oidc
gcloud iam workload-identity-pools providers "$verb" keyadmin --workload-identity-pool=github --location=global \
  --project="$PROJECT" --issuer-uri=https://token.actions.githubusercontent.com \
  --attribute-mapping="google.subject=assertion.sub,attribute.repository=assertion.repository" \
  --attribute-condition="assertion.repository == '$REPOSITORY' && assertion.ref == 'refs/heads/$BRANCH'"
gcloud iam service-accounts add-iam-policy-binding "$ACCOUNT" --project="$PROJECT" \
  --role=roles/iam.workloadIdentityUser --condition=None \
  --member="principalSet://iam.googleapis.com/projects/$NUMBER/locations/global/workloadIdentityPools/github/attribute.repository/$REPOSITORY" \
  >/dev/null
echo "projects/$NUMBER/locations/global/workloadIdentityPools/github/providers/keyadmin"
