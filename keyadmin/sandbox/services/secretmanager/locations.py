"""Where regional secrets can be kept (https://cloud.google.com/secret-manager/docs/locations, 2026)."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

REGIONS = (
    *("africa-south1", "asia-east1", "asia-east2", "asia-northeast1", "asia-northeast2", "asia-northeast3", "asia-south1"),
    *("asia-south2", "asia-southeast1", "asia-southeast2", "australia-southeast1", "australia-southeast2"),
    *("europe-central2", "europe-north1", "europe-north2", "europe-southwest1", "europe-west1", "europe-west10"),
    *("europe-west12", "europe-west2", "europe-west3", "europe-west4", "europe-west6", "europe-west8", "europe-west9"),
    *("me-central1", "me-central2", "me-west1", "northamerica-northeast1", "northamerica-northeast2"),
    *("northamerica-south1", "southamerica-east1", "southamerica-west1", "us-central1", "us-east1", "us-east4", "us-east5"),
    *("us-south1", "us-west1", "us-west2", "us-west3", "us-west4"),
)


def location(project: str, region: str) -> Json:
    """google.cloud.location.Location."""
    return {"name": f"{project}/locations/{region}", "locationId": region}


def regional(home: str) -> bool:
    """Whether what is kept there is regional: `projects/N/locations/L`."""
    return "/locations/" in home


def both(route: str) -> tuple[str, str]:
    """A path for global secrets, and the same for regional ones."""
    return route, route.replace("=projects/*", "=projects/*/locations/*", 1)
