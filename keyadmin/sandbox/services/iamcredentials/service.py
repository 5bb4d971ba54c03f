"""IAM Service Account Credentials v1, as the sandbox knows it."""

from __future__ import annotations

from keyadmin.sandbox.service import Service
from keyadmin.sandbox.services.iamcredentials.api import api

SERVICE = Service(
    apis=(api,),
    gcloud=("iamcredentials",),
    discovery=("iamcredentials.v1",),
)
