"""Kubernetes: a CronJob that never overlaps, with one indexed pod a share of the projects."""

from __future__ import annotations

import json
from pathlib import Path

from keyadmin.rotation.policy import template
from keyadmin.rotation.schedule.plan import ACCOUNT_ID, Plan, ScheduleFile, dockerfile, identity


def files(plan: Plan) -> list[ScheduleFile]:
    """Manifests for `kubectl apply -f`."""
    image = f"{plan.region}-docker.pkg.dev/{plan.project}/keyadmin/keyadmin:latest"
    arguments = json.dumps(plan.command("/policy/keyadmin.toml", "--shard", "auto")[1:])
    path = Path(plan.policy)
    policy = path.read_text("utf-8") if path.is_file() else template(plan.project, "MACHINE")
    indented = "".join(f"    {line}\n" if line else "\n" for line in policy.splitlines())
    manifest = f"""apiVersion: v1
kind: Namespace
metadata:
  name: keyadmin
---
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {ACCOUNT_ID}
  namespace: keyadmin
  annotations:
    iam.gke.io/gcp-service-account: {plan.account}
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: keyadmin-policy
  namespace: keyadmin
data:
  keyadmin.toml: |
{indented}---
apiVersion: batch/v1
kind: CronJob
metadata:
  name: keyadmin-rotation
  namespace: keyadmin
spec:
  schedule: "{plan.cron}"
  concurrencyPolicy: Forbid
  startingDeadlineSeconds: 3600
  successfulJobsHistoryLimit: 3
  failedJobsHistoryLimit: 5
  jobTemplate:
    spec:
      completionMode: Indexed
      completions: {plan.tasks}
      parallelism: {min(plan.tasks, 10)}
      backoffLimit: 1
      activeDeadlineSeconds: 21600
      template:
        spec:
          serviceAccountName: {ACCOUNT_ID}
          restartPolicy: Never
          securityContext:
            runAsNonRoot: true
            runAsUser: 65532
            seccompProfile:
              type: RuntimeDefault
          containers:
          - name: keyadmin
            image: {image}
            args: {arguments}
            env:
            - name: JOB_COMPLETION_COUNT
              value: "{plan.tasks}"
            securityContext:
              allowPrivilegeEscalation: false
              readOnlyRootFilesystem: true
              capabilities:
                drop: ["ALL"]
            volumeMounts:
            - name: policy
              mountPath: /policy
              readOnly: true
            - name: tmp
              mountPath: /tmp
          volumes:
          - name: policy
            configMap:
              name: keyadmin-policy
          - name: tmp
            emptyDir: {{}}
"""
    alert = """apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: keyadmin-rotation
  namespace: keyadmin
spec:
  groups:
  - name: keyadmin
    rules:
    - alert: KeyadminRotationFailed
      # Exit code 3 (a lineage failed) fails the pod, and with it the job.
      expr: kube_job_status_failed{namespace="keyadmin", job_name=~"keyadmin-rotation.*"} > 0
      labels:
        severity: warning
      annotations:
        summary: The rotation of API keys failed
        description: "kubectl logs -n keyadmin job/{{ $labels.job_name }}"
"""
    bind = f"""#!/bin/sh
# After setup.sh: lets the Kubernetes account act as the Google one (Workload Identity Federation for GKE), then applies all.
set -eu
gcloud iam service-accounts add-iam-policy-binding {plan.account} --project={plan.project} \\
  --role=roles/iam.workloadIdentityUser \\
  --member="serviceAccount:{plan.project}.svc.id.goog[keyadmin/{ACCOUNT_ID}]"
kubectl apply -f keyadmin-rotation.yaml
kubectl apply -f keyadmin-rotation-alert.yaml   # with the Prometheus operator
"""
    return [
        *identity(plan),
        dockerfile(),
        ScheduleFile("keyadmin-rotation.yaml", manifest),
        ScheduleFile("keyadmin-rotation-alert.yaml", alert),
        ScheduleFile("deploy.sh", bind),
    ]
