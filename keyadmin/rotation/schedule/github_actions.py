"""GitHub Actions: a scheduled workflow without stored credentials; a failed run opens an issue."""

from __future__ import annotations

from keyadmin import __version__
from keyadmin.rotation.schedule.plan import ACCOUNT_ID, Plan, ScheduleFile, identity


def files(plan: Plan) -> list[ScheduleFile]:
    """A workflow, and the commands that let it in (Workload Identity Federation)."""
    command = " ".join(plan.command(plan.policy))
    workflow = f"""name: keyadmin rotation

on:
  schedule:
  - cron: "{plan.cron}"
  workflow_dispatch:

# One run at a time; a second one waits.
concurrency:
  group: keyadmin-rotation
  cancel-in-progress: false

permissions: {{}}

jobs:
  rotate:
    runs-on: ubuntu-latest
    timeout-minutes: 350
    permissions:
      contents: read
      id-token: write
      issues: write
    steps:
    - uses: actions/checkout@v4
      with:
        persist-credentials: false
    - uses: google-github-actions/auth@v2
      with:
        workload_identity_provider: ${{{{ vars.KEYADMIN_WORKLOAD_IDENTITY_PROVIDER }}}}
        service_account: {plan.account}
    - uses: actions/setup-python@v5
      with:
        python-version: "3.12"
    - run: pip install keyadmin=={__version__}
    - name: Rotate
      run: {command}
    - name: Tell
      if: failure()
      env:
        GH_TOKEN: ${{{{ github.token }}}}
        RUN: ${{{{ github.server_url }}}}/${{{{ github.repository }}}}/actions/runs/${{{{ github.run_id }}}}
      run: gh issue create --repo "$GITHUB_REPOSITORY" --title "Rotation of API keys failed" --body "See $RUN"
"""
    federation = f"""#!/bin/sh
# After setup.sh: lets this repository's workflows act as the account. Then set the repository variable
# KEYADMIN_WORKLOAD_IDENTITY_PROVIDER to what the last command prints.
set -eu
REPOSITORY="OWNER/NAME"
NUMBER=$(gcloud projects describe {plan.project} --format="value(projectNumber)")
gcloud iam workload-identity-pools create github --location=global --project={plan.project}
gcloud iam workload-identity-pools providers create-oidc github --location=global --project={plan.project} \\
  --workload-identity-pool=github --issuer-uri=https://token.actions.githubusercontent.com \\
  --attribute-mapping="google.subject=assertion.sub,attribute.repository=assertion.repository" \\
  --attribute-condition="assertion.repository == '$REPOSITORY'"
gcloud iam service-accounts add-iam-policy-binding {ACCOUNT_ID}@{plan.project}.iam.gserviceaccount.com \\
  --project={plan.project} --role=roles/iam.workloadIdentityUser \\
  --member="principalSet://iam.googleapis.com/projects/$NUMBER/locations/global/workloadIdentityPools/github/attribute.repository/$REPOSITORY"
echo "projects/$NUMBER/locations/global/workloadIdentityPools/github/providers/github"
"""
    return [
        *identity(plan),
        ScheduleFile(".github/workflows/keyadmin-rotation.yml", workflow),
        ScheduleFile("federation.sh", federation),
    ]
