"""What holds for all tests: how hypothesis goes about its examples, and that Ctrl-C can be sent."""

from __future__ import annotations

import signal

from hypothesis import HealthCheck, settings

# A verdict depends on the code alone: the same examples in each run, and no clock, which a busy machine would run past.
# Other examples: pytest --hypothesis-profile=explore.
settings.register_profile(
    "keyadmin", deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("explore", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("keyadmin")

# Shells start what runs in the background with Ctrl-C ignored (POSIX, 2.11), and programs pass that on to theirs.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
