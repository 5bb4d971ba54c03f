"""What holds for all tests: how hypothesis goes about its examples."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

# A verdict depends on the code alone: the same examples in each run, and no clock, which a busy machine would run past.
# Other examples: pytest --hypothesis-profile=explore.
settings.register_profile(
    "keyadmin", deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("explore", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("keyadmin")
