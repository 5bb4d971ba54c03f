"""Cloud Run jobs, started by Cloud Scheduler: each task looks after its share of the projects."""

from __future__ import annotations

import json

from keyadmin.rotation.schedule.plan import ACCOUNT_ID, Plan, ScheduleFile, dockerfile, identity


def files(plan: Plan) -> list[ScheduleFile]:
    """The job, the image, the schedule and an alert."""
    image = f"{plan.region}-docker.pkg.dev/{plan.project}/keyadmin/keyadmin:latest"
    arguments = "\n".join(
        f"            - {json.dumps(word)}" for word in plan.command("/policy/keyadmin.toml", "--shard", "auto")[1:]
    )
    job = f"""apiVersion: run.googleapis.com/v1
kind: Job
metadata:
  name: keyadmin-rotation
spec:
  template:
    spec:
      taskCount: {plan.tasks}
      parallelism: {min(plan.tasks, 10)}
      template:
        spec:
          # Repeated and overlapping tasks do no harm: what one did the next finds done.
          maxRetries: 1
          timeoutSeconds: "3600"
          serviceAccountName: {plan.account}
          containers:
          - image: {image}
            args:
{arguments}
            volumeMounts:
            - name: policy
              mountPath: /policy
          volumes:
          - name: policy
            secret:
              secretName: keyadmin-policy
              items:
              - key: latest
                path: keyadmin.toml
"""
    alert = {
        "displayName": "keyadmin rotation failed",
        "combiner": "OR",
        "conditions": [
            {
                "displayName": "A task did not end with 0 (3 = a lineage failed)",
                "conditionThreshold": {
                    "filter": 'resource.type = "cloud_run_job" AND resource.labels.job_name = "keyadmin-rotation" AND '
                    'metric.type = "run.googleapis.com/job/completed_task_attempt_count" AND metric.labels.result = "failed"',
                    "comparison": "COMPARISON_GT",
                    "thresholdValue": 0,
                    "duration": "0s",
                    "aggregations": [{"alignmentPeriod": "300s", "perSeriesAligner": "ALIGN_SUM"}],
                },
            }
        ],
    }
    deploy = f"""#!/bin/sh
# After setup.sh: builds the image, stores the policy, deploys the job and its schedule.
set -eu
gcloud artifacts repositories describe keyadmin --location={plan.region} --project={plan.project} >/dev/null 2>&1 ||
  gcloud artifacts repositories create keyadmin --repository-format=docker --location={plan.region} --project={plan.project}
gcloud builds submit --tag={image} --project={plan.project} .
gcloud secrets describe keyadmin-policy --project={plan.project} >/dev/null 2>&1 ||
  gcloud secrets create keyadmin-policy --replication-policy=automatic --project={plan.project}
gcloud secrets versions add keyadmin-policy --data-file={plan.policy} --project={plan.project}
gcloud secrets add-iam-policy-binding keyadmin-policy --project={plan.project} \\
  --member=serviceAccount:{plan.account} --role=roles/secretmanager.secretAccessor
gcloud run jobs replace job.yaml --region={plan.region} --project={plan.project}
gcloud run jobs add-iam-policy-binding keyadmin-rotation --region={plan.region} --project={plan.project} \\
  --member=serviceAccount:{plan.account} --role=roles/run.invoker
gcloud scheduler jobs create http {ACCOUNT_ID} --location={plan.region} --project={plan.project} \\
  --schedule="{plan.cron}" --http-method=POST --oauth-service-account-email={plan.account} \\
  --uri="https://run.googleapis.com/v2/projects/{plan.project}/locations/{plan.region}/jobs/keyadmin-rotation:run"
gcloud monitoring policies create --policy-from-file=alert.json --project={plan.project}
"""
    return [
        *identity(plan),
        dockerfile(),
        ScheduleFile("job.yaml", job),
        ScheduleFile("alert.json", json.dumps(alert, indent=2) + "\n"),
        ScheduleFile("deploy.sh", deploy),
    ]
